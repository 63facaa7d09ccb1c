"""A member's devices by watch: read where it has and shows them, and no burden where it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from isthmus.agent.devices import DeviceWatch
from isthmus.capacity import DeviceTable, MachineTable
from isthmus.clusters import (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCESLICES,
    ClusterError,
    FakeCluster,
    Forbidden,
    Resource,
    UnexpectedAnswer,
    Unreachable,
)
from isthmus.clusters.fake import Call
from testbed.devices import DRIVER, EXTENDED_RESOURCE, device_class, gpus

pytestmark = pytest.mark.simulated_time
KINDS = {RESOURCESLICES, DEVICECLASSES, RESOURCECLAIMS}
HOUR = 3600.0
DENIED = Forbidden(403, "Forbidden", "not allowed")


class World:
    """A member with two GPUs by a slice, and what is known of it."""

    def __init__(self) -> None:
        self.member = FakeCluster("member")
        self.member.put(RESOURCESLICES, gpus("a", 2))
        self.member.put(DEVICECLASSES, device_class())
        self.devices: DeviceTable = MachineTable().devices
        self.changes = 0
        self.watch = DeviceWatch(self.member, self.devices, self._changed, longest_pause_seconds=5.0)

    def _changed(self) -> None:
        self.changes += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The watch goes on until the test is done with it."""
        task = asyncio.create_task(self.watch.run())
        try:
            await self.watch.wait_settled()
            yield
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def counted(self) -> int:
        """GPUs that are free on the machine."""
        supply = self.devices.supplies("a").get(EXTENDED_RESOURCE)
        return 0 if supply is None else supply.count - self.devices.taken("a", lambda _: True)[0][EXTENDED_RESOURCE]

    def asked(self) -> int:
        """Requests for devices, or whether there are any, so far."""
        return sum(1 for call in self.member.calls if call.resource in KINDS or call.verb == "probe")


def of_devices(call: Call) -> bool:
    """Whether a call is for what may be denied."""
    return call.resource in KINDS


async def test_devices_are_followed() -> None:
    """What is there counts when the watch is settled, and each change of slices, classes and claims as it comes."""
    world = World()
    async with world.running():
        assert world.counted() == 2
        world.member.put(RESOURCESLICES, gpus("a", 3))
        await asyncio.sleep(1)
        assert world.counted() == 3
        result = {"driver": DRIVER, "pool": "a", "device": "gpu-1", "request": "r"}
        status = {"allocation": {"devices": {"results": [result]}}}
        world.member.put(RESOURCECLAIMS, {"metadata": {"name": "c", "namespace": "default"}, "status": status})
        await asyncio.sleep(1)
        assert world.counted() == 2
        world.member.remove(RESOURCECLAIMS, "c", "default")
        await asyncio.sleep(1)
        assert world.counted() == 3
        changes = world.changes
        world.member.remove(DEVICECLASSES, DRIVER)
        await asyncio.sleep(1)
        assert world.counted() == 0
        world.member.remove(RESOURCESLICES, gpus("a", 2)["metadata"]["name"])
        await asyncio.sleep(1)
        assert world.changes == changes + 2


async def test_a_member_without_drivers_costs_one_watch() -> None:
    """While nobody publishes devices, neither classes nor claims are read; from when somebody does, they are."""
    world = World()
    world.member.remove(RESOURCESLICES, gpus("a", 2)["metadata"]["name"])
    async with world.running():
        await asyncio.sleep(HOUR)
        assert {call.resource for call in world.member.calls if of_devices(call)} == {RESOURCESLICES}
        world.member.put(RESOURCESLICES, gpus("a", 2))
        await asyncio.sleep(1)
        assert world.counted() == 2


@pytest.mark.parametrize("error", [UnexpectedAnswer("404 page not found"), DENIED], ids=["not served", "denied"])
async def test_a_member_without_the_api_is_seldom_asked(error: ClusterError) -> None:
    """Where the API is not served, nothing of it is listed, and within an hour one asks again some few times."""
    world = World()
    world.member.fail(lambda call: call.verb == "probe" and "resource.k8s.io" in str(call.name), error, times=None)
    async with world.running():
        await asyncio.sleep(HOUR)
        assert world.asked() < 15
        assert not any(call.resource in KINDS for call in world.member.calls)


@pytest.mark.parametrize("denied", [KINDS, {RESOURCECLAIMS}], ids=["all", "claims"])
async def test_a_member_that_denies_devices_is_seldom_asked_until_it_allows_them(denied: set[Resource]) -> None:
    """Where reading is not allowed there is no error loop; once it is, devices count without a restart."""
    world = World()
    world.member.fail(lambda call: call.resource in denied, DENIED, times=None)
    async with world.running():
        await asyncio.sleep(HOUR)
        assert world.counted() == 0
        assert world.asked() < 100
        world.member.heal()
        await asyncio.sleep(601)
        assert world.counted() == 2


async def test_a_denial_in_passing_changes_nothing() -> None:
    """An API server that has just started may deny what it allows a moment later: what was known stays, and goes on."""
    world = World()
    async with world.running():
        world.member.fail(of_devices, DENIED, times=None)
        world.member.end_watches(Unreachable("gone"))
        await asyncio.sleep(8)
        assert world.counted() == 2
        world.member.heal()
        world.member.remove(RESOURCESLICES, gpus("a", 2)["metadata"]["name"])
        await asyncio.sleep(30)
        assert world.counted() == 0
        world.member.put(RESOURCESLICES, gpus("a", 1))
        await asyncio.sleep(1)
        assert world.counted() == 1


async def test_devices_that_may_be_read_no_more_are_forgotten() -> None:
    """Where the right is taken away for good, nothing counts that nobody can see any more."""
    world = World()
    async with world.running():
        world.member.fail(of_devices, DENIED, times=None)
        world.member.end_watches(Unreachable("gone"))
        await asyncio.sleep(120)
        assert world.counted() == 0
        world.member.heal()
        await asyncio.sleep(601)
        assert world.counted() == 2


async def test_an_outage_is_waited_out() -> None:
    """While the member is away what was known stays; what changed meanwhile is read when it is back."""
    world = World()
    async with world.running():
        world.member.disconnect()
        await asyncio.sleep(HOUR)
        assert world.counted() == 2
        world.member.put(RESOURCESLICES, gpus("a", 5))
        world.member.heal()
        await asyncio.sleep(30)
        assert world.counted() == 5


async def test_a_member_that_is_away_at_first_keeps_nobody_waiting() -> None:
    """Devices that can't be read at the start are no reason to wait; they count when they are there."""
    world = World()
    world.member.disconnect()
    async with world.running():
        assert world.counted() == 0
        world.member.heal()
        await asyncio.sleep(30)
        assert world.counted() == 2


@pytest.mark.parametrize(("minor", "counts"), [("35", 0), ("36+", 2), ("", 0)])
async def test_implicit_names_count_where_kubernetes_has_them(minor: str, counts: int) -> None:
    """A class without a resource name is to be had by its own from Kubernetes 1.36 on."""
    world = World()
    world.member.put(DEVICECLASSES, device_class() | {"spec": device_class(extended_resource=None)["spec"]})
    world.member.version["minor"] = minor
    async with world.running():
        supply = world.devices.supplies("a").get(f"deviceclass.resource.kubernetes.io/{DRIVER}")
        assert (supply.count if supply is not None else 0) == counts
