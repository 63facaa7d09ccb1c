"""A device as the expressions of DeviceClasses see it."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from isthmus.api.devices import Device, DeviceAttribute
from isthmus.api.quantities import parse

Value = object
"""What an expression may come to: a string, a number, a truth value, a quantity, a version, a map or a list."""


class SelectorError(ValueError):
    """An expression that can't be read, or has no value for a device, such as where an attribute is missing."""


class Quantity(Fraction):
    """A quantity, which is no number to CEL."""


class Version(str):
    """A semantic version, which is no string to CEL."""

    __slots__ = ()


class Domains(dict[str, Mapping[str, Value]]):
    """Attributes or capacity by domain; a domain of which a device says nothing is there, and empty."""

    def __missing__(self, key: str) -> Mapping[str, Value]:
        return {}


class Subject:
    """A device with its attributes and capacity by domain; those without one are of its driver's.

    Both are made when they are first asked for: of most devices the driver says enough.
    """

    __slots__ = ("_device", "_made", "driver")

    def __init__(self, driver: str, device: Device) -> None:
        self.driver = driver
        self._device = device
        self._made: dict[str, Domains] = {}

    def field(self, name: str) -> Value:
        """What `device.name` is."""
        if name == "driver":
            return self.driver
        if name not in self._made:
            self._made[name] = self._domains(name)
        return self._made[name]

    def _domains(self, name: str) -> Domains:
        if name == "attributes":
            return _by_domain(self.driver, {key: _plain(each) for key, each in self._device.attributes.items()})
        if name == "capacity":
            return _by_domain(self.driver, {key: quantity(each.value) for key, each in self._device.capacity.items()})
        raise SelectorError(f"of a device no {name[:64]} is read here")


def _plain(attribute: DeviceAttribute) -> Value:
    if attribute.version is not None:
        return Version(attribute.version)
    stated = (attribute.string, attribute.integer, attribute.boolean)
    return next((value for value in stated if value is not None), None)


@lru_cache(maxsize=1024)
def quantity(text: str | float) -> Quantity | None:
    """The quantity, or None for what is none."""
    try:
        return Quantity(parse(text))
    except ValueError:
        return None


def _by_domain(driver: str, named: Mapping[str, Value]) -> Domains:
    found: dict[str, dict[str, Value]] = {}
    for key, value in named.items():
        domain, _, name = key.rpartition("/")
        if value is not None:
            found.setdefault(domain or driver, {})[name] = value
    return Domains(found)
