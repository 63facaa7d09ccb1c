"""A JobSpec in the form that a variant gives it. Pure.

What is of the wrong type is passed over: that it is wrong, the API server says of the form in a dry run.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .hardware import Variant

Container = dict[str, Any]
_HOLDERS = ("initContainers", "containers")
_HUGEPAGES = "hugepages-"


def is_extended(resource: str) -> bool:
    """Whether it is a resource that a device plugin offers, such as nvidia.com/gpu, and none of Kubernetes' own."""
    return "/" in resource and not resource.startswith(_HUGEPAGES)


def in_form(template: Mapping[str, Any], variant: Variant | None) -> dict[str, Any]:
    """The JobSpec as the variant has it; without one, as it is. The argument stays as it is."""
    if variant is None:
        return dict(template)
    meant, pod = _meant(template, variant), _pod(template)
    holders = {
        holder: [
            _changed(each, variant) if isinstance(each, dict) and meant(holder, place, each) else each
            for place, each in enumerate(pod[holder])
        ]
        for holder in _HOLDERS
        if isinstance(pod.get(holder), list)
    }
    outer = template["template"] if isinstance(template.get("template"), dict) else {}
    return {**template, "template": {**outer, "spec": {**pod, **holders}}}


def container_names(template: Mapping[str, Any]) -> list[str]:
    """The names of all containers, init containers first."""
    return [str(each.get("name")) for _, _, each in _containers(template)]


def _meant(template: Mapping[str, Any], variant: Variant) -> Callable[[str, int, Container], bool]:
    """Which containers the variant changes."""
    if variant.container is not None:
        return lambda _holder, _place, each: each.get("name") == variant.container
    asking = {(holder, place) for holder, place, each in _containers(template) if _asks(each)} or {("containers", 0)}
    return lambda holder, place, _each: (holder, place) in asking


def _containers(template: Mapping[str, Any]) -> Iterator[tuple[str, int, Container]]:
    pod = _pod(template)
    for holder in _HOLDERS:
        found = pod.get(holder)
        for place, each in enumerate(found if isinstance(found, list) else ()):
            if isinstance(each, dict):
                yield holder, place, each


def _pod(template: Mapping[str, Any]) -> dict[str, Any]:
    outer = template.get("template")
    pod = outer.get("spec") if isinstance(outer, dict) else None
    return pod if isinstance(pod, dict) else {}


def _asks(container: Container) -> bool:
    return any(is_extended(str(name)) for field in ("requests", "limits") for name in _resources(container, field))


def _resources(container: Container, field: str) -> dict[str, Any]:
    resources = container.get("resources")
    found = resources.get(field) if isinstance(resources, dict) else None
    return found if isinstance(found, dict) else {}


def _changed(container: Container, variant: Variant) -> Container:
    changed = dict(container)
    if variant.image is not None:
        changed["image"] = variant.image
    if variant.env:
        new = {each.name: {"name": each.name, "value": each.value} for each in variant.env}
        old = container.get("env")
        kept = (
            [each for each in old if not (isinstance(each, dict) and each.get("name") in new)]
            if isinstance(old, list)
            else []
        )
        changed["env"] = [*kept, *new.values()]
    if variant.resources is not None:
        changed["resources"] = _asking(container, variant.resources)
    return changed


def _asking(container: Container, wanted: Mapping[str, str]) -> dict[str, Any]:
    """The container's resources with those wanted.

    An extended resource is its own limit, as Kubernetes has it. Of others a limit is set where the template sets one.
    """
    resources = container.get("resources")
    requests, limits = (
        {name: value for name, value in _resources(container, field).items() if not is_extended(str(name))}
        for field in ("requests", "limits")
    )
    for name, quantity in wanted.items():
        if is_extended(name) or name in limits:
            limits[name] = quantity
        requests[name] = quantity
    changed = {**(resources if isinstance(resources, dict) else {}), "requests": requests, "limits": limits}
    return {key: value for key, value in changed.items() if value or key not in {"requests", "limits"}}
