"""Resource names and node labels to accelerators: what a machine's `nvidia.com/gpu: 8` really is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .devicefamilies import DEVICE_FAMILIES, MODEL_ATTRIBUTES, DeviceFamily
from .families import FAMILIES, GIBIBYTE, MEBIBYTE, Family, MemoryLabel, ModelLabel
from .profile import Accelerator, NodeLabel
from .shares import Shares

UNKNOWN_MODEL = "unknown"
SHARED = "shared"
_PROFILE_LIMIT = 63
_UNITS = {"B": 1, "MiB": MEBIBYTE, "GiB": GIBIBYTE}
_SUFFIXES = {"K": 1 << 10, "M": MEBIBYTE, "G": GIBIBYTE, "T": 1 << 40}
_MEMORY = re.compile(r"([0-9]{1,15})(?:([KMGT])i?B?)?")
_SEPARATORS = re.compile(r"[-_\s]+")
# A member names its resources as it likes; what was looked up is kept for this many names.
_NAMES_KEPT = 4096

_Name = Annotated[str, Meta(min_length=1, max_length=63)]
_Key = Annotated[str, Meta(min_length=1, max_length=317)]


class SharesEntry(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An administrator's own shares: the resources that ask for a part of one card, and HAMi's annotations."""

    memory: _Key
    percentage: _Key | None = None
    cores: _Key | None = None
    node_annotation: _Key | None = None
    pod_annotation: _Key | None = None


class DevicesEntry(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An administrator's own driver of Dynamic Resource Allocation: which of its devices' attributes tell what."""

    driver: _Name
    model_attribute: _Key | None = None
    memory_capacity: _Key = "memory"
    partition_attribute: _Key | None = None


class AcceleratorEntry(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An administrator's own entry: how to read one resource name, or all that a pattern with `*` covers."""

    resource_name: _Key
    vendor: _Name
    model: _Name = UNKNOWN_MODEL
    model_label: _Key | None = None
    memory_label: _Key | None = None
    memory_unit: Literal["B", "MiB", "GiB"] = "MiB"
    partition_profile: _Name | None = None
    shares: SharesEntry | None = None
    devices: DevicesEntry | None = None

    def device_family(self) -> DeviceFamily | None:
        """How the devices of its driver are read, where it names one."""
        if self.devices is None:
            return None
        model = self.model if self.model != UNKNOWN_MODEL else None
        own = (self.devices.model_attribute,) if self.devices.model_attribute else ()
        return DeviceFamily(
            self.vendor,
            self.devices.driver,
            model,
            own or MODEL_ATTRIBUTES,
            self.devices.memory_capacity,
            self.devices.partition_attribute,
        )

    def family(self) -> Family:
        """The entry as the table keeps it."""
        return Family(
            self.vendor,
            re.compile(translate(self.resource_name)),
            model=self.model,
            profile=self.partition_profile,
            model_labels=(ModelLabel(self.model_label),) if self.model_label else (),
            memory_labels=(MemoryLabel(self.memory_label, _UNITS[self.memory_unit]),) if self.memory_label else (),
            shares=Shares(**msgspec.structs.asdict(self.shares)) if self.shares else None,
        )


class AcceleratorTable:
    """Looks up resource names in families, and DRA drivers in theirs; the first that matches wins."""

    def __init__(
        self, families: Sequence[Family] = FAMILIES, device_families: Sequence[DeviceFamily] = DEVICE_FAMILIES
    ) -> None:
        self._families = tuple(families)
        self._device_families = tuple(device_families)
        self._found: dict[str, tuple[Family, re.Match[str]] | None] = {}

    @classmethod
    def default(cls) -> "AcceleratorTable":
        """The table of what is known out of the box."""
        return cls()

    def extended(self, entries: Sequence[Mapping[str, object]]) -> "AcceleratorTable":
        """This table with entries (as `AcceleratorEntry`, camelCase) that go before its own.

        Raises ValueError (msgspec.ValidationError) that names the wrong field.
        """
        own = msgspec.convert(list(entries), list[AcceleratorEntry])
        # An exact name is more than a pattern, wherever in the list it stands.
        own.sort(key=lambda entry: any(sign in entry.resource_name for sign in "*?["))
        drivers = [found for entry in own if (found := entry.device_family()) is not None]
        return AcceleratorTable(
            (*(entry.family() for entry in own), *self._families), (*drivers, *self._device_families)
        )

    def is_accelerator(self, resource_name: str) -> bool:
        """Whether the resource is counted as accelerators."""
        return self._find(resource_name) is not None

    def device_family(self, driver: str) -> DeviceFamily | None:
        """How the devices of a DRA driver are read; None where it is not known as one of accelerators."""
        return next((family for family in self._device_families if family.driver == driver), None)

    def shares(self, resource_name: str) -> Shares | None:
        """The resources that ask for a part of one of the cards that this resource counts."""
        found = self._find(resource_name)
        return found[0].shares.of(resource_name) if found is not None and found[0].shares else None

    def model_label(self, resource_name: str) -> str | None:
        """The node label that names the model of machines with the resource, where the vendor sets one."""
        found = self._find(resource_name)
        if found is None or not found[0].model_labels:
            return None
        return _key(found[0].model_labels[0].key, found[1])

    def classify(self, resource_name: str, machine_labels: Mapping[str, str]) -> Accelerator | None:
        """What a machine with these labels holds under the resource name; None where it is no accelerator."""
        found = self._find(resource_name)
        if found is None:
            return None
        family, match = found
        named = match.groupdict()
        read = _read_label(family, match, machine_labels)
        memory, memory_label = _memory(family, match, machine_labels)
        partition_label = _partition(family, machine_labels)
        profiles = (named.get("profile"), family.profile, read.profile, partition_label and partition_label[1])
        shared = named.get("shared") is not None or read.shared
        others = (pair for pair in (memory_label, partition_label) if pair is not None)
        return Accelerator(
            vendor=family.vendor,
            resource_name=resource_name,
            model=_model(family, read.model or _cased(named.get("model"))),
            memory_bytes=memory,
            partition_profile=_profile(family, next(filter(None, profiles), None), shared=shared),
            label=read.label,
            other_labels=tuple(sorted(others)),
        )

    def _find(self, resource_name: str) -> tuple[Family, re.Match[str]] | None:
        if "/" not in resource_name:
            return None
        if resource_name not in self._found:
            if len(self._found) >= _NAMES_KEPT:
                self._found.clear()
            matches = ((family, family.resource.fullmatch(resource_name)) for family in self._families)
            self._found[resource_name] = next(((f, m) for f, m in matches if m), None)
        return self._found[resource_name]


def model_matches(request: str, model: str) -> bool:
    """Whether a requested model is the model: its words stand in it one after another, in any case.

    A100 is NVIDIA-A100-SXM4-80GB, and so is A100-SXM4; A10 is not.
    """
    asked, there = _words(request), _words(model)
    return bool(asked) and any(there[i : i + len(asked)] == asked for i in range(len(there) - len(asked) + 1))


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text.casefold()) if word]


@dataclass(frozen=True, slots=True)
class _Read:
    """What the label that names the model says."""

    label: NodeLabel | None = None
    model: str | None = None
    profile: str | None = None
    shared: bool = False


def _read_label(family: Family, match: re.Match[str], labels: Mapping[str, str]) -> _Read:
    for candidate in family.model_labels:
        key = _key(candidate.key, match)
        if reading := candidate.pattern.fullmatch(labels.get(key, "")):
            groups = reading.groupdict()
            return _Read((key, labels[key]), groups["model"], groups.get("profile"), groups.get("shared") is not None)
    return _Read()


def _cased(model: str | None) -> str | None:
    """A model taken from a resource name, which some vendors write in lower case."""
    if model is None or model != model.lower():
        return model
    return model.upper()


def _model(family: Family, found: str | None) -> str:
    if found is None:
        return family.model
    return found if found.startswith(family.prefix) else family.prefix + found


def _profile(family: Family, found: str | None, *, shared: bool) -> str | None:
    parts = [part for part in (found,) if part is not None and part not in family.whole]
    return "-".join([*parts, SHARED] if shared else parts)[:_PROFILE_LIMIT] or None


def _key(key: str, match: re.Match[str]) -> str:
    return key.replace("{resource}", match.groupdict().get("name") or match.string)


def _memory(family: Family, match: re.Match[str], labels: Mapping[str, str]) -> tuple[int | None, NodeLabel | None]:
    for candidate in family.memory_labels:
        key = _key(candidate.key, match)
        if reading := _MEMORY.fullmatch(labels.get(key, "")):
            number, suffix = reading.groups()
            size = int(number) * (_SUFFIXES[suffix] if suffix else candidate.unit)
            if size:
                return size, (key, labels[key])
    return None, None


def _partition(family: Family, labels: Mapping[str, str]) -> NodeLabel | None:
    return next(((key, labels[key]) for key in family.partition_labels if labels.get(key)), None)
