"""The quantities in a pod template, and those of them that are none."""

from collections.abc import Iterator
from typing import Any

from isthmus.api import quantities

from .reading import mapping, sequence


def wrong_quantities(template: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value that stands where a quantity must and is none, with its field counted from the JobSpec.

    Looks at the requests and limits of the pod and its containers, and at the sizes of volumes.
    """
    pod = mapping(mapping(template.get("template")).get("spec"))
    return ((path, value) for path, value in _quantities(pod, "template.spec") if not _is_quantity(value))


def _is_quantity(value: Any) -> bool:  # noqa: ANN401  # JSON
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        quantities.parse(value)
    except ValueError:
        return False
    return True


def _quantities(pod: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    yield from _of_resources(pod, path)
    for field in ("initContainers", "containers"):
        for i, container in enumerate(sequence(pod.get(field))):
            yield from _of_resources(mapping(container), f"{path}.{field}[{i}]")
    for i, item in enumerate(sequence(pod.get("volumes"))):
        volume, at = mapping(item), f"{path}.volumes[{i}]"
        directory = mapping(volume.get("emptyDir"))
        if directory.get("sizeLimit") is not None:
            yield f"{at}.emptyDir.sizeLimit", directory["sizeLimit"]
        claim = mapping(mapping(volume.get("ephemeral")).get("volumeClaimTemplate"))
        yield from _of_resources(mapping(claim.get("spec")), f"{at}.ephemeral.volumeClaimTemplate.spec")


def _of_resources(holder: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    resources = mapping(holder.get("resources"))
    for field in ("requests", "limits"):
        for name, value in mapping(resources.get(field)).items():
            if value is not None:
                yield f"{path}.resources.{field}[{name}]", value
