from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.api.core import Node, Pod
from isthmus.capacity import (
    AcceleratorTable,
    ExpectedPods,
    MachineTable,
    Profile,
    Shape,
    from_status,
    impossible,
    to_status,
)
from isthmus.capacity.cards import Card, Held, cards_of, held_by
from isthmus.capacity.shares import CardLimits

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GPU, MEM, CORES, PERCENT = "nvidia.com/gpu", "nvidia.com/gpumem", "nvidia.com/gpucores", "nvidia.com/gpumem-percentage"
REGISTER, HELD = "hami.io/node-nvidia-register", "hami.io/vgpu-devices-allocated"
A, B = "GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448", "GPU-7023a4c2-4128-840d-2b86-ab87d8bf7f47"
ONE = f"{A},10,32768,100,NVIDIA-Tesla V100-PCIE-32GB,0,true,0,hami-core:"
TWO = ONE + f"{B},10,32768,100,NVIDIA-Tesla V100-PCIE-32GB,0,true,1,hami-core:"


def machine(register: str | None, allocatable: dict[str, str] | None = None, name: str = "a") -> Node:
    """A machine that is ready, with this list of cards; its device plugin counts ten pods for each of two cards."""
    manifest = {
        "metadata": {"name": name, "annotations": {} if register is None else {REGISTER: register}},
        "status": {
            "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110", GPU: "20", **(allocatable or {})},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return msgspec.convert(manifest, Node)


def pod(uid: str, held: str | None, requests: dict[str, str] | None = None) -> Pod:
    """A pod on the machine; `held` is what HAMi's annotation says."""
    requests = requests or {GPU: "1", MEM: "8000", "cpu": "2"}
    manifest = {
        "metadata": {"name": uid, "uid": uid, "annotations": {} if held is None else {HELD: held}},
        "spec": {"nodeName": "a", "containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": {"phase": "Running"},
    }
    return msgspec.convert(manifest, Pod)


def figures(table: MachineTable, *expected: ExpectedPods) -> Profile:
    """The profile at a fixed moment, which the hub must believe and read back as it was."""
    profile = table.profile(now=NOW, expected=expected)
    assert impossible(profile) is None
    assert from_status(to_status(profile)) == replace(profile, waiting=())
    return profile


def of_cards(profile: Profile) -> list[dict[str, int]]:
    """What is free of cards, by shape: the machine itself first."""
    shapes = sorted(profile.shapes, key=lambda shape: shape.is_part)
    return [{name: shape.free[name] for name in (GPU, MEM, CORES, PERCENT)} for shape in shapes]


def test_formats() -> None:
    """Cards and what is held of them are read as HAMi writes them, in each of its forms."""
    assert cards_of(TWO) == (Card(A, 10, 32768, 100, usable=True), Card(B, 10, 32768, 100, usable=True))
    assert cards_of(f"{A},10,32768,100,NVIDIA,0,false:") == (Card(A, 10, 32768, 100, usable=False),)
    assert cards_of(f"{A},7,40960,100,NVIDIA-A100,0,true,0,mig:") == (Card(A, 7, 40960, 100, usable=False),)
    listed = '[{"id":"A","count":7,"devmem":65536,"devcore":20,"type":"Ascend910B3","health":true}]'
    assert cards_of(listed) == (Card("A", 7, 65536, 20, usable=True),)
    assert held_by(f"{A},NVIDIA,20000,30:;") == (Held(A, 20000, 30),)
    assert held_by(f"{A},NVIDIA,3000,0:{B},NVIDIA,3000,0:;;{A},NVIDIA,1,2:;") == (
        Held(A, 3000, 0),
        Held(B, 3000, 0),
        Held(A, 1, 2),
    )


@pytest.mark.parametrize(
    "text",
    ["", "nothing", ":", f"{A},ten,1,1,T,0,true:", f"{A},1,-1,1,T,0,true:", f"{A},1,1,1:", ONE + ONE, "[{}]", "[]"],
)
def test_unreadable(text: str) -> None:
    """Of a machine whose list of cards can't be read no card is promised; all else of it is."""
    with pytest.raises(ValueError, match=r".*"):
        cards_of(text)
    table = MachineTable()
    table.upsert_machine(machine(text))
    profile = figures(table)
    assert (profile.machines, profile.accelerators, profile.free["cpu"]) == (1, (), 64_000)
    assert GPU not in profile.free


def test_empty() -> None:
    """Cards that no pod is on are counted as cards, not as the pods that may share them."""
    table = MachineTable()
    table.upsert_machine(machine(TWO))
    profile = figures(table)
    assert of_cards(profile) == [{GPU: 2, MEM: 65536, CORES: 200, PERCENT: 200}]
    assert [(each.total, each.free) for each in profile.accelerators] == [(2, 2)]
    assert profile.shapes[0].cards == CardLimits(GPU, MEM, ((CORES, 100), (MEM, 32768), (PERCENT, 100)))


def test_shared() -> None:
    """A card with pods is a part of its machine, which has the rest; the totals are those of the machine."""
    table = MachineTable()
    table.upsert_machine(machine(TWO))
    table.upsert_pod(pod("p", f"{A},NVIDIA,8000,30:;"))
    profile = figures(table)
    assert of_cards(profile) == [
        {GPU: 1, MEM: 32768, CORES: 100, PERCENT: 100},
        {GPU: 9, MEM: 24768, CORES: 69, PERCENT: 0},
    ]
    assert profile.machines == 1
    assert (profile.free["cpu"], profile.allocatable["cpu"]) == (62_000, 64_000)
    assert sorted(shape.free["cpu"] for shape in profile.shapes) == [31_000, 31_000]
    assert [(each.total, each.free) for each in profile.accelerators] == [(2, 1)]
    table.remove_pod("p")
    assert len(figures(table).shapes) == 1


@pytest.mark.parametrize("held", [None, "", f"{A},NVIDIA,lots,0:;", "GPU-elsewhere,NVIDIA,8000,0:;"])
def test_untold(held: str | None) -> None:
    """A pod that does not tell its card may be on any: as many as it has are gone, and no part of any is promised."""
    table = MachineTable()
    table.upsert_machine(machine(TWO))
    table.upsert_pod(pod("p", held))
    assert of_cards(figures(table)) == [{GPU: 1, MEM: 32768, CORES: 100, PERCENT: 100}]
    table.upsert_pod(pod("q", f"{A},NVIDIA,8000,0:;"))
    assert of_cards(figures(table)) == [{GPU: 0, MEM: 0, CORES: 0, PERCENT: 0}]
    table.upsert_pod(pod("p", f"{A},NVIDIA,8000,0:;"))
    assert of_cards(figures(table))[1] == {GPU: 8, MEM: 16768, CORES: 99, PERCENT: 0}


def test_no_list() -> None:
    """Shares of which nothing tells the cards are promised to nobody; cards are counted as ever."""
    table = MachineTable()
    table.upsert_machine(machine(None, {MEM: "65536"}))
    free = figures(table).free
    assert free[GPU] == 20
    assert MEM not in free


def test_expected() -> None:
    """Pods on their way are taken from where they may be: those that want a card whole from no card with pods."""
    table = MachineTable()
    table.upsert_machine(machine(TWO))
    table.upsert_pod(pod("p", f"{A},NVIDIA,8000,30:;"))
    whole = ExpectedPods({GPU: 1, "pods": 1}, 3, {})
    assert [each[GPU] for each in of_cards(figures(table, whole))] == [0, 9]
    part = ExpectedPods({GPU: 1, MEM: 12000, "pods": 1}, 9, {})
    assert [each[MEM] for each in of_cards(figures(table, part))] == [20768, 768]


def test_ascend() -> None:
    """Where memory is rounded up to templates, only cards without pods are promised."""
    table = MachineTable()
    cards = [{"id": n, "count": 4, "devmem": 21527, "devcore": 8, "health": True} for n in ("x", "y")]
    node = machine(None, {"huawei.com/Ascend310P": "8"})
    node.metadata.annotations["hami.io/node-register-Ascend310P"] = msgspec.json.encode(cards).decode()
    table.upsert_machine(node)
    holder = pod("p", None, {"huawei.com/Ascend310P": "1", "huawei.com/Ascend310P-memory": "3072"})
    holder.metadata.annotations["hami.io/Ascend310P-devices-allocated"] = "x,Ascend310P,3072,0:;"
    table.upsert_pod(holder)
    [shape] = figures(table).shapes
    assert shape.free["huawei.com/Ascend310P"] == 1
    assert shape.free["huawei.com/Ascend310P-memory"] == 21527


def test_own_table() -> None:
    """An administrator's entry says which resources are shares, and where their cards are told."""
    own = {"memory": "example.com/npu-mem", "nodeAnnotation": "example.com/cards", "podAnnotation": "example.com/on"}
    entry = {"resourceName": "example.com/npu", "vendor": "Example", "shares": own}
    table = MachineTable(AcceleratorTable.default().extended([entry]))
    node = machine(None, {"example.com/npu": "8", "example.com/npu-mem": "99999"})
    node.metadata.annotations["example.com/cards"] = "c,4,16384,100,NPU,0,true:"
    table.upsert_machine(node)
    [shape] = figures(table).shapes
    assert (shape.free["example.com/npu"], shape.free["example.com/npu-mem"]) == (1, 16384)


REQUESTS = st.fixed_dictionaries(
    {GPU: st.sampled_from([1, 1, 1, 2, 3]), "pods": st.just(1)},
    optional={
        MEM: st.integers(1, 8) | st.integers(1, 20),
        CORES: st.sampled_from([30, 69, 70, 99, 100]),
        PERCENT: st.integers(1, 100),
        "cpu": st.integers(1, 3000),
    },
)
CARDS = st.lists(st.tuples(st.integers(1, 4), st.integers(4, 20)), min_size=1, max_size=4)
HOLDS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.sampled_from([0, 0, 1, 30])), max_size=5)


class Packer:
    """HAMi's own rules for one card after another, tried in every way: whether the pods fit, by search."""

    def __init__(self, cards: list[list[int]], cpu: int) -> None:
        self.cards = cards  # slots, memory, all memory, cores, pods on it
        self.cpu = cpu

    def fits(self, pods: list[dict[str, int]]) -> bool:
        """Whether there is an order of cards that takes all of the pods."""
        if sum(each.get("cpu", 0) for each in pods) > self.cpu:
            return False
        # Largest first, as that is what finds a way if there is one, but all ways are tried.
        return self._place(sorted(pods, key=lambda p: (-p[GPU], MEM in p, -p.get(MEM, 0), -p.get(CORES, 0))))

    def _place(self, pods: list[dict[str, int]]) -> bool:
        return not pods or self._on(pods, pods[0][GPU], 0)

    def _on(self, pods: list[dict[str, int]], wanted: int, first: int) -> bool:
        if not wanted:
            return self._place(pods[1:])
        asked = pods[0]
        for i in range(first, len(self.cards)):
            before = list(self.cards[i])
            slots, memory, every, cores, on = before
            share = PERCENT in asked or MEM in asked
            need = asked.get(MEM) or (every * asked[PERCENT] // 100 if share else every)
            core = asked.get(CORES, 0)
            exclusive = (core == 100 and on) or (not core and not cores)
            if slots < 1 or memory < need or cores < core or exclusive:
                continue
            self.cards[i] = [slots - 1, memory - need, every, cores - core, on + 1]
            if self._on(pods, wanted - 1, i + 1):
                return True
            self.cards[i] = before
        return False


def promised(shapes: list[Shape], wanted: list[dict[str, int]]) -> list[dict[str, int]]:
    """What a hub sends that takes as much as it may, by sums, as placement does."""
    left = [(shape.cards, Counter(shape.free)) for shape in shapes for _ in range(shape.count)]
    sent: list[dict[str, int]] = []
    for request in wanted:
        for cards, free in left:
            if (cards is None or cards.admits(request)) and all(free[n] >= a for n, a in request.items()):
                free.subtract(request)
                sent.append(request)
                break
    return sent


@settings(deadline=None, max_examples=400)
@given(CARDS, HOLDS, st.lists(REQUESTS, max_size=10), st.booleans())
def test_promise_kept(
    sizes: list[tuple[int, int]],
    holds: list[tuple[int, int, int]],
    wanted: list[dict[str, int]],
    dumb: bool,
) -> None:
    """Whatever is promised has room on single cards by HAMi's rules, also if a pod does not tell which it is on."""
    cards = [[slots, memory, memory, 100, 0] for slots, memory in sizes]
    table = MachineTable()
    listed = "".join(f"{i},{slots},{memory},100,T,0,true:" for i, (slots, memory) in enumerate(sizes))
    table.upsert_machine(machine(listed))
    used = 0
    for n, (place, memory, cores) in enumerate(holds):
        card = cards[place % len(cards)]
        if card[0] < 1 or card[1] < memory or card[3] < cores:
            continue
        told = f"{place % len(cards)},T,{memory},{cores}:;" if n or not dumb else None
        table.upsert_pod(pod(str(n), told, {GPU: "1", MEM: str(memory), "cpu": "2"}))
        cards[place % len(cards)] = [card[0] - 1, card[1] - memory, card[2], card[3] - cores, card[4] + 1]
        used += 2000
    shapes = list(figures(table).shapes)
    for ordered in (shapes, shapes[::-1]):
        sent = promised(ordered, wanted)
        assert Packer([list(card) for card in cards], 64_000 - used).fits(sent), sent


def test_sums_deceive() -> None:
    """Eight cards with 4 GiB left each have no 32 GiB, but eight times 4."""
    table = MachineTable()
    uuids = [f"GPU-{i}" for i in range(8)]
    table.upsert_machine(
        machine("".join(f"{uuid},10,32768,100,V100,0,true,{i},hami-core:" for i, uuid in enumerate(uuids)))
    )
    for uuid in uuids:
        table.upsert_pod(pod(uuid, f"{uuid},NVIDIA,28672,10:;"))
    shapes = list(figures(table).shapes)
    assert len(promised(shapes, [{GPU: 1, MEM: 4096, "pods": 1}] * 20)) == 8
    assert not promised(shapes, [{GPU: 1, MEM: 4097, "pods": 1}, {GPU: 1, "pods": 1}, {GPU: 2, MEM: 1, "pods": 1}])
