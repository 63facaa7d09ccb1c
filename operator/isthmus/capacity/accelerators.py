"""Resource names and node labels to accelerators: what a machine's `nvidia.com/gpu: 8` really is."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .families import FAMILIES, GIBIBYTE, MEBIBYTE, Family, MemoryLabel, ModelLabel
from .profile import Accelerator, NodeLabel

UNKNOWN_MODEL = "unknown"
SHARED = "shared"
_PROFILE_LIMIT = 63
_UNITS = {"B": 1, "MiB": MEBIBYTE, "GiB": GIBIBYTE}
_SUFFIXES = {"K": 1 << 10, "M": MEBIBYTE, "G": GIBIBYTE, "T": 1 << 40}
_MEMORY = re.compile(r"([0-9]{1,15})(?:([KMGT])i?B?)?")
_SEPARATORS = re.compile(r"[-_\s/]+")
# A member names its resources as it likes; what was looked up is kept for this many names.
_NAMES_KEPT = 4096

_Name = Annotated[str, Meta(min_length=1, max_length=63)]
_Key = Annotated[str, Meta(min_length=1, max_length=317)]


class AcceleratorEntry(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An administrator's own entry: how to read one resource name, or all that a pattern with `*` covers."""

    resource_name: _Key
    vendor: _Name
    model: _Name = UNKNOWN_MODEL
    model_label: _Key | None = None
    memory_label: _Key | None = None
    memory_unit: Literal["B", "MiB", "GiB"] = "MiB"
    partition_profile: _Name | None = None

    def family(self) -> Family:
        """The entry as the table keeps it."""
        return Family(
            self.vendor,
            re.compile(translate(self.resource_name)),
            model=self.model,
            profile=self.partition_profile,
            model_labels=(ModelLabel(self.model_label),) if self.model_label else (),
            memory_labels=(MemoryLabel(self.memory_label, _UNITS[self.memory_unit]),) if self.memory_label else (),
        )


class AcceleratorTable:
    """Looks up resource names in families, the first that matches wins."""

    def __init__(self, families: Sequence[Family] = FAMILIES) -> None:
        self._families = tuple(families)
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
        own.sort(key=lambda entry: "*" in entry.resource_name)
        return AcceleratorTable((*(entry.family() for entry in own), *self._families))

    def is_accelerator(self, resource_name: str) -> bool:
        """Whether the resource is counted as accelerators."""
        return self._find(resource_name) is not None

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
        model, profile, shared = named.get("model"), named.get("profile"), named.get("shared") is not None
        model = _cased(model) if model else family.model
        profile = profile or family.profile
        label: NodeLabel | None = None
        for candidate in family.model_labels:
            key = _key(candidate.key, match)
            value = machine_labels.get(key, "")
            if value and (reading := candidate.pattern.fullmatch(value)):
                label = (key, value)
                read = reading.groupdict()
                model = read["model"]
                profile = profile or read.get("profile")
                shared = shared or read.get("shared") is not None
                break
        memory, memory_label = _memory(family, match, machine_labels)
        partition_label = _partition(family, machine_labels)
        if partition_label is not None:
            profile = profile or partition_label[1]
        if shared:
            profile = SHARED if profile is None else f"{profile}-{SHARED}"
        if not model.casefold().startswith(family.prefix.casefold()):
            model = family.prefix + model
        others = (pair for pair in (memory_label, partition_label) if pair is not None)
        return Accelerator(
            vendor=family.vendor,
            resource_name=resource_name,
            model=model,
            memory_bytes=memory,
            partition_profile=profile and profile[:_PROFILE_LIMIT],
            label=label,
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


def _cased(model: str) -> str:
    """A model taken from a resource name, which is lower case with some vendors."""
    return model if model != model.lower() else model.upper() if not model.startswith("ascend") else model.capitalize()


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
