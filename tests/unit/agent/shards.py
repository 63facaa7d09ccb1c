"""What tests of shards with a fence ask of a world."""

import asyncio
from typing import Any

from tests.unit.agent.world import SPACE, TENANT, Process, World, stamp

from isthmus.clusters import DISPATCHES, JOBS, PODS
from isthmus.clusters.fake import Call

FENCE = 20


def clock_seconds() -> float:
    """The simulation's time."""
    return asyncio.get_running_loop().time()


def member_job(world: World, name: str) -> dict[str, Any]:
    """The Job of a Dispatch, which must be there."""
    found = world.member.object(JOBS, name, TENANT)
    assert found is not None
    return found


def running_pods(world: World) -> int:
    """How many pods run in the member."""
    return sum(1 for pod in world.objects(PODS) if pod["status"]["phase"] == "Running")


def limits_written(process: Process) -> list[Call]:
    """Every write of a Job after its creation."""
    return [call for call in process.writes if call.verb == "patch" and call.resource == JOBS]


def give_up(world: World, name: str, reason: str = "Fenced") -> None:
    """What the hub's verdict writes."""
    world.desire(name, "Cancelled")
    found = world.hub.object(DISPATCHES, name, SPACE)
    assert found is not None
    verdict = {"state": "Lost", "reason": reason, "message": "out of reach", "active": 0, "armed": False}
    verdict["completionTime"] = stamp()
    world.hub.put(DISPATCHES, {**found, "status": {**found["status"], **verdict}})


def late_seconds(world: World, name: str) -> int:
    """Core-seconds that were told as late."""
    reading = world.shown(name).status.reading
    return next((q.quantity // 1000 for q in reading.late if q.meter == "MillicoreSeconds"), 0) if reading else 0
