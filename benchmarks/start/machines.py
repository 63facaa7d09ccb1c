"""Heartbeats of machines: the status that every kubelet writes each five minutes even where nothing has changed."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from isthmus.clusters import NODES, Client

HEARTBEATS_AN_HOUR = 12


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
