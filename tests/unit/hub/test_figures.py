from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.hub.standinghub import StandingHub, standing_hub
from tests.unit.hub.world import BEGIN, GIBIBYTE, compute_node
from tests.waiting import eventually

from isthmus import __version__
from isthmus.api.accounts import AccountsConfig
from isthmus.api.computejob import Phase
from isthmus.capacity import Profile
from isthmus.capacity.profile import Accelerator, AcceleratorTotal
from isthmus.clusters import COMPUTEJOBS, NAMESPACES
from isthmus.hub.figures import MOST_RESOURCES, Figures
from isthmus.hub.metrics import METRICS
from isthmus.hub.standing import Standing
from isthmus.placement import Holding

A100 = Accelerator("NVIDIA", "nvidia.com/gpu", "A100")
SLICE = Accelerator("NVIDIA", "nvidia.com/mig-1g.5gb", "A100", partition_profile="1g.5gb")
PROFILE = Profile(
    observed_at=BEGIN,
    machines=3,
    allocatable={"cpu": 96_500, "memory": 8 * GIBIBYTE, "pods": 330, "nvidia.com/gpu": 16, "hugepages-2Mi": 1024},
    free={"cpu": 1_500, "memory": GIBIBYTE, "pods": 300, "nvidia.com/gpu": 3, "hugepages-2Mi": 0},
    accelerators=(
        AcceleratorTotal(replace(A100, memory_bytes=40 * GIBIBYTE), 8, 3),
        AcceleratorTotal(replace(A100, memory_bytes=80 * GIBIBYTE), 8, 0),
        AcceleratorTotal(SLICE, 7, 7),
    ),
    shapes=(),
)


def _submit(world: StandingHub, name: str, phase: str = "") -> None:
    container = {"name": "main", "image": "work", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    template = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    body = {"metadata": {"name": name, "namespace": "team-a"}, "spec": {"template": template}}
    world.api.put(COMPUTEJOBS, {**body, **({"status": {"phase": phase}} if phase else {})})


def test_before_the_hub_is_there() -> None:
    """A process that begins shows what runs, and that it is not ready."""
    registry = CollectorRegistry()
    registry.register(Figures(Standing()))
    found = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }
    assert found["isthmus_ready"] == ({}, 0.0)
    assert found["isthmus_build_info"][0]["version"] == __version__
    assert len(found) == 2


async def test_every_metric_is_exposed(tmp_path: Path) -> None:
    """What a hub exposes is what the list of metrics has, of the kinds and with the texts that it says."""
    async with standing_hub(tmp_path) as world:
        families = text_string_to_metric_families(generate_latest(world.registry).decode())
        exposed = {
            (family.name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
            for family in families
        }
        assert exposed == {(metric.name, metric.kind, metric.text) for metric in METRICS}


async def test_jobs_by_phase_and_reason(tmp_path: Path) -> None:
    """Jobs are counted by phase, ended ones too, and pending ones by why they wait."""
    async with standing_hub(tmp_path) as world:
        world.api.put(NAMESPACES, {"metadata": {"name": "team-a"}})
        assert world.samples("isthmus_jobs") == {(phase.value,): 0.0 for phase in Phase}
        assert world.samples("isthmus_pending_jobs") == {}
        for name in ("a", "b"):
            _submit(world, name)
        for name in ("c", "d", "e"):
            _submit(world, name, "Succeeded")
        _submit(world, "f", "Failed")
        await eventually(lambda: world.samples("isthmus_pending_jobs") == {("NoNodes",): 2.0}, "a verdict on both")
        jobs = world.samples("isthmus_jobs")
        assert {key[0]: count for key, count in jobs.items() if count} == {"Pending": 2, "Succeeded": 3, "Failed": 1}
        assert world.samples("isthmus_placement_attempts_total")[("Placed",)] == 0
        assert world.samples("isthmus_placement_step_seconds_count")[("Decide",)] >= 1
        world.api.remove(COMPUTEJOBS, "c", "team-a")
        await eventually(lambda: world.samples("isthmus_jobs")[("Succeeded",)] == 2)


async def test_nodes(tmp_path: Path) -> None:
    """A node's figures are in base units, accelerators by model; all its series go when it does."""
    async with standing_hub(tmp_path) as world:
        world.hub.fleet.put(compute_node("east"))
        assert world.samples("isthmus_node_allocatable") == {}  # nothing is known of it yet
        world.hub.fleet.observed("east", PROFILE)
        assert world.samples("isthmus_node_allocatable") == {
            ("east", "cpu", "core"): 96.5,
            ("east", "memory", "byte"): 8 * GIBIBYTE,
            ("east", "pods", "integer"): 330,
            ("east", "hugepages-2Mi", "byte"): 1024,
        }
        assert world.samples("isthmus_node_free")["east", "cpu", "core"] == 1.5
        assert world.samples("isthmus_node_accelerators") == {
            ("east", "NVIDIA", "nvidia.com/gpu", "A100"): 16,
            ("east", "NVIDIA", "nvidia.com/mig-1g.5gb", "A100/1g.5gb"): 7,
        }
        assert world.samples("isthmus_node_accelerators_free") == {
            ("east", "NVIDIA", "nvidia.com/gpu", "A100"): 3,
            ("east", "NVIDIA", "nvidia.com/mig-1g.5gb", "A100/1g.5gb"): 7,
        }
        assert world.samples("isthmus_node_machines") == {("east",): 3}
        assert world.samples("isthmus_nodes") == {("Core", "Active"): 1}
        world.hub.fleet.drop("east")
        text = generate_latest(world.registry).decode()
        assert "east" not in text


async def test_accounts_that_are_named(tmp_path: Path) -> None:
    """Those of the file have series of their own, whether they hold anything or not; all others have one together."""
    async with standing_hub(tmp_path) as world:
        accounting = world.hub.fleet.accounting
        accounting.configure(AccountsConfig.read({"named": {"acme": {"weight": 3}, "idle": {}}}))
        for sequence, account in enumerate(("acme", "x", "y")):
            accounting.begin("east", sequence, account, Holding({"cpu": 1500}, {}, Decimal("2.5")))
        assert world.samples("isthmus_account_weight") == {("acme",): 3, ("idle",): 1}
        assert world.samples("isthmus_account_spend_per_hour") == {("acme",): 2.5, ("idle",): 0, ("",): 5}
        assert world.samples("isthmus_account_holding") == {("acme", "cpu", "core"): 1.5, ("", "cpu", "core"): 3}
        assert world.samples("isthmus_account_share").keys() == {("acme",), ("idle",), ("",)}


async def test_what_a_member_says_of_itself_is_bounded(tmp_path: Path) -> None:
    """A member that lists thousands of resources does not make thousands of series."""
    async with standing_hub(tmp_path) as world:
        world.hub.fleet.put(compute_node("east"))
        many = {f"example.com/r{number:05}": 1 for number in range(5000)}
        world.hub.fleet.observed("east", replace(PROFILE, allocatable=many, free={}, accelerators=()))
        assert len(world.samples("isthmus_node_allocatable")) == MOST_RESOURCES


async def test_traffic_and_restarts(tmp_path: Path) -> None:
    """Requests are counted by verb, what failed by reason, and watches that broke by resource."""
    async with standing_hub(tmp_path) as world:
        assert world.samples("isthmus_api_requests_total")["", "list"] >= 4
        assert world.samples("isthmus_watch_restarts_total") == {}
        world.api.disconnect()
        await eventually(lambda: len(world.samples("isthmus_watch_restarts_total")) == 4)
        resources = {resource for _, resource in world.samples("isthmus_watch_restarts_total")}
        assert resources == {"computejobs", "dispatches", "namespaces", "secrets"}


@pytest.mark.parametrize("queue", ["jobs", "dispatcher", "nodes", "settlements"])
async def test_queues(tmp_path: Path, queue: str) -> None:
    """Each work queue of the hub has its depth and its retries."""
    async with standing_hub(tmp_path) as world:
        assert world.samples("isthmus_workqueue_depth")[queue,] == 0
        assert world.samples("isthmus_workqueue_retries_total")[queue,] == 0
