from typing import Any

import pytest

from isthmus.manifests import NOT_SPLITTABLE, not_splittable

INDEX = "batch.kubernetes.io/job-completion-index"


def template(pod: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An Indexed JobSpec of eight."""
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "work"}], **(pod or {})}
    return {"completions": 8, "completionMode": "Indexed", "template": {"spec": spec}, **fields}


def variable(path: str, name: str = "RANK") -> dict[str, Any]:
    """An environment variable by the downward API."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def container(*env: dict[str, Any]) -> dict[str, Any]:
    """A container with these variables."""
    return {"name": "main", "image": "work", "env": list(env)}


def item(path: str) -> dict[str, Any]:
    """A file of the downward API."""
    return {"path": "x", "fieldRef": {"fieldPath": path}}


PLAIN = {"name": "A", "value": "b"}
UNFIT = {
    "no mode": (template(completionMode=None), "spec.template.completionMode is not Indexed"),
    "not Indexed": (template(completionMode="NonIndexed"), "spec.template.completionMode is not Indexed"),
    "no completions": (template(completions=None), "spec.template.completions is not set"),
    "completions of the wrong type": (template(completions="8"), "spec.template.completions is not set"),
    "more than can be told": (template(completions=1_000_001), "spec.template.completions is above 1000000"),
    "success policy": (template(successPolicy={"rules": [{"succeededCount": 1}]}), "spec.template.successPolicy"),
    "empty success policy": (template(successPolicy={}), "spec.template.successPolicy"),
    "subdomain": (template({"subdomain": "workers"}), "spec.template.template.spec.subdomain"),
    "annotation by env": (
        template({"containers": [container(PLAIN, variable(f"metadata.annotations['{INDEX}']"))]}),
        "containers[0].env[1].valueFrom.fieldRef.fieldPath reads the completion index annotation",
    ),
    "label by env of an init container": (
        template({"initContainers": [container(variable(f"metadata.labels['{INDEX}']"))]}),
        "initContainers[0].env[0].valueFrom.fieldRef.fieldPath reads the completion index label",
    ),
    "label under the very name": (
        template({"containers": [container(variable(f"metadata.labels['{INDEX}']", "JOB_COMPLETION_INDEX"))]}),
        "spec.template.template.spec.containers[0].env[0].valueFrom",
    ),
    "all labels in a volume": (
        template({"volumes": [{"name": "e", "emptyDir": {}}, {"downwardAPI": {"items": [item("metadata.labels")]}}]}),
        "spec.template.template.spec.volumes[1].downwardAPI.items[0].fieldRef.fieldPath reads every label",
    ),
    "all annotations, projected": (
        template(
            {
                "volumes": [
                    {
                        "projected": {
                            "sources": [
                                {"configMap": {"name": "c", "optional": True}},
                                {"downwardAPI": {"items": [item("metadata.name"), item("metadata.annotations")]}},
                            ]
                        }
                    }
                ]
            }
        ),
        "volumes[0].projected.sources[1].downwardAPI.items[1].fieldRef.fieldPath reads every annotation",
    ),
    "the annotation in a volume": (
        template({"volumes": [{"downwardAPI": {"items": [item(f"metadata.annotations['{INDEX}']")]}}]}),
        "volumes[0].downwardAPI.items[0].fieldRef.fieldPath reads the completion index annotation",
    ),
}


@pytest.mark.parametrize(("asked", "part"), UNFIT.values(), ids=UNFIT)
def test_not_splittable(asked: dict[str, Any], part: str) -> None:
    """What would see or do something else in parts is not split, and the message names the field."""
    refusal = not_splittable(asked)
    assert refusal is not None
    assert refusal.reason == NOT_SPLITTABLE
    assert part in refusal.message
    assert refusal.message.startswith("spec.template")


FIT = {
    "plain": template(),
    "limits for each index": template(backoffLimitPerIndex=1, maxFailedIndexes=2),
    "other fields": template(
        {"containers": [container(variable("metadata.name"), variable("metadata.labels['app']"))]}
    ),
    "other annotations": template(
        {"volumes": [{"downwardAPI": {"items": [item("metadata.annotations['example.com/x']"), item("metadata.uid")]}}]}
    ),
    "a variable of the user's own": template(
        {"containers": [container({"name": "JOB_COMPLETION_INDEX", "value": "7"})]}
    ),
    "a resource": template(
        {"containers": [container({"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}})]}
    ),
    "null fields": template({"subdomain": None, "volumes": None, "initContainers": None}, successPolicy=None),
    "odd types": template({"containers": [{"env": "x"}, 7], "volumes": [None, {"downwardAPI": {"items": [3]}}]}),
}


@pytest.mark.parametrize("asked", FIT.values(), ids=FIT)
def test_splittable(asked: dict[str, Any]) -> None:
    """What reads its index by JOB_COMPLETION_INDEX, or not at all, may be split."""
    assert not_splittable(asked) is None
