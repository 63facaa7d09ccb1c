"""Kubernetes quantities as exact integers: millicores for cpu, base units for everything else."""

import re
from collections.abc import Mapping
from fractions import Fraction
from math import ceil

Resources = Mapping[str, int]
"""Amounts by resource name: `cpu` in millicores, memory and storage in bytes, all others in units."""

CPU = "cpu"
MEMORY = "memory"
PODS = "pods"
MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30

LARGEST = Fraction(2**63 - 1)
"""What Kubernetes takes any larger quantity for."""

_BYTES = frozenset({MEMORY, "ephemeral-storage", "storage"})
_SUFFIXES = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{s: Fraction(10 ** (3 * i)) for i, s in enumerate("kMGTPE", 1)},
    **{f"{s}i": Fraction(1024**i) for i, s in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]{1,3})|(n|u|m|k|[MGTPE]i?|Ki))?$")


def parse(text: str | float) -> Fraction:
    """The exact value of a quantity such as 500m, 1.5Gi or 2e3, LARGEST at most. Raises ValueError for what is none."""
    match = _QUANTITY.match(str(text))
    if match is None:
        raise ValueError(f"{text!r} is no Kubernetes quantity")
    number, exponent, suffix = match.groups()
    return min(Fraction(number + (exponent or "")) * _SUFFIXES[suffix or ""], LARGEST)


def amount(resource: str, text: str | float) -> int:
    """The quantity in the resource's unit (millicores for cpu), rounded up as Kubernetes does."""
    return ceil(parse(text) * (1000 if resource == CPU else 1))


def amounts(quantities: Mapping[str, str | float]) -> dict[str, int]:
    """A resource list as integers."""
    return {name: amount(name, text) for name, text in quantities.items()}


def text(resource: str, value: int) -> str:
    """The shortest exact quantity of an amount: 1500m, 16Gi, 8."""
    if resource == CPU:
        return f"{value}m" if value % 1000 else str(value // 1000)
    if resource in _BYTES or resource.startswith("hugepages-"):
        for suffix, power in (("Gi", GIBIBYTE), ("Mi", MEBIBYTE), ("Ki", 1 << 10)):
            if value and value % power == 0:
                return f"{value // power}{suffix}"
    return str(value)


def texts(resources: Resources) -> dict[str, str]:
    """A resource list as quantities."""
    return {name: text(name, value) for name, value in resources.items()}
