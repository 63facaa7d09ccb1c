"""What Kueue does to Jobs with the label of a queue, on a real control plane: the one thing about it that we meet.

It suspends each as it is created (Kueue by a webhook, here by an admission policy), has a Workload for it, resumes it
while that is active and there is room, and suspends it otherwise, whoever did what. As it does so it clears the Job's
start. `hack/kueuetrial` has the same done by Kueue itself.
"""

import threading
from types import TracebackType
from typing import Any, Self

from federation import Federation
from testbed import ApiError, Cluster, wait_for

LABEL = "kueue.x-k8s.io/queue-name"
GROUP, VERSION = "kueue.x-k8s.io", "v1beta2"
NO_ROOM = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor any, 1 more needed"
LOOK_SECONDS = 0.1

Object = dict[str, Any]
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"workloads.{GROUP}",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/kueue"},
    },
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"kind": "Workload", "plural": "workloads"},
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _OPEN, "status": _OPEN}}},
            }
        ],
    },
}
_JOBS = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
POLICY: Object = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": "queue"},
    "spec": {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [_JOBS]},
        "matchConditions": [
            {
                "name": "queued",
                "expression": f"has(object.metadata.labels) && '{LABEL}' in object.metadata.labels",
            }
        ],
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{spec: Object.spec{suspend: true}}"},
            }
        ],
    },
}
BINDING: Object = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": "queue"},
    "spec": {"policyName": "queue"},
}


class QueuePlayer:
    """For as long as the `with` block lasts; there is room for the Jobs whose shards are in `admitted`."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.admitted: set[str] = set()
        self.turns: list[tuple[str, bool]] = []
        """Each change of a Job's suspension that it made."""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self) -> Self:
        self.cluster.apply([DEFINITION, POLICY, BINDING])
        path = f"/apis/{GROUP}/{VERSION}"
        self.cluster.kubectl("wait", "--for=condition=Established", f"crd/workloads.{GROUP}", "--timeout=30s")
        wait_for(lambda: self.cluster.rest.is_ok(path), 20, "Workloads to be served")
        self._wait_for_policy()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(30)

    def workload(self, job: Object) -> Object:
        """The Job's."""
        metadata = job["metadata"]
        return self.cluster.rest.get(f"{_workloads(metadata['namespace'])}/job-{metadata['name']}")

    def _wait_for_policy(self) -> None:
        """A policy counts some moments after it was made."""
        container = {"name": "main", "image": "example/work:1"}
        pod = {"restartPolicy": "Never", "containers": [container]}
        metadata = {"name": "probe", "namespace": "default", "labels": {LABEL: "none"}}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}

        def counts() -> bool:
            made = self.cluster.rest.post("/apis/batch/v1/namespaces/default/jobs?dryRun=All", job)
            return made["spec"]["suspend"] is True

        wait_for(counts, 30, "Jobs with a queue to be suspended as they are made")

    def _play(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            for job in self.cluster.rest.get("/apis/batch/v1/jobs")["items"]:
                ended = any(c["type"] in {"Complete", "Failed"} for c in job["status"].get("conditions", ()))
                if LABEL in job["metadata"].get("labels", {}) and not ended:
                    try:
                        self._judge(job)
                    except ApiError:  # it has changed, or is gone: it is looked at again
                        continue

    def _judge(self, job: Object) -> None:
        metadata, rest = job["metadata"], self.cluster.rest
        path = f"{_workloads(metadata['namespace'])}/job-{metadata['name']}"
        try:
            workload = rest.get(path)
        except ApiError as error:
            if error.code != 404:
                raise
            workload = rest.post(_workloads(metadata["namespace"]), _workload(job))
        runs = workload["spec"]["active"] and metadata["name"] in self.admitted
        quota = {"type": "QuotaReserved", "status": str(runs), "reason": "R", "message": "" if runs else NO_ROOM}
        if workload.get("status") != {"conditions": [quota]}:
            rest.patch(path, {"status": {"conditions": [quota]}})
        if job["spec"]["suspend"] is runs:
            seen = {"resourceVersion": metadata["resourceVersion"]}
            at = f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}"
            rest.patch(at, {"metadata": seen, "spec": {"suspend": not runs}})
            self.turns.append((metadata["name"], not runs))
            if not runs:
                rest.patch(f"{at}/status", {"status": {"startTime": None}})


def _workloads(namespace: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/workloads"


def _workload(job: Object) -> Object:
    metadata = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workload",
        "metadata": {
            "name": f"job-{metadata['name']}",
            "labels": {"kueue.x-k8s.io/job-uid": metadata["uid"]},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {"active": True, "queueName": metadata["labels"][LABEL]},
    }


def shard_of(fed: Federation, name: str) -> str:
    """The name of the Job of a ComputeJob of one live shard, once there is one."""
    wait_for(lambda: fed.job(name).get("status", {}).get("shards"), 30, f"{name} to be sent")
    return str(fed.job(name)["status"]["shards"][-1]["dispatch"])
