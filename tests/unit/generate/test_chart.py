"""The chart's generated files, and what in it must agree with the code."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml
from tests.unit.docs.pages import ROOT

from generate.chart import chart_files
from generate.chart.fields import entries
from generate.chart.schema import values_schema
from generate.chart.values import Accelerator, ChartValues
from isthmus import __version__
from isthmus.api.kinds import KINDS
from isthmus.capacity.accelerators import AcceleratorEntry

FILES = chart_files()
TEMPLATES = {name: text for name, text in FILES.items() if "/templates/" in name}


def test_versions_are_the_packages() -> None:
    """The chart is of the version of the package that its image holds."""
    chart = yaml.safe_load((ROOT / "charts" / "isthmus" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def _objects(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if "properties" in schema:
        yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _objects(field, f"{path}.{name}")
    if "items" in schema:
        yield from _objects(schema["items"], f"{path}[]")


OBJECTS = dict(_objects(values_schema(), "values"))


@pytest.mark.parametrize("path", OBJECTS)
def test_schema_is_closed_and_told(path: str) -> None:
    """At every level of our own keys an unknown one is refused, and each key has a description."""
    assert OBJECTS[path]["additionalProperties"] is False
    assert [name for name, field in OBJECTS[path]["properties"].items() if not field.get("description")] == []


def test_schema_has_no_references() -> None:
    """Helm's words about a wrong value lead to its key, not to a definition elsewhere."""
    assert "$ref" not in FILES["charts/isthmus/values.schema.json"]


def test_values_file_holds_the_defaults() -> None:
    """values.yaml is what the chart does when it is told nothing, and its own defaults are allowed."""
    values = yaml.safe_load(FILES["charts/isthmus/values.yaml"])
    assert values == ChartValues().model_dump(mode="json", by_alias=True)
    assert ChartValues.model_validate(values) == ChartValues()


@pytest.mark.parametrize("page", ["charts/isthmus/README.md", "docs/reference/values.md"])
def test_tables_have_every_value(page: str) -> None:
    """Each value, and each group, has its row."""
    missing = [entry.path for entry in entries() if f"`{'.'.join(entry.path)}`" not in FILES[page]]
    assert missing == []


def test_accelerators_are_those_of_the_hub() -> None:
    """An entry of `hub.accelerators` has the fields that the hub reads, and the same ones are required."""
    ours = Accelerator.model_json_schema(by_alias=True)
    theirs = msgspec.json.schema(AcceleratorEntry)["$defs"]["AcceleratorEntry"]
    assert ours["properties"].keys() == theirs["properties"].keys()
    assert ours["required"] == theirs["required"]


def test_every_kind_has_a_template() -> None:
    """A definition for each kind, kept by default, with the version that it is of."""
    crds = {name.rpartition("/")[2]: text for name, text in TEMPLATES.items() if "/crds/" in name}
    assert crds.keys() == {f"isthmus.dev_{kind.plural}.yaml" for kind in KINDS}
    for text in crds.values():
        assert "{{- if .Values.crds.enabled }}" in text
        assert "{{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep" in text
        assert f"isthmus.dev/crd-version: {__version__}" in text


@pytest.mark.parametrize("name", [name for name in TEMPLATES if "local-member" in name])
def test_a_local_members_rights_are_the_releases(name: str) -> None:
    """Nothing in a local member's rights names the namespace, ServiceAccount or objects of another release.

    But for the role that lets the hub read logs, which it binds by its name.
    """
    lines = [line for line in TEMPLATES[name].splitlines() if not line.lstrip().startswith(("#", "{{- /*"))]
    text = "\n".join(lines).replace("isthmus-member-logs", "")
    assert [word for word in ("isthmus-system", "isthmus-member", "isthmus-index", "'isthmus'") if word in text] == []
    assert "name: isthmus\n" not in text
