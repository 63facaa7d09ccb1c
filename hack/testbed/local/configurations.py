"""The configuration files of the parts that take one."""

from pathlib import Path
from typing import Any

import yaml

from testbed.audit import WRITE_VERBS
from testbed.local.commands import Layout
from testbed.machines import ANNOTATION
from testbed.provider import ClusterSpec, Part

STAGES = Path(__file__).resolve().parent.parent / "stages"


def write_configurations(spec: ClusterSpec, files: Layout) -> None:
    """Writes the audit policy, and the scheduler's and kwok's configuration where the cluster has them."""
    files.audit_policy.write_text(yaml.safe_dump(audit_policy(spec)))
    if spec.scheduling:
        files.scheduler_config.write_text(yaml.safe_dump(scheduler(spec, files)))
        stages = [path.read_text() for path in sorted(STAGES.glob("*.yaml"))]
        files.kwok_config.write_text("\n---\n".join([yaml.safe_dump(kwok(spec)), *stages]))


def audit_policy(spec: ClusterSpec) -> dict[str, Any]:
    """One entry for each finished write, without bodies: enough to count who wrote what; and the reads asked for.

    Of a watch there is one as it begins: the end of most is the end of the API server.
    """
    rules: list[dict[str, Any]] = [{"level": "Metadata", "verbs": list(WRITE_VERBS), "omitStages": ["ResponseStarted"]}]
    if spec.audit_reads_of:
        rules.append({"level": "Metadata", "users": list(spec.audit_reads_of)})
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "Panic"],
        "rules": [*rules, {"level": "None"}],
    }


def scheduler(spec: ClusterSpec, files: Layout) -> dict[str, Any]:
    """The default profile with the cluster's request limits."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {
            "kubeconfig": str(files.kubeconfig(Part.SCHEDULER)),
            "qps": spec.api_qps,
            "burst": spec.api_burst,
        },
    }


def kwok(spec: ClusterSpec) -> dict[str, Any]:
    """Kubelets for our machines alone, with enough workers that a burst of Pods starts together."""
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "manageAllNodes": False,
            "manageNodesWithAnnotationSelector": "=".join(ANNOTATION),
            "nodeLeaseDurationSeconds": spec.node_grace_seconds,
            "nodeLeaseParallelism": 8,
            "nodePlayStageParallelism": 8,
            "podPlayStageParallelism": 16,
            "podsOnNodeSyncParallelism": 4,
        },
    }
