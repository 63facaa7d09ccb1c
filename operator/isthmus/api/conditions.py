"""Conditions after KEP-1623: one entry a type, its transition time moved only when its status changes."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from .model import Model, Timestamp, list_map

MESSAGE_LIMIT = 1024


class Condition(Model):
    """One observed aspect of an object, with a reason for machines and a message for people."""

    type: Annotated[str, Field(min_length=1, max_length=64, description="What is observed.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether it holds.")]
    observed_generation: Annotated[int, Field(ge=0, description="The metadata.generation it was judged by.")] = 0
    last_transition_time: Annotated[Timestamp, Field(description="When the status last changed.")]
    reason: Annotated[
        str,
        Field(min_length=1, max_length=128, pattern=r"^[A-Z][A-Za-z0-9]*$", description="Why, in a CamelCase word."),
    ]
    message: Annotated[str, Field(max_length=MESSAGE_LIMIT, description="Why, for people, with the mend.")] = ""


Conditions = Annotated[
    list[Condition],
    Field(max_length=16, json_schema_extra=list_map("type"), description="What is observed, one entry a type."),
]


def truncated(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The text, cut to `limit` characters with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def with_condition(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """The conditions with `new` put in by its type; its transition time is kept where the status is the same."""
    merged: list[Condition] = []
    placed = False
    for old in conditions:
        if old.type != new.type:
            merged.append(old)
            continue
        placed = True
        same = old.status == new.status
        merged.append(new.model_copy(update={"last_transition_time": old.last_transition_time}) if same else new)
    return merged if placed else [*merged, new]


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((c for c in conditions if c.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of that type is there and True."""
    found = find(conditions, kind)
    return found is not None and found.status == "True"
