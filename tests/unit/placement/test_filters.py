from typing import Any

import pytest
from tests.unit.placement.fleets import A100, GPU, MIG, T4, TAINT, demand, node, price, shape, snapshot

from isthmus.api.computenode import Taint
from isthmus.api.placement import Toleration
from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import Shape
from isthmus.placement import Split, place

CPU_ONLY = (shape(2),)
MIXED = (shape(1, accelerator=A100), shape(1, accelerator=T4, gpus=4))

# (shapes, facts of the node, facts of the job, reason, permanent, message)
CASES = {
    "cordoned": (
        CPU_ONLY,
        {"scheduling_state": "Cordoned"},
        {},
        "Cordoned",
        False,
        "the node is cordoned and takes no new work",
    ),
    "drained": (
        CPU_ONLY,
        {"scheduling_state": "Drained"},
        {},
        "Drained",
        False,
        "the node is drained of its work and takes no new work",
    ),
    "stops too slowly": (
        CPU_ONLY,
        {"stop_allowance_seconds": 60},
        {"grace_seconds": 3600},
        "StopAllowanceTooShort",
        True,
        (
            "its pods may take 3600 s to stop, onNodeLost Rerun goes by 60 s here; lower terminationGracePeriodSeconds "
            "to that, or have the node's stopAllowanceSeconds raised"
        ),
    ),
    "not ready, with its reason": (
        CPU_ONLY,
        {"ready": False, "not_ready_reason": "Unreachable", "not_ready_message": "no answer for 30 s"},
        {},
        "Unreachable",
        False,
        "no answer for 30 s",
    ),
    "not ready, without": (CPU_ONLY, {"ready": False}, {}, "NotReady", False, "the node is not ready"),
    "no profile": ((), {"profile": None}, {}, "NoProfile", False, "the node has not published its capacity yet"),
    "no machines": ((), {}, {}, "NoMachines", False, "the node has no machine that takes pods at the moment"),
    "avoided": (
        CPU_ONLY,
        {},
        {"avoid": ("n",)},
        "Avoided",
        True,
        "an earlier attempt of the job was refused or lost here",
    ),
    "tier": (
        CPU_ONLY,
        {},
        {"tiers": ("Edge", "Region")},
        "TierMismatch",
        True,
        "wants tier Edge or Region; this is Core",
    ),
    "region": (
        CPU_ONLY,
        {"region": "south"},
        {"regions": ("north",)},
        "RegionMismatch",
        True,
        "wants region north; this is south",
    ),
    "label missing": (
        CPU_ONLY,
        {},
        {"node_selector": {"site": "a"}},
        "NodeSelectorMismatch",
        True,
        "wants label site=a; the node has no such label",
    ),
    "label differs": (
        CPU_ONLY,
        {"labels": {"site": "b"}},
        {"node_selector": {"site": "a"}},
        "NodeSelectorMismatch",
        True,
        "wants label site=a; the node has b",
    ),
    "taint": (
        CPU_ONLY,
        {"taints": (Taint(key="for", value="hpc"),)},
        {"tolerations": (Toleration(key="for", value="web"),)},
        "UntoleratedTaint",
        True,
        "the job does not tolerate the node's taint for=hpc",
    ),
    "model, other node's": (
        MIXED,
        {},
        {"models": ("V100",), "gpus": 1},
        "ModelNotOffered",
        True,
        "wants V100; this node has NVIDIA-A100-SXM4-80GB, Tesla-T4; nearest offered: NVIDIA-A100-SXM4-80GB",
    ),
    "model, nothing like it": (
        (shape(accelerator=T4),),
        {},
        {"models": ("Gaudi",), "gpus": 1},
        "ModelNotOffered",
        True,
        "wants Gaudi; this node has Tesla-T4; no node offers it",
    ),
    "memory": (
        MIXED,
        {},
        {"minimum_memory_bytes": 96 * GIBIBYTE, "gpus": 1},
        "AcceleratorMemoryTooSmall",
        True,
        "wants 96Gi of memory on each accelerator; this node has NVIDIA-A100-SXM4-80GB with 80Gi, Tesla-T4 with 16Gi",
    ),
    "partition": (
        (shape(accelerator=MIG),),
        {},
        {"partition_profile": "2g.20gb", "request": {MIG.resource_name: 1, "pods": 1}},
        "PartitionNotOffered",
        True,
        "wants partition 2g.20gb; this node has NVIDIA-A100-SXM4-80GB 1g.10gb",
    ),
    "no tariff": (CPU_ONLY, {"price": None}, {}, "NoTariff", False, "the node has no tariff"),
    "expired tariff": (
        CPU_ONLY,
        {"price": price(current=False)},
        {},
        "Expired",
        False,
        "tariff v1 was valid until yesterday",
    ),
    "unpriced model": (
        (shape(accelerator=A100),),
        {"price": price(gpus={"Tesla-T4": "1"})},
        {"gpus": 1},
        "ModelUnpriced",
        False,
        "the node's tariff has no price for its accelerators: NVIDIA-A100-SXM4-80GB",
    ),
    "too large even were it priced": (
        (shape(accelerator=A100),),
        {"price": price(gpus={"Tesla-T4": "1"})},
        {"gpus": 16},
        "NeverFits",
        True,
        "needs 16 x nvidia.com/gpu on one machine; the largest machine has 8",
    ),
    "a block too large": (
        (shape(3, accelerator=T4, gpus=4),),
        {},
        {"gpus": 8},
        "NeverFits",
        True,
        "needs 8 x nvidia.com/gpu on one machine; the largest machine has 4",
    ),
    "no machine has all of it": (
        (shape(accelerator=T4, cores=8), shape(cores=64)),
        {},
        {"request": {"cpu": 32000, GPU: 1, "pods": 1}},
        "NeverFits",
        True,
        "needs 1 x nvidia.com/gpu + 32 cpu on one machine; no machine that it may use has all of that",
    ),
    "too many pods": (
        CPU_ONLY,
        {},
        {"width": 65},
        "NeverFits",
        True,
        "needs 65 pods of 1 cpu + 1Gi memory at once; the machines it may use hold 64 if empty",
    ),
    "too many for a piece": (
        CPU_ONLY,
        {},
        {"width": 200, "split": Split(pieces=4, minimum_width=65)},
        "NeverFits",
        True,
        "needs room for 65 of 200 pods of 1 cpu + 1Gi memory at once; the machines it may use hold 64 if empty",
    ),
    "resource missing": (
        CPU_ONLY,
        {},
        {"gpus": 1},
        "ResourceNotOffered",
        True,
        "needs 1 x nvidia.com/gpu; this node has no nvidia.com/gpu",
    ),
    "machine taints": (
        (shape(taints=(TAINT,)),),
        {},
        {},
        "UntoleratedMachineTaints",
        True,
        "the pods do not tolerate the machines' taints: dedicated",
    ),
    "machine labels": (
        CPU_ONLY,
        {},
        {"machine_selector": {"kubernetes.io/arch": "arm64"}},
        "MachineLabelMismatch",
        True,
        "the pods want machines with kubernetes.io/arch=arm64; none that would do has that",
    ),
    "no room now": (
        (shape(1, accelerator=A100, free={GPU: 2}), shape(1, accelerator=A100)),
        {},
        {"gpus": 8, "width": 2},
        "InsufficientCapacity",
        False,
        "needs 2 pods of 8 x nvidia.com/gpu + 1 cpu + 1Gi memory; room for 1 now, short of nvidia.com/gpu",
    ),
    "no room for a piece": (
        (shape(1, free={"cpu": 5000}),),
        {},
        {"width": 40, "split": Split(pieces=4, minimum_width=6)},
        "InsufficientCapacity",
        False,
        "needs room for 6 of 40 pods of 1 cpu + 1Gi memory; room for 5 now, short of cpu",
    ),
}


@pytest.mark.parametrize(
    ("there", "node_facts", "job_facts", "reason", "permanent", "message"), CASES.values(), ids=CASES.keys()
)
def test_rejection(
    there: tuple[Shape, ...],
    node_facts: dict[str, Any],
    job_facts: dict[str, Any],
    reason: str,
    *,
    permanent: bool,
    message: str,
) -> None:
    """A node that can't take a job is passed over with a reason and a message that a user understands."""
    (unplaced,) = place(snapshot(node("n", *there, **node_facts)), [demand(**job_facts)]).unplaced
    assert (unplaced.reason, unplaced.never) == (reason, permanent)
    (verdict,) = unplaced.explanation.nodes
    assert (verdict.node, verdict.reason, verdict.message) == ("n", reason, message)


@pytest.mark.parametrize(
    ("there", "node_facts", "job_facts"),
    [
        pytest.param(CPU_ONLY, {}, {"tiers": ("Core",)}, id="tier"),
        pytest.param(CPU_ONLY, {"region": "north"}, {"regions": ("south", "north")}, id="region"),
        pytest.param(CPU_ONLY, {"labels": {"site": "a", "b": "c"}}, {"node_selector": {"site": "a"}}, id="label"),
        pytest.param(
            CPU_ONLY,
            {"taints": (Taint(key="for", value="hpc"),)},
            {"tolerations": (Toleration(key="for", operator="Exists"),)},
            id="taint",
        ),
        pytest.param(MIXED, {"price": price(gpus={"Tesla-T4": "1"})}, {"gpus": 1}, id="one model is priced"),
        pytest.param((shape(free={"cpu": 0}),), {}, {"width": 0}, id="no pods at all need no room"),
        pytest.param(CPU_ONLY, {"stop_allowance_seconds": 30}, {"grace_seconds": 30}, id="stops in time"),
        pytest.param(CPU_ONLY, {"stop_allowance_seconds": 1}, {}, id="any time to stop will do"),
        pytest.param((shape(1, free={"cpu": 6000}),), {}, {"width": 40, "split": Split(4, 6)}, id="room for one piece"),
    ],
)
def test_acceptance(there: tuple[Shape, ...], node_facts: dict[str, Any], job_facts: dict[str, Any]) -> None:
    """A node that meets what is asked for gets the job."""
    outcome = place(snapshot(node("n", *there, **node_facts)), [demand(**job_facts)])
    assert [a.node for a in outcome.assignments] == ["n"]
