"""The Kubernetes objects of the demo, as a user or an administrator of the hub would write them."""

import base64
from datetime import datetime
from typing import Any

from demo.accelerators import RESOURCE, product_name
from demo.members import Member
from demo.tariffs import CURRENCY
from demo.workload import DemoJob, Team
from isthmus.api.names import API_VERSION, GROUP, LABEL_ACCOUNT, SYSTEM_NAMESPACE

RUN_SECONDS = "testbed.isthmus.dev/run-seconds"  # how long the testbed's machines let a pod run
IMAGE = "busybox:1.37"

Object = dict[str, Any]


def namespace(name: str, labels: dict[str, str]) -> Object:
    """A namespace of the hub."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def team_objects(team: Team) -> list[Object]:
    """A tenant's namespace, and the right of its engineer to hand in work there and to read the bill."""
    here = {"name": "engineers", "namespace": team.namespace}
    rbac = "rbac.authorization.k8s.io"
    return [
        namespace(team.namespace, {LABEL_ACCOUNT: team.account}),
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": here,
            "rules": [
                {"apiGroups": [GROUP], "resources": ["computejobs"], "verbs": ["create", "get", "list", "watch"]},
                {"apiGroups": [GROUP], "resources": ["settlements"], "verbs": ["get", "list", "watch"]},
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": here,
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": team.user}],
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "engineers"},
        },
    ]


def kubeconfig_secret(member: Member, kubeconfig: str) -> Object:
    """The hub's way into a member."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": member.name, "namespace": SYSTEM_NAMESPACE},
        "data": {"kubeconfig": base64.b64encode(kubeconfig.encode()).decode()},
    }


def compute_node(member: Member) -> Object:
    """The member's entry in the hub."""
    spec: Object = {
        "identity": {"code": f"demo/{member.region}/{member.name}", "issuer": "Isthmus demo", "scheme": "demo"},
        "tier": member.tier,
        "region": {"code": member.region, "displayName": member.region_name},
        "access": {"kubeConfig": {"secretRef": {"name": member.name}}},
        "tariff": member.tariff.manifest(),
    }
    if member.parent is not None:
        spec["parent"] = member.parent
    return {"apiVersion": API_VERSION, "kind": "ComputeNode", "metadata": {"name": member.name}, "spec": spec}


def compute_job(job: DemoJob) -> Object:
    """The job as its team applies it."""
    placement: Object = {"objective": job.team.objective}
    if job.pod.models:
        placement["accelerator"] = {"models": [product_name(model) for model in job.pod.models]}
    if job.tiers:
        placement["tiers"] = list(job.tiers)
    return {
        "apiVersion": API_VERSION,
        "kind": "ComputeJob",
        "metadata": {"name": job.name, "namespace": job.team.namespace},
        "spec": {"template": _template(job), "placement": placement},
    }


def settlement(team: Team, start: datetime, end: datetime) -> Object:
    """The bill of the team's account for the period."""
    period = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    return {
        "apiVersion": API_VERSION,
        "kind": "Settlement",
        "metadata": {"name": f"demo-{start:%Y-%m-%d}", "namespace": team.namespace},
        "spec": {"party": "Account", "period": period, "currency": CURRENCY},
    }


def _template(job: DemoJob) -> Object:
    """The JobSpec: on machines that run something, it would sleep for as long as the testbed pretends to."""
    resources: Object = {"requests": {"cpu": f"{job.pod.cpu_milli}m", "memory": f"{job.pod.memory_mib}Mi"}}
    if job.pod.gpus:
        resources["limits"] = {RESOURCE: str(job.pod.gpus)}
    container = {"name": "main", "image": IMAGE, "command": ["sleep", str(job.seconds)], "resources": resources}
    return {
        "completions": job.completions,
        "parallelism": job.parallelism,
        "completionMode": job.mode,
        "template": {
            "metadata": {"annotations": {RUN_SECONDS: str(job.seconds)}},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        },
    }
