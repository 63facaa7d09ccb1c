"""Whether a template's indexes may run apart from each other: on several nodes, or some of them once more."""

from collections.abc import Iterator
from typing import Any

from isthmus.api.indexes import INDEX_LIMIT

from .reading import mapping, sequence
from .template import Refusal

NOT_SPLITTABLE = "NotSplittable"

_PATH = "spec.template"
_POD = f"{_PATH}.template.spec"
_INDEX = "batch.kubernetes.io/job-completion-index"
# What a fieldRef must not name. The Job controller writes the local index there, and a part of the job counts from 0.
_LOCAL = {
    f"metadata.{field}{key}": f"{words} {word}"
    for field, word in (("labels", "label"), ("annotations", "annotation"))
    for key, words in ((f"['{_INDEX}']", "the completion index"), ("", "every"))
}


def not_splittable(template: dict[str, Any]) -> Refusal | None:
    """Why the JobSpec can neither be split by index nor rerun index by index, or None where it can.

    Its pods learn their global index by JOB_COMPLETION_INDEX only. A template that reads it elsewhere, whose pods
    know each other by name, or whose end depends on which indexes succeed would see or do something else in parts.
    The reason is always `NOT_SPLITTABLE`; the message names the field.
    """
    found = _of_the_job(template) or _of_the_pod(mapping(mapping(template.get("template")).get("spec")))
    return None if found is None else Refusal(NOT_SPLITTABLE, found)


def _of_the_job(template: dict[str, Any]) -> str | None:
    if template.get("completionMode") != "Indexed":
        return f"{_PATH}.completionMode is not Indexed: its pods have no indexes by which they could be told apart"
    if not isinstance(template.get("completions"), int):
        return f"{_PATH}.completions is not set: nobody knows how many indexes there are"
    if template["completions"] > INDEX_LIMIT:
        return f"{_PATH}.completions is above {INDEX_LIMIT}: no more indexes can be told apart"
    if template.get("successPolicy") is not None:
        return f"{_PATH}.successPolicy is judged over all indexes at once, in one cluster"
    return None


def _of_the_pod(pod: dict[str, Any]) -> str | None:
    if pod.get("subdomain"):
        return f"{_POD}.subdomain lets the pods find each other by name, which ends at the cluster's border"
    for path, field in _field_references(pod):
        # The API server takes blanks and other quotes nowhere in a path, so the text tells.
        what = _LOCAL.get(field)
        if what is not None:
            return f"{path} reads {what}, where a part of the job counts from 0; read JOB_COMPLETION_INDEX instead"
    return None


def _field_references(pod: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each fieldRef of containers and volumes: where its fieldPath stands, and what that is."""
    for holder in ("initContainers", "containers"):
        for i, container in enumerate(sequence(pod.get(holder))):
            for j, variable in enumerate(sequence(mapping(container).get("env"))):
                value = mapping(mapping(variable).get("valueFrom"))
                yield from _field(value, f"{_POD}.{holder}[{i}].env[{j}].valueFrom")
    for i, item in enumerate(sequence(pod.get("volumes"))):
        volume, at = mapping(item), f"{_POD}.volumes[{i}]"
        yield from _items(volume, at)
        for j, source in enumerate(sequence(mapping(volume.get("projected")).get("sources"))):
            yield from _items(mapping(source), f"{at}.projected.sources[{j}]")


def _items(source: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for i, item in enumerate(sequence(mapping(source.get("downwardAPI")).get("items"))):
        yield from _field(mapping(item), f"{path}.downwardAPI.items[{i}]")


def _field(holder: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    field = mapping(holder.get("fieldRef")).get("fieldPath")
    if isinstance(field, str):
        yield f"{path}.fieldRef.fieldPath", field
