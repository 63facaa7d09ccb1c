"""What an API server refuses beside what a model does: unknown fields, keys that come twice, rules over fields."""

import typing
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any

from pydantic import BaseModel

from isthmus.api.computejob import ComputeJob
from isthmus.api.objective import SCORES
from isthmus.api.placement import Placement

_BY_INDEX = "ByIndex"
_SPLIT_ONLY = "goes with split ByIndex only"
_Rule = tuple[str, str, Callable[[Placement], bool]]

# The words are those of the definitions' own rules, which a test compares.
RULES: tuple[_Rule, ...] = (
    (".maxNodes", _SPLIT_ONLY, lambda p: p.max_nodes is None or p.split == _BY_INDEX),
    (".minIndexesPerNode", _SPLIT_ONLY, lambda p: p.min_indexes_per_node is None or p.split == _BY_INDEX),
    (
        ".weights",
        "weights stand instead of an objective; leave one of the two out",
        lambda p: p.weights is None or p.objective == "Balanced",
    ),
    (
        ".gang",
        "gang (all pods on one node) contradicts split ByIndex (pods on several); leave out one of the two",
        lambda p: not (p.gang and p.split == _BY_INDEX),
    ),
    (
        ".weights",
        f"the scores are {', '.join(SCORES)}; name no others",
        lambda p: p.weights is None or set(p.weights) <= set(SCORES),
    ),
    (
        ".weights",
        "the weights sum to zero; give at least one score more than 0",
        lambda p: p.weights is None or any(p.weights.values()),
    ),
    (
        ".tolerations",
        "must not be set with operator Exists",
        lambda p: not any(each.operator == "Exists" and each.value for each in p.tolerations),
    ),
    (
        ".data.inputs",
        "name exactly one of node and region",
        lambda p: all((each.node is None) != (each.region is None) for each in p.data.inputs),
    ),
)
BESIDE_VARIANTS = "must not be set beside variants, each of which has an accelerator of its own; remove it"


def broken(job: ComputeJob) -> str | None:
    """The first rule over several fields that the job breaks, with the field, or None."""
    placement = job.spec.placement
    if job.spec.variants and placement.accelerator is not None:
        return f"spec.placement.accelerator: {BESIDE_VARIANTS}"
    return next((f"spec.placement{path}: {said}" for path, said, kept in RULES if not kept(placement)), None)


def unknown(model: type[BaseModel], body: Mapping[str, Any], path: str) -> str | None:
    """The first field of the manifest's part at `path` that its model does not know, or None."""
    return next(_unknown(model, body, path), None)


def _unknown(model: type[BaseModel], body: Mapping[str, Any], path: str) -> Iterator[str]:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, value in body.items():
        if key not in fields:
            yield f"{path}.{key}"
        elif (inner := _model_in(fields[key])) is not None:
            parts = [(f"[{place}]", each) for place, each in enumerate(value)] if isinstance(value, list) else []
            for place, part in parts or [("", value)]:
                if isinstance(part, dict):
                    yield from _unknown(inner, part, f"{path}.{key}{place}")


def repeated(model: BaseModel, path: str) -> str | None:
    """The first entry with the key of an earlier one, in a list at `path` whose keys are unique, or None."""
    return next(_repeated(model, path), None)


def _repeated(model: BaseModel, path: str) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value, at = getattr(model, name), f"{path}.{field.alias or name}"
        entries = value if isinstance(value, list | tuple) else [value]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        keys = typing.cast("list[str]", extra.get("x-kubernetes-list-map-keys", []))
        seen: set[tuple[object, ...]] = set()
        for place, entry in enumerate(entries):
            if not isinstance(entry, BaseModel):
                continue
            inside = f"{at}[{place}]" if entries is value else at
            key = tuple(getattr(entry, each) for each in keys)
            if keys and key in seen:
                yield f"{inside}: an entry before it has the same {' and '.join(keys)}"
            seen.add(key)
            yield from _repeated(entry, inside)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, by itself, in a list, or maybe; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in {list, typing.Annotated, typing.Union, UnionType}:
        return next(filter(None, map(_model_in, typing.get_args(annotation))), None)
    return None
