"""Parts of cards: what is told of them by card is never given out as a sum."""

from dataclasses import replace

import pytest
from tests.unit.placement.fleets import A100, GPU, demand, node, shape, snapshot

from isthmus.capacity.profile import Shape
from isthmus.capacity.shares import CardLimits
from isthmus.placement import place
from isthmus.placement.fit import fit

MEM, CORES = "nvidia.com/gpumem", "nvidia.com/gpucores"
CARD = 81_920


def cards(free: int, *, part: int | None = None) -> tuple[Shape, ...]:
    """A machine of two cards, so many of them without pods; with a part of another free, if so."""
    limits = CardLimits(GPU, MEM, ((CORES, 100), (MEM, CARD)))
    whole = shape(1, accelerator=A100, gpus=2)
    has = {**whole.allocatable, MEM: 2 * CARD, CORES: 200}
    machine = replace(
        whole, free={**has, GPU: free, MEM: free * CARD, CORES: free * 100}, allocatable=has, cards=limits
    )
    if part is None:
        return (machine,)
    half = {**has, "cpu": 16_000, GPU: 10, MEM: CARD, CORES: 100}
    shared = CardLimits(GPU, MEM, ((CORES, 100), (MEM, CARD), (GPU, 1)), shared=True)
    return machine, replace(whole, free={**half, GPU: 9, MEM: part, CORES: 69}, allocatable=half, cards=shared)


@pytest.mark.parametrize(
    ("there", "request_of_one", "pods"),
    [
        pytest.param(cards(2), {GPU: 1, MEM: 8000}, 2, id="a card each, until they are bound"),
        pytest.param(cards(0, part=24_000), {GPU: 1, MEM: 8000}, 3, id="several on a card with pods"),
        pytest.param(cards(1, part=24_000), {GPU: 1, MEM: 8000}, 4, id="both"),
        pytest.param(cards(0, part=24_000), {GPU: 1, MEM: 8000, CORES: 30}, 2, id="cores are short"),
        pytest.param(cards(1, part=24_000), {GPU: 1}, 1, id="a card whole"),
        pytest.param(cards(1, part=24_000), {GPU: 1, CORES: 10}, 1, id="cores alone want a card whole"),
        pytest.param(cards(2, part=24_000), {GPU: 2, MEM: 8000}, 1, id="two cards for a pod"),
        pytest.param(cards(0, part=24_000), {GPU: 2, MEM: 8000}, 0, id="two cards where there is one"),
        pytest.param(cards(2), {GPU: 1, MEM: CARD + 1}, 0, id="more than a card, less than their sum"),
        pytest.param(cards(2), {MEM: 8000}, 0, id="of no card"),
        pytest.param(cards(0, part=24_000), {"cpu": 20_000}, 1, id="no card at all"),
    ],
)
def test_fit(there: tuple[Shape, ...], request_of_one: dict[str, int], pods: int) -> None:
    """How many pods find room."""
    asked = {"cpu": 1000, "pods": 1} | request_of_one
    assert fit(demand(request=asked), there, 10).pods_free == pods


@pytest.mark.parametrize(
    ("request_of_one", "said"),
    [
        ({GPU: 1, MEM: 90_000}, "needs 90000 x nvidia.com/gpumem on one card; the largest card has 81920"),
        ({MEM: 8000}, "asks for nvidia.com/gpumem, but for no nvidia.com/gpu that it is to be of"),
    ],
)
def test_reason(request_of_one: dict[str, int], said: str) -> None:
    """A job that asks for more of a card than any has waits, and says so."""
    (unplaced,) = place(
        snapshot(node("n", *cards(2))), [demand(request={"cpu": 1000, "pods": 1} | request_of_one)]
    ).unplaced
    (verdict,) = unplaced.explanation.nodes
    assert (unplaced.reason, verdict.message) == ("NeverFits", said)
