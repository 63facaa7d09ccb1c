import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.unit.docs.pages import NAMES, PAGES, ROOT, Page

from isthmus.api.kinds import KINDS
from isthmus.api.names import API_VERSION
from isthmus.capacity import AcceleratorTable
from isthmus.manifests import check_template

MODELS = {kind.kind: kind.model for kind in KINDS}


def _schema(kind: str) -> dict[str, Any]:
    plural = next(each.plural for each in KINDS if each.kind == kind)
    crd = yaml.safe_load((ROOT / "crds" / f"isthmus.dev_{plural}.yaml").read_text())
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def _unknown(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Fields that the schema does not have."""
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, schema.get("items", {}), f"{path}[]")
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return
    properties = schema.get("properties", {})
    for key, each in value.items():
        if key in properties:
            yield from _unknown(each, properties[key], f"{path}.{key}")
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{path}.{key}"


def _ours() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{page.name} {document['kind']} {document['metadata']['name']}", document)
        for page in PAGES
        for document in page.documents()
        if isinstance(document, dict) and document.get("apiVersion") == API_VERSION
    ]


OURS = _ours()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_yaml_parses(page: Page) -> None:
    """Every YAML block parses, and is a Kubernetes object or a list."""
    for document in page.documents():
        assert isinstance(document, list) or {"apiVersion", "kind", "metadata"} <= document.keys()


def test_the_pages_show_each_kind_that_people_write() -> None:
    """ComputeNodes, ComputeJobs and Settlements all stand in the pages: the tests below have something to test."""
    assert {document["kind"] for _, document in OURS} == {"ComputeNode", "ComputeJob", "Settlement"}


@pytest.mark.parametrize("manifest", [document for _, document in OURS], ids=[name for name, _ in OURS])
def test_manifest_is_valid(manifest: dict[str, Any]) -> None:
    """Every manifest of our kinds has only known fields, is taken by its model, and its template by our own rules."""
    kind = manifest["kind"]
    schema = _schema(kind)
    assert list(_unknown(manifest["spec"], schema["properties"]["spec"], "spec")) == []
    MODELS[kind].model_validate(manifest)
    if kind == "ComputeJob":
        assert check_template(manifest["spec"]["template"]) is None


def test_accelerator_file_is_taken() -> None:
    """The example of an accelerator file is one that the hub takes, and its resources are known then."""
    (entries,) = [document for page in PAGES for document in page.documents() if isinstance(document, list)]
    table = AcceleratorTable.default().extended(entries)
    assert [table.is_accelerator(entry["resourceName"]) for entry in entries] == [True] * len(entries)


def _patches() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for page in PAGES:
        for command in page.commands():
            match = re.search(r"kubectl .*patch .*?(computejob|computenode)\b.* -p '(.*)'$", command)
            if match:
                found.append((match[1], json.loads(match[2])))
    return found


@pytest.mark.parametrize(("singular", "patch"), _patches(), ids=json.dumps)
def test_patch_names_known_fields(singular: str, patch: dict[str, Any]) -> None:
    """Every patch is JSON, and of fields that the kind has."""
    kind = next(each.kind for each in KINDS if each.singular == singular)
    assert list(_unknown(patch["spec"], _schema(kind)["properties"]["spec"], "spec")) == []
