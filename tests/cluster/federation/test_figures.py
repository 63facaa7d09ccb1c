"""Figures decide while they are in force, and not a moment longer; deadlines that pass, and those that never could."""

from datetime import UTC, datetime, timedelta
from typing import Any

from federation import Federation, compute_job, job_spec
from testbed import Machine, wait_for

MEMBERS = {"east": [Machine("e1", "16", "64Gi")], "west": [Machine("w1", "16", "64Gi")]}
# Long enough for jobs to be placed by the figures, on a busy machine too.
VALID_SECONDS = 25
Object = dict[str, Any]


def _instant(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _state(fed: Federation, node: str, grams: str, milliseconds: int, **validity: str) -> None:
    """Have the node state its carbon, and how far it is from `lab`."""
    intensity = {"gramsPerKilowattHour": grams, "source": "a test", **validity}
    latency = {"region": "lab", "milliseconds": milliseconds, "basis": "Measured", **validity}
    energy = {"pue": "1.2", "carbonIntensity": intensity}
    spec = {"energy": energy, "network": {"latencies": [latency]}}
    fed.hub.rest.patch(f"/apis/isthmus.dev/v1alpha1/computenodes/{node}", {"spec": spec})


def _submit(fed: Federation, name: str, **spec: Any) -> None:
    fed.hub.apply([compute_job(name, job_spec(cpu="100m"), **spec)])


def _placed_on(fed: Federation, name: str) -> str:
    """The node that the job was given to."""
    fed.wait_condition("computejobs", name, "Placed", "True", namespace="team-a", seconds=30)
    return str(fed.job(name)["status"]["shards"][0]["node"])


def _verdicts(fed: Federation, name: str) -> dict[str, Object]:
    return {each["node"]: each for each in fed.job(name)["status"]["explanation"]["nodes"]}


NEAR = {"maxLatencyMilliseconds": [{"region": "lab", "milliseconds": 20}]}


def test_figures_count_while_they_are_valid(fed: Federation) -> None:
    """A green job goes where the figure is best and a near one where it is near, until the very end of both."""
    end = _instant(VALID_SECONDS)
    _state(fed, "west", "400", 90)
    _state(fed, "east", "100", 5, validUntil=end)
    fed.wait_condition("computenodes", "east", "FiguresCurrent", "True", reason="Current")
    _submit(fed, "green", placement={"objective": "Greenest"})
    _submit(fed, "near", placement=NEAR)
    assert (_placed_on(fed, "green"), _placed_on(fed, "near")) == ("east", "east")
    assert {name: each["parts"]["carbon"] for name, each in _verdicts(fed, "green").items()} == {
        "east": 100,
        "west": 25,
    }
    assert _verdicts(fed, "near")["east"]["parts"]["latency"] == 75
    too_far = _verdicts(fed, "near")["west"]
    assert (too_far["reason"], too_far["message"]) == (
        "LatencyTooHigh",
        "wants lab within 20 ms; it is 90 ms from here",
    )

    condition = fed.wait_condition("computenodes", "east", "FiguresCurrent", "False", reason="NotInForce", seconds=60)
    assert f"the carbon intensity was valid until {end}" in condition["message"]
    _submit(fed, "green-later", placement={"objective": "Greenest"})
    _submit(fed, "near-later", placement=NEAR)
    assert _placed_on(fed, "green-later") == "west"
    east = _verdicts(fed, "green-later")["east"]
    assert east["parts"]["carbon"] == 0
    assert east["message"] == f"carbon 0: the node's carbon intensity was valid until {end}"
    fed.wait_condition("computejobs", "near-later", "Placed", "False", namespace="team-a")
    lapsed = _verdicts(fed, "near-later")["east"]
    assert (lapsed["reason"], lapsed["message"]) == (
        "LatencyUnknown",
        f"wants lab within 20 ms; the node's latency to it was valid until {end}",
    )

    _state(fed, "east", "100", 5, validUntil=_instant(3600))
    assert _placed_on(fed, "near-later") == "east"
    fed.wait_condition("computenodes", "east", "FiguresCurrent", "True", reason="Current")


def test_figures_that_are_taken_out(fed: Federation) -> None:
    """A node that states no figures any more has no condition about them."""
    fed.hub.rest.patch("/apis/isthmus.dev/v1alpha1/computenodes/west", {"spec": {"energy": None, "network": None}})
    wait_for(lambda: not fed.condition("computenodes", "west", "FiguresCurrent"), 30, "the condition to go")


def test_a_deadline_that_passes_is_told(fed: Federation) -> None:
    """A job that waits past its deadline is told that it is late and goes on, and is late no more if it is moved."""
    _submit(fed, "late", deadline=_instant(8), placement={"tiers": ["Industry"]})
    late = fed.wait_condition("computejobs", "late", "Late", "True", reason="DeadlinePassed", namespace="team-a")
    assert "the job goes on" in late["message"]
    path = "/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs/late"
    fed.hub.rest.patch(path, {"spec": {"deadline": _instant(3600)}})
    fed.wait_condition("computejobs", "late", "Late", "False", reason="InTime", namespace="team-a")
    fed.hub.rest.patch(path, {"spec": {"placement": {"tiers": None}}})
    assert _placed_on(fed, "late") in MEMBERS


def test_a_deadline_before_creation_is_mended(fed: Federation) -> None:
    """A job that was to be done before it was made waits, with both named; with another deadline it runs."""
    _submit(fed, "before", deadline="2026-01-01T00:00:00Z")
    placed = fed.wait_condition(
        "computejobs", "before", "Placed", "False", reason="ContradictoryConstraints", namespace="team-a"
    )
    created = fed.job("before")["metadata"]["creationTimestamp"]
    assert placed["message"].startswith(
        f"spec.deadline 2026-01-01T00:00:00Z and metadata.creationTimestamp {created} contradict each other"
    )
    path = "/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs/before"
    fed.hub.rest.patch(path, {"spec": {"deadline": _instant(3600)}})
    fed.wait_job("before")


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
