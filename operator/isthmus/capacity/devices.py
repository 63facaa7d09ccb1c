"""A member's devices as their slices, classes and claims come and go: what each machine has, and what is held."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from isthmus.api.devices import DeviceClass, ResourceClaim, ResourceSlice

from .accelerators import AcceleratorTable
from .claims import Hold, hold_of
from .deviceclasses import NamedClass, assigned, named_classes
from .pools import DeviceId, PoolDevice, pool_devices
from .supply import Supply, supply_of

T = TypeVar("T")
_PoolKey = tuple[str, str]
_ClaimKey = tuple[str, str]
_NONE: Mapping[str, Supply] = MappingProxyType({})


class DeviceTable:
    """Each change costs what changed, but that of a class: it looks at every machine. Nothing here raises.

    `on_supply(machine)` is called when what a machine has may be another, `on_hold(machine)` when what is held of it.
    """

    def __init__(
        self, table: AcceleratorTable, on_supply: Callable[[str], None], on_hold: Callable[[str], None]
    ) -> None:
        self._table = table
        self._on_supply = on_supply
        self._on_hold = on_hold
        self._implicit = False
        self._complete = True
        self._slices: dict[_PoolKey, dict[str, ResourceSlice]] = {}
        self._pool_of: dict[str, _PoolKey] = {}
        self._devices: dict[str, dict[_PoolKey, list[PoolDevice]]] = {}
        self._machines: dict[_PoolKey, set[str]] = {}
        self._classes: dict[str, DeviceClass] = {}
        self._named: tuple[NamedClass, ...] = ()
        self._supplies: dict[str, Mapping[str, Supply]] = {}
        self._machines_of: dict[DeviceId, str] = {}
        self._holds: dict[_ClaimKey, Hold] = {}
        self._holders: dict[DeviceId, set[_ClaimKey]] = {}
        self._claims_of: dict[str, set[_ClaimKey]] = {}

    def upsert_slice(self, new: ResourceSlice) -> None:
        """Take in a slice as it is now."""
        name, key = new.metadata.name, (new.spec.driver, new.spec.pool.name)
        if self._pool_of.get(name, key) != key:
            self.remove_slice(name)
        self._pool_of[name] = key
        self._slices.setdefault(key, {})[name] = new
        self._pool_changed(key)

    def remove_slice(self, name: str) -> None:
        """Take out a slice."""
        key = self._pool_of.pop(name, None)
        if key is None:
            return
        del self._slices[key][name]
        if not self._slices[key]:
            del self._slices[key]
        self._pool_changed(key)

    def upsert_class(self, new: DeviceClass) -> None:
        """Take in a class as it is now."""
        self._classes[new.metadata.name] = new
        self._classes_changed()

    def remove_class(self, name: str) -> None:
        """Take out a class."""
        if self._classes.pop(name, None) is not None:
            self._classes_changed()

    def count_implicit_names(self, *, implicit: bool) -> None:
        """Whether classes without a resource name of their own are to be had all the same."""
        if implicit != self._implicit:
            self._implicit = implicit
            self._classes_changed()

    def set_complete(self, *, complete: bool) -> None:
        """Whether all slices, classes and claims are in; while they are not, nothing counts."""
        if complete != self._complete:
            self._complete = complete
            self._supply_changed(set(self._devices))

    def upsert_claim(self, claim: ResourceClaim) -> None:
        """Take in a claim as it is now."""
        key, hold = (claim.metadata.namespace, claim.metadata.name), hold_of(claim)
        before = self._holds.get(key)
        if before == hold:
            return
        if before is not None:
            self._let_go(key, before)
        if hold is not None:
            self._take(key, hold)
        self._held([device for each in (before, hold) if each is not None for device in each.devices])

    def remove_claim(self, namespace: str, name: str) -> None:
        """Take out a claim."""
        key = namespace, name
        if (hold := self._holds.get(key)) is not None:
            self._let_go(key, hold)
            self._held(hold.devices)

    def _take(self, key: _ClaimKey, hold: Hold) -> None:
        self._holds[key] = hold
        for device in hold.devices:
            self._holders.setdefault(device, set()).add(key)
        if hold.pod is not None:
            self._claims_of.setdefault(hold.pod, set()).add(key)

    def _let_go(self, key: _ClaimKey, hold: Hold) -> None:
        del self._holds[key]
        for device in hold.devices:
            _discard(self._holders, device, key)
        if hold.pod is not None:
            _discard(self._claims_of, hold.pod, key)

    def clear(self) -> None:
        """Forget all of it: nothing of it is known any more."""
        machines = set(self._devices)
        for each in (
            self._slices, self._pool_of, self._devices, self._machines, self._classes, self._machines_of,
            self._holds, self._holders, self._claims_of,
        ):  # fmt: skip
            each.clear()
        self._named = ()
        self._supply_changed(machines)

    def supplies(self, machine: str) -> Mapping[str, Supply]:
        """What a machine has, by resource name."""
        found = self._supplies.get(machine)
        if found is not None:
            return found
        pools = self._devices.get(machine) if self._complete else None
        if not pools:
            return _NONE  # not kept: most machines have none, and one that goes is not told of here
        found = self._supplies[machine] = self._supplied(pools.values())
        return found

    def holds_for(self, pod: str) -> bool:
        """Whether a claim that was made for the pod's extended resources holds devices."""
        return pod in self._claims_of

    def taken(self, machine: str, counts: Callable[[str], bool]) -> tuple[Counter[str], set[str]]:
        """How many devices are held by resource name, each once, and the pods for whose extended resources some are.

        A claim made for such a pod is passed over unless the pod `counts`.
        """
        taken: Counter[str] = Counter()
        pods: set[str] = set()
        for resource, supply in self.supplies(machine).items():
            for mates in supply.devices.values():
                held = False
                for key in (key for device in mates for key in self._holders.get(device, ())):
                    pod = self._holds[key].pod
                    if pod is None:
                        held = True
                    elif counts(pod):
                        held = True
                        pods.add(pod)
                taken[resource] += held
        return taken, pods

    def _supplied(self, pools: Iterable[list[PoolDevice]]) -> Mapping[str, Supply]:
        found: dict[str, Supply] = {}
        for resource, devices in assigned([each for pool in pools for each in pool], self._named).items():
            drivers = {each.driver for each in devices}
            family = self._table.device_family(drivers.pop()) if len(drivers) == 1 else None
            supply = supply_of(family, devices)
            if supply is not None:
                found[resource] = supply
        return found

    def _pool_changed(self, key: _PoolKey) -> None:
        before = self._machines.pop(key, set())
        for machine in before:
            for device in self._devices[machine].pop(key):
                del self._machines_of[device.id]
            if not self._devices[machine]:
                del self._devices[machine]
        for device in pool_devices(self._slices.get(key, {}).values()):
            self._devices.setdefault(device.machine, {}).setdefault(key, []).append(device)
            self._machines.setdefault(key, set()).add(device.machine)
            self._machines_of[device.id] = device.machine
        self._supply_changed(before | self._machines.get(key, set()))

    def _classes_changed(self) -> None:
        self._named = named_classes(self._classes.values(), self._table.is_accelerator, implicit=self._implicit)
        self._supply_changed(set(self._devices))

    def _supply_changed(self, machines: set[str]) -> None:
        for machine in machines:
            before = self._supplies.pop(machine, None)
            if before is None or self.supplies(machine) != before:
                self._on_supply(machine)

    def _held(self, devices: Iterable[DeviceId]) -> None:
        for machine in {machine for device in devices for machine in self._reached(device)}:
            self._on_hold(machine)

    def _reached(self, device: DeviceId) -> Iterable[str]:
        """The machines on which it may matter that the device is held: by itself, or as a rival of others."""
        known = self._machines_of.get(device)
        return self._machines.get(device[:2], ()) if known is None else (known,)


def _discard(index: dict[T, set[_ClaimKey]], at: T, key: _ClaimKey) -> None:
    index[at].discard(key)
    if not index[at]:
        del index[at]
