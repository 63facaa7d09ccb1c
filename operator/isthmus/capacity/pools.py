"""ResourceSlices to the devices of each machine, as kube-scheduler gathers them.

As `GatherPools` of Kubernetes 1.36 (k8s.io/dynamic-resource-allocation/structured): of a pool only the newest
generation counts, nothing of it while slices are missing, and nothing where a name comes twice.
"""

from collections.abc import Collection
from dataclasses import dataclass

from isthmus.api.devices import Device, ResourceSlice

DeviceId = tuple[str, str, str]
"""Driver, pool and name of a device."""

POOL_LIMIT = 65_536
"""Devices of one pool; of a larger one nothing counts."""
_KEEPS_OFF = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True, slots=True)
class PoolDevice:
    """A device on one machine. While any of its `rivals` is held, counters that it shares with them are taken."""

    id: DeviceId
    machine: str
    device: Device
    rivals: frozenset[DeviceId] = frozenset()

    @property
    def driver(self) -> str:
        """Whose it is."""
        return self.id[0]


def pool_devices(slices: Collection[ResourceSlice]) -> tuple[PoolDevice, ...]:
    """The devices of one pool that pods may have, of those that are bound to one machine by its name.

    Devices that several machines reach are left out: which of these has them is open. So are tainted ones, which only
    a claim with a toleration gets.
    """
    newest = max((each.spec.pool.generation for each in slices), default=0)
    current = [each for each in slices if each.spec.pool.generation == newest]
    if any(each.spec.pool.resource_slice_count != len(current) for each in current):
        return ()
    there = {device.name: (each, device) for each in current for device in each.spec.devices}
    count = sum(len(each.spec.devices) for each in current)
    if len(there) < count or count > POOL_LIMIT:
        return ()
    sharing = _sharing(current)
    found: list[PoolDevice] = []
    for each, device in there.values():
        machine = device.node_name if each.spec.per_device_node_selection else each.spec.node_name
        if machine and not any(taint.effect in _KEEPS_OFF for taint in device.taints):
            own = _id(each, device)
            mates = (sharing[consumed.counter_set] for consumed in device.consumes_counters)
            found.append(PoolDevice(own, machine, device, frozenset().union(*mates) - {own}))
    return tuple(found)


def _sharing(slices: Collection[ResourceSlice]) -> dict[str, set[DeviceId]]:
    """The devices that take of each set of counters, tainted ones too."""
    sharing: dict[str, set[DeviceId]] = {}
    for each in slices:
        for device in each.spec.devices:
            for consumed in device.consumes_counters:
                sharing.setdefault(consumed.counter_set, set()).add(_id(each, device))
    return sharing


def _id(resource_slice: ResourceSlice, device: Device) -> DeviceId:
    return resource_slice.spec.driver, resource_slice.spec.pool.name, device.name
