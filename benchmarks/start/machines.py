"""Heartbeats of the members' machines, and when this machine itself has nothing more to do."""

import asyncio
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from isthmus.clusters import NODES, Client

# The status that every kubelet writes each five minutes, even where nothing has changed.
HEARTBEATS_AN_HOUR = 12
# Idle is what uses less than this part of all processors for so many seconds.
IDLE_SHARE = 0.3
IDLE_FOR_SECONDS = 5.0


async def beat(members: Iterable[Client]) -> int:
    """Write a heartbeat of each machine; how many there were."""
    return sum(await asyncio.gather(*(_beat_of(member) for member in members)))


async def _beat_of(member: Client) -> int:
    machines = (await member.list(NODES)).items
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for machine in machines:
        conditions = [{**each, "lastHeartbeatTime": now} for each in machine["status"]["conditions"]]
        body = {"status": {"conditions": conditions}}
        await member.patch(NODES, machine["metadata"]["name"], None, body, subresource="status")
    return len(machines)


def until_idle(longest_seconds: float) -> None:
    """Return once this machine is idle, or after so long where others keep it busy."""
    end = time.monotonic() + longest_seconds
    while time.monotonic() < end:
        before = busy_seconds()
        time.sleep(IDLE_FOR_SECONDS)
        if busy_seconds() - before < IDLE_SHARE * IDLE_FOR_SECONDS * (os.cpu_count() or 1):
            return


def busy_seconds() -> float:
    """Seconds that processors have worked since this machine started, all of them together."""
    return busy_seconds_in(Path("/proc/stat").read_text(encoding="utf-8"), os.sysconf("SC_CLK_TCK"))


def busy_seconds_in(stat: str, ticks: int) -> float:
    """The same from the text of /proc/stat: all but what was idle and what waited for disks."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, stat.splitlines()[0].split()[1:8])
    return (user + nice + system + sum(interrupts)) / ticks
