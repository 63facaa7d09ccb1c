"""A pydantic model as the structural schema that a CustomResourceDefinition needs.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
allows no references, no `patternProperties` and no null beside a type, and a default applies only where each object
above it is there or has a default itself.
"""

from typing import Any

from pydantic import BaseModel

from isthmus.api.model import MAP_ATOMIC

Schema = dict[str, Any]

INT32_MAX = 2**31 - 1
_KEPT = (
    "description", "type", "format", "enum", "default", "nullable", "pattern", "minLength", "maxLength", "minimum",
    "maximum", "minItems", "maxItems", "minProperties", "maxProperties", "required",
)  # fmt: skip


def structural(model: type[BaseModel]) -> Schema:
    """The schema of an object of the model's kind, its status at the end."""
    raw = model.model_json_schema(mode="serialization")
    schema = _Inliner(raw.pop("$defs", {})).schema(raw)
    properties = {
        "apiVersion": {"type": "string", "description": "Always isthmus.dev/v1alpha1."},
        "kind": {"type": "string", "description": f"Always {model.__name__}."},
        **schema["properties"],
        "metadata": {"type": "object"},
    }
    status = _without_rules(properties["status"])
    status.pop("default", None)
    properties["status"] = {**status, **MAP_ATOMIC}
    return {**schema, "required": ["spec"], "properties": properties}


class _Inliner:
    """Replaces references by what they refer to, and JSON Schema by what Kubernetes knows of it."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def schema(self, raw: Schema) -> Schema:
        raw, optional = self._resolved(raw)
        schema: Schema = {key: raw[key] for key in _KEPT if raw.get(key) is not None}
        schema |= {key: value for key, value in raw.items() if key.startswith("x-kubernetes-")}
        if raw.get("x-kubernetes-int-or-string"):
            del schema["type"]  # the API server would take that for a contradiction
        if "const" in raw:
            schema["enum"] = [raw["const"]]
        if raw.get("type") == "integer" and "format" not in raw:
            schema["format"] = "int32" if raw.get("maximum", INT32_MAX + 1) <= INT32_MAX else "int64"
        if "items" in raw:
            schema["items"] = self.schema(raw["items"])
        if isinstance(raw.get("additionalProperties"), dict):
            schema["additionalProperties"] = self.schema(raw["additionalProperties"])
        if "properties" in raw:
            self._add_properties(schema, raw)
        for pattern, value in raw.get("patternProperties", {}).items():
            schema["additionalProperties"] = self.schema(value)
            schema["x-kubernetes-validations"] = [_key_rule(pattern)]
        if not optional and "default" not in schema and _is_complete(schema):
            schema["default"] = {}
        return schema

    def _resolved(self, raw: Schema) -> tuple[Schema, bool]:
        """What a reference or an Optional stands for, with what is said beside it; and whether it was Optional."""
        optional = False
        while "$ref" in raw or "anyOf" in raw:
            beside = {key: value for key, value in raw.items() if key not in {"$ref", "anyOf", "title"}}
            if "$ref" in raw:
                inner = self._definitions[raw["$ref"].removeprefix("#/$defs/")]
            else:
                others = [option for option in raw["anyOf"] if option.get("type") != "null"]
                if len(others) != 1:
                    raise ValueError(f"a union is not structural: {raw['anyOf']}")
                optional, inner = True, others[0]
            raw = {**inner, **beside}
        return raw, optional

    def _add_properties(self, schema: Schema, raw: Schema) -> None:
        schema["properties"] = {name: self.schema(field) for name, field in raw["properties"].items()}
        computed = {name for name, field in raw["properties"].items() if field.get("readOnly")}
        required = [name for name in raw.get("required", ()) if name not in computed]
        schema.pop("required", None)
        if required:
            schema["required"] = required


def _key_rule(pattern: str) -> Schema:
    return {
        "rule": f"self.all(key, key.matches(r'{pattern}'))",
        "message": "each key must be a label key: at most 63 characters, after an optional domain and a slash",
    }


def _without_rules(schema: Any) -> Any:
    """The status is written by the operator alone, often: rules over it would cost the API server and catch nothing."""
    if isinstance(schema, dict):
        return {key: _without_rules(value) for key, value in schema.items() if key != "x-kubernetes-validations"}
    return schema


def _is_complete(schema: Schema) -> bool:
    """Whether an object that was left out can stand as an empty one, all its fields being optional with defaults."""
    fields = schema.get("properties", {})
    return not schema.get("required") and any("default" in field for field in fields.values())
