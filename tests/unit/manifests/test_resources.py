from typing import Any

import pytest

from isthmus.manifests import check_template

GOOD: dict[str, Any] = {"requests": {"cpu": "500m", "memory": 1073741824}, "limits": {"cpu": 0.5, "a.b/c": ".5e1"}}


def template(resources: Any, where: str = "containers") -> dict[str, Any]:
    """A JobSpec with resources at a place of its pod."""
    pod: dict[str, Any] = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}
    if where == "pod":
        pod["resources"] = resources
    elif where == "volume":
        claim = {"spec": {"resources": resources}}
        pod["volumes"] = [{"name": "a"}, {"name": "b", "ephemeral": {"volumeClaimTemplate": claim}}]
    elif where == "directory":
        pod["volumes"] = [{"name": "a", "emptyDir": {"sizeLimit": resources}}]
    else:
        pod.setdefault(where, []).append({"name": "more", "image": "busybox", "resources": resources})
    return {"template": {"spec": pod}}


WRONG = {
    "request": ("containers", {"requests": {"cpu": "lots"}}, "containers[1].resources.requests[cpu] is 'lots'"),
    "limit": ("initContainers", {"limits": {"memory": "1 Gi"}}, "initContainers[0].resources.limits[memory] is '1 Gi'"),
    "of the pod": ("pod", {"requests": {"cpu": True}}, "resources.requests[cpu] is True"),
    "of a volume": (
        "volume",
        {"requests": {"storage": []}},
        "volumes[1].ephemeral.volumeClaimTemplate.spec.resources.requests[storage] is []",
    ),
    "of a directory": ("directory", "big", "volumes[0].emptyDir.sizeLimit is 'big'"),
    "very long": ("containers", {"requests": {"cpu": "x" * 5000}}, "containers[1].resources.requests[cpu] is 'xxx"),
}


@pytest.mark.parametrize(("where", "resources", "part"), WRONG.values(), ids=WRONG)
def test_refused(where: str, resources: Any, part: str) -> None:
    """A value that is no quantity is refused with its field, which the API server does not name."""
    refusal = check_template(template(resources, where))
    assert refusal is not None
    assert refusal.reason == "TemplateInvalid"
    assert f"spec.template.template.spec.{part}" in refusal.message
    assert len(refusal.message) < 300


@pytest.mark.parametrize("where", ["containers", "initContainers", "pod", "volume"])
def test_accepted(where: str) -> None:
    """Quantities as strings and as numbers pass, as does a null."""
    assert check_template(template(GOOD | {"claims": None}, where)) is None
    assert check_template(template({"requests": {"cpu": None}}, where)) is None
