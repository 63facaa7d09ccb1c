"""Fills the hub: for each API server of members one job that ends and one that runs for real, the others after those.

When it is done the hub's process is killed.
"""

import asyncio
from collections.abc import Sequence

from federation.manifests import Object
from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH, node_namespace, node_of_namespace
from start.kept import Kept, Place
from start.machines import until_idle
from start.pattern import Footprint
from start.stage import Stage
from start.work import LONG_SECONDS, client_of, create
from testbed import Cluster, Part, wait_for

PATTERN_SECONDS = 120.0
# The members' controllers look at each Job once.
SETTLING_SECONDS = 60.0


async def fill(stage: Stage, ended: int, running: int) -> None:
    """Have so many jobs ended and running, and the hub's process killed. DeadlineError, ClusterError, LedgerError."""
    nodes = stage.names[: len(stage.members)]
    async with client_of(stage.hub) as hub:
        for node in nodes:
            await create(hub, f"short-{node}", run_seconds="1", node=node)
            await create(hub, f"long-{node}", run_seconds=LONG_SECONDS, node=node)
    await asyncio.to_thread(_make, stage, nodes, ended, running)


def _make(stage: Stage, nodes: Sequence[str], ended: int, running: int) -> None:
    """Wait for those that run for real, kill the hub, and make the others."""
    federation = stage.federation
    for node in nodes:
        federation.wait_job(f"short-{node}", seconds=PATTERN_SECONDS)
        wait_for(lambda name=f"long-{node}": _told(stage, name), PATTERN_SECONDS, "a job to run")  # type: ignore[misc]
    short = {stage.behind(node).name: _footprint(stage, f"short-{node}") for node in nodes}
    long = {stage.behind(node).name: _footprint(stage, f"long-{node}") for node in nodes}
    federation.process.kill()
    # A Job whose pods its controller does not know yet would get others: it begins with lists in which both stand.
    for member in stage.members:
        member.stop(Part.CONTROLLER_MANAGER)
    declared = {node["metadata"]["name"]: node for node in federation.items("computenodes")}
    kept = Kept(stage.hub, federation.process.ledger, _sequences(stage))
    for prefix, count, patterns in (("ended", ended, short), ("running", running, long)):
        places = [Place(declared[name], stage.behind(name), patterns[stage.behind(name).name]) for name in stage.names]
        kept.make(prefix, count, places)
    for member in stage.members:
        member.start(Part.CONTROLLER_MANAGER)
    until_idle(SETTLING_SECONDS)


def _told(stage: Stage, name: str) -> bool:
    """Whether the job is told to run, and what it has cost: the hub has nothing more to write of it for a while."""
    status = stage.federation.job(name).get("status", {})
    return status.get("phase") == "Running" and "cost" in status


def _dispatch(stage: Stage, job: Object) -> Object:
    (shard,) = job["status"]["shards"]
    return stage.federation.get("dispatches", shard["dispatch"], node_namespace(shard["node"]))


def _footprint(stage: Stage, name: str) -> Footprint:
    """All of the job; of one that ended, once its pod was let go."""
    job = stage.federation.job(name)
    dispatch = _dispatch(stage, job)
    member, place = stage.behind(job["status"]["shards"][0]["node"]), dispatch["spec"]["manifest"]["metadata"]
    wait_for(lambda: _released(_pod(member, place["name"])), PATTERN_SECONDS, f"the pod of {name} to be let go")
    member_job = member.get_json(f"/apis/batch/v1/namespaces/{place['namespace']}/jobs/{place['name']}")
    return Footprint(job, dispatch, member_job, _pod(member, place["name"]))


def _pod(member: Cluster, dispatch: str) -> Object:
    (pod,) = member.get_json(f"/api/v1/pods?labelSelector={LABEL_DISPATCH}={dispatch}")["items"]
    return {"apiVersion": "v1", "kind": "Pod", **pod}


def _released(pod: Object) -> bool:
    """Whether nothing waits for the pod: it runs, or its reading is written."""
    return pod["status"]["phase"] == "Running" or FINALIZER_POD not in pod["metadata"].get("finalizers", ())


def _sequences(stage: Stage) -> dict[str, int]:
    """The highest sequence of each node's Dispatches so far."""
    highest: dict[str, int] = {}
    for dispatch in stage.federation.items("dispatches"):
        node = node_of_namespace(dispatch["metadata"]["namespace"]) or ""
        highest[node] = max(highest.get(node, 0), dispatch["spec"]["sequence"])
    return highest
