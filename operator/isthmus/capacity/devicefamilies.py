"""The DRA drivers whose devices Isthmus knows out of the box, by the attributes that they publish.

Sources: NVIDIA k8s-dra-driver-gpu, ROCm k8s-gpu-dra-driver, Intel resource drivers for Kubernetes (GPU and Gaudi).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from isthmus.api.devices import Device
from isthmus.api.quantities import MEMORY, amount

MODEL_ATTRIBUTES = ("productName", "model")
"""Where most drivers name the model."""
_SPACES = re.compile(r"\s+")
_MODEL_LIMIT = 128
_PROFILE_LIMIT = 63
_MEMORY_LIMIT = 1 << 50  # bytes: more, and no hub would believe any of the profile


@dataclass(frozen=True, slots=True)
class DeviceFamily:
    """How to read the devices of one driver.

    `models` are the attributes that may name the model, the first that is there does, else it is `model`; its spaces
    become `joiner`, as in the label that the vendor puts on machines. `memory` is the capacity that is one device's
    memory. `partition` is the attribute whose value is a partition profile, `whole` are its values for a device that is
    not parted. Names without a domain are of the driver's own.
    """

    vendor: str
    driver: str
    model: str | None = None
    models: tuple[str, ...] = MODEL_ATTRIBUTES
    memory: str = "memory"
    partition: str | None = None
    whole: frozenset[str] = frozenset()
    joiner: str = "-"

    def model_of(self, device: Device) -> str | None:
        """The model of a device; None where nothing tells it."""
        named = next(filter(None, (self._text(device, name) for name in self.models)), None)
        return _SPACES.sub(self.joiner, named.strip())[:_MODEL_LIMIT] if named else self.model

    def memory_of(self, device: Device) -> int | None:
        """The memory of a device in bytes; None where it has none, or what it says can't be."""
        stated = next((device.capacity[n] for n in _spellings(self.driver, self.memory) if n in device.capacity), None)
        size = _bytes(str(stated.value)) if stated is not None else None
        return size if size is not None and 0 < size <= _MEMORY_LIMIT else None

    def profile_of(self, device: Device) -> str | None:
        """The partition profile of a device; None where it is whole."""
        profile = self._text(device, self.partition) if self.partition else None
        return profile[:_PROFILE_LIMIT] if profile and profile not in self.whole else None

    def _text(self, device: Device, name: str) -> str | None:
        there = (device.attributes.get(spelling) for spelling in _spellings(self.driver, name))
        return next((found.string for found in there if found is not None and found.string), None)


def _spellings(driver: str, name: str) -> Iterator[str]:
    yield name
    if "/" not in name:
        yield f"{driver}/{name}"
    elif name.startswith(f"{driver}/"):
        yield name.removeprefix(f"{driver}/")


@lru_cache(maxsize=1024)
def _bytes(text: str) -> int | None:
    try:
        return amount(MEMORY, text)
    except ValueError:
        return None


DEVICE_FAMILIES: tuple[DeviceFamily, ...] = (
    DeviceFamily("NVIDIA", "gpu.nvidia.com", partition="profile"),
    DeviceFamily("AMD", "gpu.amd.com", partition="partitionProfile", whole=frozenset({"spx", "spx_nps1"}), joiner="_"),
    DeviceFamily("Intel", "gpu.intel.com"),
    DeviceFamily("Intel", "gaudi.intel.com", model="Gaudi"),
)
