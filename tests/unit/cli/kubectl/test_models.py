from typing import Any

import pytest

from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.models import Offered, offered_by, resource_for, suggestion, unknown

A100 = Offered("NVIDIA-A100-SXM4-40GB", "nvidia.com/gpu")
T4 = Offered("Tesla-T4", "nvidia.com/gpu")
ASCEND = Offered("Ascend910B", "huawei.com/Ascend910B")


def node(*offered: Offered) -> dict[str, Any]:
    """A node that has these."""
    accelerators = [{"model": each.model, "resourceName": each.resource, "total": 1} for each in offered]
    return {"status": {"profile": {"accelerators": accelerators}}}


def test_what_the_fleet_offers() -> None:
    """Each model once, also of nodes without a profile."""
    assert offered_by([node(A100, T4), node(A100), {"status": {}}, {}]) == (A100, T4)


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (["A100"], ()),
        (["a100-sxm4", "T4"], ()),
        (["A10O"], ("A10O",)),
        (["T4", "H100"], ("H100",)),
        ([], ()),
    ],
)
def test_which_wanted_models_nobody_has(wanted: list[str], missing: tuple[str, ...]) -> None:
    """A model is met by its words, as the hub itself takes it."""
    assert unknown(wanted, (A100, T4)) == missing


@pytest.mark.parametrize(
    ("names", "offered", "said"),
    [
        (["A10O"], (A100, T4), "no node has accelerators of model A10O; nearest: NVIDIA-A100-SXM4-40GB"),
        (["zzzz"], (A100, T4), "no node has accelerators of model zzzz; there are: NVIDIA-A100-SXM4-40GB, Tesla-T4"),
        (["A100"], (), "no node has accelerators of model A100, or any at all"),
    ],
)
def test_what_may_have_been_meant(names: list[str], offered: tuple[Offered, ...], said: str) -> None:
    """The nearest model, else all that there are."""
    assert suggestion(names, offered) == said


@pytest.mark.parametrize(
    ("wanted", "offered", "resource"),
    [
        (["Ascend910B"], (A100, ASCEND), "huawei.com/Ascend910B"),
        (["T4"], (A100, T4, ASCEND), "nvidia.com/gpu"),
        ([], (A100, ASCEND), "nvidia.com/gpu"),
        ([], (ASCEND,), "huawei.com/Ascend910B"),
        (["H100"], (ASCEND,), "nvidia.com/gpu"),
        ([], (), "nvidia.com/gpu"),
    ],
)
def test_the_resource_goes_by_the_model(wanted: list[str], offered: tuple[Offered, ...], resource: str) -> None:
    """Pods ask for the resource under which the fleet has the model."""
    assert resource_for(wanted, offered) == resource


def test_two_resources_are_not_guessed_between() -> None:
    """Where models are of several resources, the user says which."""
    with pytest.raises(Complaint, match=r"give --gpu-resource, one of huawei\.com/Ascend910B, nvidia\.com/gpu"):
        resource_for(["A100", "Ascend910B"], (A100, ASCEND))
