"""values.schema.json: what Helm holds values against before it renders anything."""

import json
from typing import Any

from .values import ChartValues

Schema = dict[str, Any]
# Helm hands it to every chart that another one depends on.
_GLOBAL: Schema = {"type": "object", "description": "Values that a parent chart shares; none is used here."}


def values_schema() -> Schema:
    """The schema of all values without references, in the words of draft 7, which every Helm 3 knows."""
    raw = ChartValues.model_json_schema(by_alias=True)
    schema = _inlined(raw, raw.pop("$defs", {}))
    schema["properties"]["global"] = _GLOBAL
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart isthmus", **schema}


def schema_text() -> str:
    """The file."""
    return json.dumps(values_schema(), indent=2, ensure_ascii=False) + "\n"


def _inlined(node: Any, definitions: dict[str, Schema]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _inlined({**definitions[node["$ref"].removeprefix("#/$defs/")], **beside}, definitions)
    if "properties" in node:
        fields = {name: _inlined(field, definitions) for name, field in node["properties"].items()}
        rest = {key: value for key, value in node.items() if key not in {"properties", "title", "default"}}
        return {**rest, "properties": fields}
    return {key: _inlined(value, definitions) for key, value in node.items() if key not in {"title", "default"}}
