from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, computed_field

from generate.schema import structural
from isthmus.api.kinds import KINDS, Kind

IDS = [kind.kind for kind in KINDS]


class Colour(StrEnum):
    """A colour."""

    RED = "Red"


class Inner(BaseModel):
    """An object."""

    size: Annotated[int, Field(ge=0, le=9, description="How big.")] = 3

    @computed_field(description="Made of the size.")  # type: ignore[prop-decorator]
    @property
    def text(self) -> str:
        """The size in words."""
        return str(self.size)


class Spec(BaseModel):
    """The spec."""

    colour: Colour
    one: Literal["a"] = "a"
    inner: Annotated[Inner, Field(default_factory=Inner, description="Always there.")]
    maybe: Annotated[Inner, Field(description="Perhaps there.")] | None = None
    labels: dict[Annotated[str, Field(pattern="^a$")], str] = {}
    big: int = 0


class Example(BaseModel):
    """An example."""

    metadata: dict[str, Any]
    spec: Spec
    status: Annotated[Inner, Field(default_factory=Inner)]


def test_whole_schema() -> None:
    """Enumerations, optional and defaulted objects, maps with bound keys and computed fields become structural."""
    inner = {
        "size": {
            "description": "How big.",
            "type": "integer",
            "format": "int32",
            "default": 3,
            "minimum": 0,
            "maximum": 9,
        },
        "text": {"description": "Made of the size.", "type": "string"},
    }
    rule = {
        "rule": "self.all(key, key.matches(r'^a$'))",
        "message": "each key must be a label key: at most 63 characters, after an optional domain and a slash",
    }
    assert structural(Example) == {
        "description": "An example.",
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Always isthmus.dev/v1alpha1."},
            "kind": {"type": "string", "description": "Always Example."},
            "metadata": {"type": "object"},
            "spec": {
                "description": "The spec.",
                "type": "object",
                "required": ["colour"],
                "properties": {
                    "colour": {"description": "A colour.", "type": "string", "enum": ["Red"]},
                    "one": {"type": "string", "enum": ["a"], "default": "a"},
                    "inner": {
                        "description": "Always there.",
                        "type": "object",
                        "properties": inner,
                        "default": {},
                    },
                    "maybe": {"description": "Perhaps there.", "type": "object", "properties": inner},
                    "labels": {
                        "type": "object",
                        "default": {},
                        "additionalProperties": {"type": "string"},
                        "x-kubernetes-validations": [rule],
                    },
                    "big": {"type": "integer", "format": "int64", "default": 0},
                },
            },
            "status": {
                "description": "An object.",
                "type": "object",
                "properties": inner,
                "x-kubernetes-map-type": "atomic",
            },
        },
    }


def test_union_refused() -> None:
    """A field of two types has no structural schema, and says so."""

    class Loose(BaseModel):
        spec: int | str

    with pytest.raises(ValueError, match="a union is not structural"):
        structural(Loose)


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema below, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield f"{path}[]", schema[key]
            yield from fields(schema[key], f"{path}[]")


def own_fields(kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    """Every schema of the spec and the status."""
    properties = structural(kind.model)["properties"]
    return [f for part in ("spec", "status") for f in fields(properties[part], part)]


def is_bounded(schema: dict[str, Any]) -> bool:
    """Whether values of the schema have a largest size."""
    kind = schema.get("type")
    if kind == "string":
        return "maxLength" in schema or "enum" in schema
    if kind == "array":
        return "maxItems" in schema and "x-kubernetes-list-type" in schema
    if kind == "object" and "additionalProperties" in schema:
        return "maxProperties" in schema
    if kind == "integer":
        return schema["format"] in {"int32", "int64"}
    return True


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_everything_bounded(kind: Kind) -> None:
    """Each string, list, map and integer of the four kinds has a bound."""
    assert [path for path, schema in own_fields(kind) if not is_bounded(schema)] == []


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_everything_explained(kind: Kind) -> None:
    """Each field of the four kinds says what it means."""
    silent = [path for path, schema in own_fields(kind) if not path.endswith("]") and not schema.get("description")]
    assert silent == []
