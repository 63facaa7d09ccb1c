"""What of one machine's devices pods may be given under one resource name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from isthmus.api.devices import Device

from .accelerators import UNKNOWN_MODEL
from .devicefamilies import DeviceFamily
from .pools import DeviceId, PoolDevice
from .profile import Accelerator

MIXED = "mixed"
DEVICE_LIMIT = 512
"""Devices of one machine under one resource name; more are not counted."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Devices on one machine, by id, each with those of which it can't be given out any more once one is held.

    Pods are given any of them, so that `model`, `memory_bytes` and `profile` are what all of them have: devices of
    several models have none that is known, and the memory is the least of any. `vendor` is None where the driver is not
    known.
    """

    devices: Mapping[DeviceId, frozenset[DeviceId]]
    vendor: str | None
    model: str | None
    memory_bytes: int | None
    profile: str | None

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.devices)

    def accelerator(self, resource: str, told: Accelerator | None) -> Accelerator | None:
        """These devices as an accelerator; `told` is what the machine's labels say of the resource.

        A label that names the model is the better word for it, where all devices are of one model: an affinity to it
        leads to them. None where neither the driver nor the resource is known as an accelerator's.
        """
        if told is None and self.vendor is None:
            return None
        found = told or Accelerator(self.vendor or "", resource, UNKNOWN_MODEL)
        alike = self.model != UNKNOWN_MODEL and self.profile != MIXED
        if not alike or found.label is None:
            found = replace(found, model=self.model or found.model, label=None, other_labels=())
        return replace(
            found,
            vendor=self.vendor or found.vendor,
            memory_bytes=self.memory_bytes if self.memory_bytes is not None else found.memory_bytes,
            partition_profile=self.profile or found.partition_profile,
        )


def supply_of(family: DeviceFamily | None, devices: Sequence[PoolDevice]) -> Supply | None:
    """The supply of devices of one machine and resource; None where none of them counts.

    `family` is that of their driver; what others publish is read by the names that most use.

    Devices that share counters are parts of one piece of hardware, cut as they are asked for: parted ones don't count,
    as nobody knows how many there will be, and of whole ones one does.
    """
    reader = family or DeviceFamily("", next((each.driver for each in devices), ""))
    counted: dict[DeviceId, frozenset[DeviceId]] = {}
    kept: list[Device] = []
    for each in sorted(devices, key=lambda each: each.id):
        parted = each.rivals and reader.profile_of(each.device) is not None
        if parted or each.rivals & counted.keys() or len(counted) >= DEVICE_LIMIT:
            continue
        counted[each.id] = each.rivals | {each.id}
        kept.append(each.device)
    if not counted:
        return None
    memory = [reader.memory_of(device) for device in kept]
    stated = [size for size in memory if size is not None]
    return Supply(
        devices=counted,
        vendor=family.vendor if family else None,
        model=_common([reader.model_of(device) for device in kept], UNKNOWN_MODEL),
        memory_bytes=min(stated) if len(stated) == len(memory) else None,
        profile=_common([reader.profile_of(device) for device in kept], MIXED),
    )


def _common(values: Iterable[str | None], several: str) -> str | None:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else several
