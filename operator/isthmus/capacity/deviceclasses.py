"""DeviceClasses as resource names: under which of them a pod may ask for a device.

As kube-scheduler has it from Kubernetes 1.36 on (feature DRAExtendedResource): a class may name an extended resource,
and every class is to be had as `deviceclass.resource.kubernetes.io/<name>`.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from isthmus.api.devices import DeviceClass

from .pools import PoolDevice
from .selectors import selector
from .subject import SelectorError, Subject

IMPLICIT = "deviceclass.resource.kubernetes.io/"
_NAME_LIMIT = 317
_SELECTORS_LIMIT = 32


@dataclass(frozen=True, slots=True)
class NamedClass:
    """A class under one resource name; `selectors` must all be met."""

    resource: str
    selectors: tuple[Callable[[Subject], bool], ...]

    def holds(self, subject: Subject) -> bool:
        """Whether a device is of the class. Raises SelectorError where an expression has no value for it."""
        return all(meets(subject) for meets in self.selectors)


def named_classes(
    classes: Iterable[DeviceClass], known: Callable[[str], bool], *, implicit: bool
) -> tuple[NamedClass, ...]:
    """The classes under one name each, in the order in which a device is counted: under the first that it is of.

    Names that classes give come first, of these the `known` accelerators. Where two give the same, the newer has it, of
    equally old ones the first by name, as in kube-scheduler. `implicit` says that a class without a name of its own is
    to be had all the same; where one names a resource, the feature is on, so that these are as well. A class with an
    expression that can't be read is left out.
    """
    there = sorted(classes, key=lambda each: each.metadata.name)
    there.sort(key=lambda each: -_made(each))
    named: dict[str, DeviceClass] = {}
    for each in there:
        if each.spec.extended_resource_name:
            named.setdefault(each.spec.extended_resource_name, each)
    if named or implicit:
        winners = {each.metadata.name for each in named.values()}
        named.update({IMPLICIT + each.metadata.name: each for each in there if each.metadata.name not in winners})
    order = sorted(named, key=lambda name: (name.startswith(IMPLICIT), not known(name), name))
    found = (_read(name, named[name]) for name in order if len(name) <= _NAME_LIMIT)
    return tuple(each for each in found if each is not None)


def _made(each: DeviceClass) -> float:
    made = each.metadata.creation_timestamp
    return made.timestamp() if made is not None else 0.0


def _read(resource: str, device_class: DeviceClass) -> NamedClass | None:
    stated = device_class.spec.selectors
    if len(stated) > _SELECTORS_LIMIT or any(each.cel is None for each in stated):
        return None
    try:
        return NamedClass(resource, tuple(selector(each.cel.expression) for each in stated if each.cel is not None))
    except SelectorError:
        return None


def assigned(devices: Collection[PoolDevice], classes: Iterable[NamedClass]) -> dict[str, list[PoolDevice]]:
    """The devices of one machine by the resource that they count under, each once.

    Where an expression has no value for a device, kube-scheduler gives out nothing of that class on the machine, and
    so nothing of it counts there.
    """
    there = [(each, Subject(each.driver, each.device)) for each in devices]
    left = {each.id for each in devices}
    found: dict[str, list[PoolDevice]] = {}
    for each in classes:
        try:
            of_class = [device for device, subject in there if each.holds(subject)]
        except SelectorError:
            continue
        counted = [device for device in of_class if device.id in left]
        if counted:
            found[each.resource] = counted
            left -= {device.id for device in counted}
    return found
