from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.unit.placement.fleets import NOW

from isthmus.api import core
from isthmus.api.computejob import ComputeJob
from isthmus.api.placement import Toleration
from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import Split, demand_of, width_of


def _job(template: dict[str, Any], **spec: Any) -> ComputeJob:
    metadata = {"uid": "u1", "name": "train", "namespace": "team", "creationTimestamp": "2026-03-01T12:00:00Z"}
    return ComputeJob.model_validate({"metadata": metadata, "spec": {"template": template, **spec}})


@pytest.mark.parametrize(
    ("parallelism", "completions", "width"),
    [
        pytest.param(None, None, 1, id="neither"),
        pytest.param(4, None, 4, id="work queue"),
        pytest.param(None, 9, 1, id="one after another"),
        pytest.param(4, 9, 4, id="parallelism below completions"),
        pytest.param(9, 4, 4, id="parallelism above completions"),
        pytest.param(3, 0, 0, id="no completions"),
        pytest.param(0, 3, 0, id="no parallelism"),
        pytest.param(1_000_000, 1_000_000, 1_000_000, id="a million"),
    ],
)
def test_width(parallelism: int | None, completions: int | None, width: int) -> None:
    """A job is as wide as the pods it runs at once."""
    assert width_of(core.JobSpec(parallelism=parallelism, completions=completions)) == width


def test_everything_is_read() -> None:
    """Every wish of a ComputeJob and its pods stands in the demand."""
    pod = {
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": 2}, "requests": {"cpu": "1500m"}}}],
    }
    job = _job(
        {"parallelism": 3, "completions": 6, "activeDeadlineSeconds": 900, "template": {"spec": pod}},
        priority=7,
        placement={
            "nodeSelector": {"site": "north"},
            "regions": ["r1"],
            "tiers": ["Edge"],
            "tolerations": [{"key": "k", "operator": "Exists"}],
            "accelerator": {"models": ["A100"], "minimumMemory": "40Gi", "partitionProfile": "1g.10gb"},
            "objective": "Cheapest",
            "maxLatencyMilliseconds": [{"region": "r1", "milliseconds": 20}],
            "data": {
                "classification": "Secret",
                "residency": ["CN", "HK"],
                "inputs": [{"node": "west", "size": "2Gi"}, {"region": "r2", "size": "1500M"}],
            },
            "weights": {"carbon": 1},
        },
        deadline="2026-03-02T08:00:00+08:00",
    )
    demand = demand_of(job, "payer", attempt=2, avoid=("north",))
    assert (demand.key, demand.name, demand.namespace, demand.account) == ("u1", "train", "team", "payer")
    assert (demand.priority, demand.created, demand.width) == (7, NOW, 3)
    assert demand.request == {"cpu": 1500, "nvidia.com/gpu": 2, "pods": 1}
    assert (demand.models, demand.minimum_memory_bytes, demand.partition_profile) == (
        ("A100",),
        40 * GIBIBYTE,
        "1g.10gb",
    )
    assert (demand.node_selector, demand.regions, demand.tiers) == ({"site": "north"}, ("r1",), ("Edge",))
    assert demand.tolerations == (Toleration(key="k", operator="Exists"),)
    assert demand.machine_selector == {"kubernetes.io/arch": "arm64"}
    assert demand.machine_tolerations == (core.PodToleration(key="dedicated", operator="Exists"),)
    assert (demand.objective, demand.attempt, demand.avoid) == ("Cheapest", 2, ("north",))
    assert (demand.latencies, demand.classification, demand.residency) == ((("r1", 20),), "Secret", ("CN", "HK"))
    assert demand.inputs == ((("node", "west"), 2 * GIBIBYTE), (("region", "r2"), 1_500_000_000))
    assert (demand.weights, demand.deadline) == ({"carbon": 1}, datetime(2026, 3, 2, tzinfo=UTC))
    assert (demand.run_seconds, demand.urgency) == (900, 0)


@pytest.mark.parametrize(
    ("lost", "pod", "grace"),
    [
        pytest.param("Rerun", {}, 30, id="the API server's default"),
        pytest.param("Rerun", {"terminationGracePeriodSeconds": 3600}, 3600, id="its own"),
        pytest.param("Rerun", {"terminationGracePeriodSeconds": 0}, 0, id="at once"),
        pytest.param("Wait", {"terminationGracePeriodSeconds": 3600}, None, id="waits as long as it takes"),
        pytest.param("RerunUnfenced", {"terminationGracePeriodSeconds": 3600}, None, id="need not have stopped"),
    ],
)
def test_grace(lost: str, pod: dict[str, Any], grace: int | None) -> None:
    """How long its pods may take to stop matters to a job that is rerun once they have."""
    job = _job({"template": {"spec": {"containers": [], **pod}}}, placement={"onNodeLost": lost})
    assert demand_of(job, "payer").grace_seconds == grace


def test_what_is_left_of_a_job() -> None:
    """A job of which a part runs already asks for the width that is left, and may be divided."""
    split = Split(pieces=3, minimum_width=2)
    demand = demand_of(_job({"parallelism": 9, "completions": 90}), "payer", attempt=2, width=4, split=split)
    assert (demand.width, demand.split, demand.least) == (4, split, 2)
    assert replace(demand, width=1).least == 1


@pytest.mark.parametrize(("pieces", "minimum"), [(0, 1), (1, 0)])
def test_a_split_into_nothing_is_an_error(pieces: int, minimum: int) -> None:
    """A split that allows no piece, or empty ones, can't be made."""
    with pytest.raises(ValueError, match="allows no piece"):
        Split(pieces, minimum)


def test_a_template_that_is_no_job_is_an_error() -> None:
    """What is no JobSpec is refused with a word on where it is wrong."""
    with pytest.raises(msgspec.ValidationError, match="parallelism"):
        demand_of(_job({"parallelism": "many"}), "payer")
