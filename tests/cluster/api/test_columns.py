from typing import Any

import pytest
from tests.cluster.api.conftest import Make
from tests.cluster.api.manifests import one

from isthmus.api.computejob import Money
from isthmus.api.conditions import Condition
from testbed import Cluster

NOW = "2026-11-22T10:00:00Z"
READY = Condition(type="Ready", status="True", last_transition_time=NOW, reason="Connected").to_manifest()
PROFILE = {
    "observedAt": NOW,
    "machines": 2,
    "allocatable": {"cpu": "64"},
    "free": {"cpu": "60"},
    "gpuTotal": 8,
    "gpuFree": 5,
}
COST = Money(amount="12.345678", currency="CNY").to_manifest()

TABLES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "ComputeNode": (
        "ComputeNode",
        "cn",
        {},
        {"conditions": [READY], "jobs": 3, "price": "0.036 CNY/core-h", "profile": PROFILE},
        {
            "NAME": "sample",
            "READY": "True",
            "TIER": "Core",
            "REGION": "cn-east",
            "GPU-FREE": "5",
            "JOBS": "3",
            "PRICE": "0.036 CNY/core-h",
        },
    ),
    "ComputeJob": (
        "ComputeJob",
        "cjob",
        {},
        {"phase": "Running", "nodes": "north,south", "done": "3/8", "gpus": 4, "cost": COST},
        {
            "NAME": "sample",
            "PHASE": "Running",
            "NODES": "north,south",
            "DONE": "3/8",
            "GPUS": "4",
            "COST": "12.3457 CNY",
        },
    ),
    "Dispatch": (
        "Dispatch",
        "dsp",
        {},
        {"state": "Accepted"},
        {"NAME": "sample", "JOB": "train", "STATE": "Accepted", "ATTEMPT": "1"},
    ),
    "Settlement": (
        "Settlement",
        "stl",
        {},
        {"phase": "Open", "total": "48.11", "lines": 12},
        {"NAME": "sample", "PARTY": "Account", "PHASE": "Open", "TOTAL": "48.11", "CURRENCY": "CNY", "LINES": "12"},
    ),
}


@pytest.mark.parametrize(("kind", "short", "changes", "status", "row"), TABLES.values(), ids=TABLES)
def test_columns(
    hub: Cluster,
    make: Make,
    kind: str,
    short: str,
    changes: dict[str, Any],
    status: dict[str, Any],
    row: dict[str, str],
) -> None:
    """By its short name, kubectl get prints each column in order, the age last."""
    make(kind, changes)
    hub.rest.patch(one(kind, suffix="/status"), {"status": status})
    head, line = hub.kubectl("get", short, "sample").splitlines()
    assert head.split() == [*row, "AGE"]
    # Cells may hold spaces; each begins below its heading.
    starts = [head.index(name) for name in [*row, "AGE"]]
    cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
    assert dict(zip(row, cells[:-1], strict=True)) == row
    assert cells[-1].endswith("s")


def test_status_needs_its_subresource(hub: Cluster, make: Make) -> None:
    """A status in a manifest, or in a write to the object, is not stored."""
    make("ComputeJob", {"status": {"phase": "Running"}})
    answer = hub.rest.patch(one("ComputeJob"), {"status": {"phase": "Running"}})
    assert "phase" not in answer.get("status", {})


def test_categories(hub: Cluster, make: Make) -> None:
    """The category isthmus holds all four kinds, the category all only the ComputeJobs."""
    for kind in TABLES:
        make(kind)
    names = {f"{singular}.isthmus.dev/sample" for singular in ("computenode", "computejob", "dispatch", "settlement")}
    assert set(hub.kubectl("get", "isthmus", "-o", "name").split()) == names
    ours = {name for name in hub.kubectl("get", "all", "-o", "name").split() if "isthmus" in name}
    assert ours == {"computejob.isthmus.dev/sample"}


@pytest.mark.parametrize("field", ["spec.placement.objective", "spec.tariff.prices", "status.explanation.nodes"])
def test_explained(hub: Cluster, field: str) -> None:
    """The meaning of a field can be asked for by kubectl explain."""
    kind = "computenode" if "tariff" in field else "computejob"
    assert "DESCRIPTION" in hub.kubectl("explain", f"{kind}.{field}")
