"""Fills the hub: jobs that run and one finished job for each API server for real, the other finished ones after those.

When it is done the hub's process is stopped.
"""

import asyncio
from collections.abc import Mapping

from federation.manifests import Object
from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH, node_of_namespace
from start.kept import Kept, Place
from start.machines import until_idle
from start.pattern import Ended
from start.stage import Stage
from start.work import LONG_SECONDS, client_of, create
from testbed import Cluster, wait_for

CONCURRENCY = 16
PATTERN_SECONDS = 120.0
RUNNING_SECONDS = 900.0
LOOK_SECONDS = 3.0
# The members' controllers look at each finished job once.
SETTLING_SECONDS = 60.0


async def fill(stage: Stage, ended: int, running: int) -> None:
    """Have so many jobs ended and running, and the hub's process stopped. DeadlineError, ClusterError, LedgerError."""
    patterns = {name: f"pattern-{stage.behind(name).name}" for name in stage.names[: len(stage.members)]}
    async with client_of(stage.hub) as hub:
        for node, job in patterns.items():
            await create(hub, job, run_seconds="1", node=node)
        slots = asyncio.Semaphore(CONCURRENCY)

        async def begin(number: int) -> None:
            async with slots:
                node = stage.names[number % len(stage.names)]
                await create(hub, f"running-{number:05}", run_seconds=LONG_SECONDS, node=node)

        await asyncio.gather(*(begin(number) for number in range(running)))
    await asyncio.to_thread(_finish, stage, patterns, ended, running)


def _finish(stage: Stage, patterns: Mapping[str, str], ended: int, running: int) -> None:
    """Wait for what runs for real, stop the hub, and make the rest."""
    federation = stage.federation
    found = {}
    for node, job in patterns.items():
        federation.wait_job(job, seconds=PATTERN_SECONDS)
        found[stage.behind(node).name] = _ended(stage, job)

    def all_run() -> bool:
        phases = [job.get("status", {}).get("phase") for job in federation.items("computejobs")]
        return phases.count("Running") >= running

    wait_for(all_run, RUNNING_SECONDS, f"{running} jobs to run", interval_seconds=LOOK_SECONDS)
    federation.process.stop()
    nodes = {node["metadata"]["name"]: node for node in federation.items("computenodes")}
    behind = {name: stage.behind(name) for name in stage.names}
    places = [Place(nodes[name], cluster, found[cluster.name]) for name, cluster in behind.items()]
    Kept(stage.hub, places, federation.process.ledger, _sequences(stage)).make("ended", ended)
    until_idle(SETTLING_SECONDS)


def _ended(stage: Stage, name: str) -> Ended:
    """All of the job, once its pod was let go."""
    job = stage.federation.job(name)
    (shard,) = job["status"]["shards"]
    member = stage.behind(shard["node"])
    dispatch = stage.federation.get("dispatches", shard["dispatch"], f"isthmus-node-{shard['node']}")
    place = dispatch["spec"]["manifest"]["metadata"]
    member_job = member.get_json(f"/apis/batch/v1/namespaces/{place['namespace']}/jobs/{place['name']}")
    wait_for(lambda: _let_go(_pod(member, place["name"])), PATTERN_SECONDS, f"the pod of {name} to be let go")
    return Ended(job, dispatch, member_job, _pod(member, place["name"]))


def _pod(member: Cluster, dispatch: str) -> Object:
    (pod,) = member.get_json(f"/api/v1/pods?labelSelector={LABEL_DISPATCH}={dispatch}")["items"]
    return {"apiVersion": "v1", "kind": "Pod", **pod}


def _let_go(pod: Object) -> bool:
    return FINALIZER_POD not in pod["metadata"].get("finalizers", ())


def _sequences(stage: Stage) -> dict[str, int]:
    """The highest sequence of each node's Dispatches so far."""
    highest: dict[str, int] = {}
    for dispatch in stage.federation.items("dispatches"):
        node = node_of_namespace(dispatch["metadata"]["namespace"]) or ""
        highest[node] = max(highest.get(node, 0), dispatch["spec"]["sequence"])
    return highest
