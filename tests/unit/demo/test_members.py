import pytest

from demo.accelerators import PRODUCTS, RESOURCE
from demo.failure import DemoError
from demo.members import MEMBERS, Kind, cut_machines, played_machine
from demo.plan import Plan
from demo.trace import TraceMachine
from isthmus.capacity import AcceleratorTable


def test_each_tier_has_one_member() -> None:
    """Core, Region, Industry and Edge, each under an existing parent that stands before it."""
    assert [member.tier for member in MEMBERS] == ["Core", "Region", "Industry", "Edge"]
    names = [member.name for member in MEMBERS]
    assert all(member.parent is None or member.parent in names[:number] for number, member in enumerate(MEMBERS))


def test_members_mix_models_and_have_machines_without_gpus(plan: Plan) -> None:
    """Every member holds at least two GPU models under one resource name; each has CPU-only machines but none alone."""
    for machines in plan.machines.values():
        models = {machine.model for machine in machines}
        assert "" in models
        assert len(models - {""}) >= 2


def test_no_machine_is_in_two_members(plan: Plan) -> None:
    """A machine of the trace is cut once."""
    names = [machine.name for machine in plan.all_machines]
    assert len(set(names)) == len(names)


def test_every_model_of_a_member_has_a_price(plan: Plan) -> None:
    """No line of the demo can be Unpriced: each member's tariff names each of its models."""
    for member in plan.members:
        models = {machine.model for machine in plan.machines[member.name] if machine.gpus}
        assert models == set(member.tariff.gpus)
        assert models <= set(PRODUCTS)


def test_machines_that_are_not_there_are_said() -> None:
    """A trace with too few machines of a kind ends in a DemoError that says how many are needed."""
    machine = TraceMachine("node", 128_000, 786_432, 8, "G3")
    with pytest.raises(DemoError, match=r"has 0 machines like Kind\(count=1, .*V100M32"):
        cut_machines(MEMBERS, [machine])


def test_a_kind_is_all_of_its_figures() -> None:
    """A machine with another count of GPUs is of another kind."""
    kind = Kind(1, 32_000, 131_072, 4, "V100M16")
    assert kind.matches(TraceMachine("a", 32_000, 131_072, 4, "V100M16"))
    assert not kind.matches(TraceMachine("b", 32_000, 131_072, 8, "V100M16"))


@pytest.mark.parametrize("model", sorted(PRODUCTS))
def test_the_hub_reads_the_labels_as_the_model(model: str) -> None:
    """A machine's labels make the hub's accelerator table name the product and its memory."""
    machine = played_machine(TraceMachine("node", 96_000, 393_216, 8, model))

    accelerator = AcceleratorTable.default().classify(RESOURCE, machine.labels)
    assert accelerator is not None
    product = PRODUCTS[model]
    assert accelerator.model == product.name
    assert accelerator.memory_bytes == (product.memory_mib << 20 if product.memory_mib else None)
    assert machine.extended == {RESOURCE: "8"}


def test_a_machine_without_gpus_has_no_gpu_labels() -> None:
    """A CPU machine offers cores and memory, and nothing says otherwise."""
    machine = played_machine(TraceMachine("node", 32_000, 262_144, 0, ""))
    assert (machine.cpu, machine.memory, machine.labels, machine.extended) == ("32000m", "262144Mi", {}, {})
