from typing import Any

import pytest

from testbed import Cluster, DeadlineError, Part
from testbed.definitions import PATH, remove_definitions

LABELS = {"example.com/test": "definitions"}
SELECTOR = "example.com/test=definitions"


def definition(plural: str) -> dict[str, Any]:
    """A namespaced kind with any fields."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com", "labels": LABELS},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": plural.removesuffix("s").capitalize()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(scope="module")
def hub(clusters: dict[str, Cluster]) -> Cluster:
    """A cluster that runs nothing."""
    return clusters["hub"]


def test_kinds_that_nobody_has_read_go_at_the_first_try(hub: Cluster) -> None:
    """Their finalizer does not meet a storage that is just being opened: after that it may wait for minutes."""
    plurals = [f"trials{number}s" for number in range(6)]
    hub.apply([definition(plural) for plural in plurals])
    for plural in plurals:
        hub.kubectl("wait", "--for=condition=Established", f"crd/{plural}.example.com", "--timeout=30s")
    remove_definitions(hub, SELECTOR, seconds=20)
    assert hub.rest.get(f"{PATH}?labelSelector={SELECTOR}")["items"] == []
    assert [line for line in hub.logs(Part.APISERVER).splitlines() if "example.com failed with" in line] == []


def test_what_holds_a_definition_is_told(hub: Cluster) -> None:
    """One that an object's finalizer holds is named with its conditions."""
    hub.apply(definition("holders"))
    hub.kubectl("wait", "--for=condition=Established", "crd/holders.example.com", "--timeout=30s")
    path = "/apis/example.com/v1/namespaces/default/holders"
    metadata = {"name": "one", "finalizers": ["example.com/held"]}
    hub.rest.post(path, {"apiVersion": "example.com/v1", "kind": "Holder", "metadata": metadata})
    with pytest.raises(DeadlineError, match=r"left: holders\.example\.com .*InstanceDeletionInProgress"):
        remove_definitions(hub, SELECTOR, seconds=2)
    hub.rest.patch(f"{path}/one", {"metadata": {"finalizers": None}})
    remove_definitions(hub, SELECTOR, seconds=20)
