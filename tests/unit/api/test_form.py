from copy import deepcopy
from typing import Any

import pytest

from isthmus.api.form import container_names, in_form
from isthmus.api.hardware import Variant

GPU, NPU = "nvidia.com/gpu", "huawei.com/Ascend910"
MAIN = {
    "name": "main",
    "image": "example/cuda:1",
    "env": [{"name": "BACKEND", "value": "nccl"}, {"name": "EPOCHS", "value": "3"}],
    "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {GPU: 2, "memory": "8Gi"}},
}
SIDE = {"name": "side", "image": "example/log:1", "resources": {"requests": {"cpu": "1"}}}


def template(*containers: dict[str, Any], **pod: Any) -> dict[str, Any]:
    """A JobSpec of these containers."""
    return {
        "completions": 3,
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [*containers], **pod}},
    }


def variant(**fields: Any) -> Variant:
    """A variant as a user writes it."""
    return Variant.model_validate({"name": "other", **fields})


FORMS = {
    "nothing": ({}, MAIN),
    "image": ({"image": "example/cann:2"}, {**MAIN, "image": "example/cann:2"}),
    "another accelerator": (
        {"resources": {NPU: 8}},
        {
            **MAIN,
            "resources": {"requests": {"cpu": "4", "memory": "8Gi", NPU: "8"}, "limits": {NPU: "8", "memory": "8Gi"}},
        },
    ),
    "no accelerator": (
        {"resources": {}},
        {**MAIN, "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "8Gi"}}},
    ),
    "more of the machine": (
        {"resources": {"cpu": "32", "memory": "64Gi"}},
        {**MAIN, "resources": {"requests": {"cpu": "32", "memory": "64Gi"}, "limits": {"memory": "64Gi"}}},
    ),
    "variables": (
        {"env": [{"name": "BACKEND", "value": "hccl"}, {"name": "DEVICES", "value": "8"}]},
        {
            **MAIN,
            "env": [
                {"name": "EPOCHS", "value": "3"},
                {"name": "BACKEND", "value": "hccl"},
                {"name": "DEVICES", "value": "8"},
            ],
        },
    ),
}


@pytest.mark.parametrize(("fields", "expected"), FORMS.values(), ids=FORMS)
def test_form(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """A variant changes what it names of the container that asks for accelerators, and nothing else of the template."""
    before = template(SIDE, MAIN)
    kept = deepcopy(before)
    assert in_form(before, variant(**fields)) == template(SIDE, expected)
    assert before == kept


def test_all_that_ask_for_accelerators() -> None:
    """Init containers and sidecars that hold accelerators must run on the other hardware too."""
    check = {"name": "check", "image": "example/cuda:1", "resources": {"limits": {GPU: 1}}}
    spec = template(MAIN, SIDE, initContainers=[check])
    pod = in_form(spec, variant(image="example/cann:2", resources={NPU: 1}))["template"]["spec"]
    assert [each["image"] for each in (*pod["initContainers"], *pod["containers"])] == [
        "example/cann:2",
        "example/cann:2",
        "example/log:1",
    ]
    assert pod["initContainers"][0]["resources"] == {"requests": {NPU: "1"}, "limits": {NPU: "1"}}


def test_the_first_where_none_asks() -> None:
    """In a template without accelerators a variant that has some gives them to the first container."""
    pod = in_form(template(SIDE, {"name": "last"}), variant(resources={NPU: 1}))["template"]["spec"]
    assert pod["containers"] == [
        {**SIDE, "resources": {"requests": {"cpu": "1", NPU: "1"}, "limits": {NPU: "1"}}},
        {"name": "last"},
    ]


def test_the_one_that_is_named() -> None:
    """A variant that names a container changes that one alone."""
    form = in_form(template(MAIN, SIDE), variant(container="side", image="example/log:2"))
    assert form == template(MAIN, {**SIDE, "image": "example/log:2"})
    assert container_names(template(MAIN, SIDE, initContainers=[{"name": "init"}])) == ["init", "main", "side"]


WRONG = {
    "no pod": {},
    "pod a list": {"template": []},
    "containers a map": {"template": {"spec": {"containers": {"a": 1}}}},
    "containers of words": {"template": {"spec": {"containers": ["main", None]}}},
    "env a word": {"template": {"spec": {"containers": [{"name": "main", "env": "A=B", "resources": 3}]}}},
    "requests a list": {"template": {"spec": {"containers": [{"name": "main", "resources": {"requests": ["cpu"]}}]}}},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_jobspec_raises_nothing(wrong: dict[str, Any]) -> None:
    """What is of the wrong type is left for the API server to refuse."""
    assert isinstance(in_form(wrong, variant(image="x", resources={NPU: 1}, env=[{"name": "A"}])), dict)
