import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import (
    A100,
    GPU,
    MIG,
    NOW,
    T4,
    UNHURRIED,
    demand,
    fleets,
    node,
    price,
    queues,
    shape,
)

from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import (
    AccountLimits,
    AccountsView,
    AccountView,
    Allowance,
    Demand,
    Holding,
    NodeView,
    Outcome,
    Snapshot,
    Split,
    examine,
    place,
    remedies,
)
from isthmus.placement.allowance import of_model
from isthmus.placement.holding import NOTHING

TWO = node("n", shape(2, accelerator=A100, gpus=8))


def _place(
    limits: AccountLimits, *jobs: Demand, holding: Holding = NOTHING, nodes: tuple[NodeView, ...] = (TWO,)
) -> Outcome:
    accounts = AccountsView({"team": AccountView(limits, holding)}, currency="CNY")
    return place(Snapshot(nodes, NOW, accounts), jobs)


def _told(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in outcome.unplaced]


def test_a_quota_of_a_model_with_all_figures() -> None:
    """A job that would take its account over its quota waits, and the reason has all figures."""
    held = Holding({GPU: 6}, {(A100.model,): 6})
    outcome = _place(AccountLimits(gpus={"A100": 8}), demand(gpus=4), demand("small", gpus=2), holding=held)
    assert [a.demand.key for a in outcome.assignments] == ["small"]
    said = "account team may hold 8 x A100, holds 8, the job asks for 4"
    assert _told(outcome) == [("QuotaExceeded", f"0/1 nodes are available: 1 QuotaExceeded ({said})")]
    assert not outcome.unplaced[0].never


def test_what_no_quota_could_ever_hold() -> None:
    """A job that asks for more than its account may have at all is told from one that can wait."""
    outcome = _place(AccountLimits(gpus={"A100": 8}), demand("big", 3, gpus=4))
    assert outcome.unplaced[0].never
    assert "may hold 8 x A100, holds 0, the job asks for 12" in outcome.unplaced[0].message


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        pytest.param(
            AccountLimits(resources={"cpu": 1500}), "may hold 1500m cpu, holds 0, the job asks for 2", id="cores"
        ),
        pytest.param(
            AccountLimits(resources={"memory": GIBIBYTE}),
            "may hold 1Gi memory, holds 0, the job asks for 2Gi",
            id="memory",
        ),
        pytest.param(
            AccountLimits(gpus={"*": 1}), "may hold 1 accelerators, holds 0, the job asks for 2", id="any model"
        ),
        pytest.param(AccountLimits(gpus={"T4": 1}), "", id="another model"),
    ],
)
def test_each_kind_of_quota(limits: AccountLimits, said: str) -> None:
    """Cores, memory and accelerators of any model have quotas too; one of another model does not count."""
    outcome = _place(limits, demand(width=2, gpus=1))
    assert [said in message for _, message in _told(outcome)] == ([True] if said else [])


def test_a_ceiling_counts_prices() -> None:
    """What runs at once may cost so much an hour: the dearer node is closed to the account, the cheaper is not."""
    dear = node("dear", shape(), price=price("0.001"))
    cheap = node("cheap", shape(), price=price("0.0001"))
    limits = AccountLimits(ceiling=Decimal("1.5"))
    outcome = _place(limits, *(demand(f"j{n}") for n in range(5)), nodes=(dear, cheap))
    assert [a.node for a in outcome.assignments] == ["cheap"] * 4  # 0.36 and the memory's 0.0036 each
    said = "account team may spend 1.5 CNY an hour, spends 1.4544, the job would add "
    assert outcome.unplaced[0].reason == "SpendCeilingReached"
    explained = {each.node: each.message for each in outcome.unplaced[0].explanation.nodes}
    assert explained == {"cheap": f"{said}0.3636", "dear": f"{said}3.6036"}


def test_a_job_goes_where_its_quota_has_room() -> None:
    """A model whose quota is used up closes the nodes that have it, and no others."""
    there = (node("a100", shape(accelerator=A100)), node("t4", shape(accelerator=T4)))
    outcome = _place(AccountLimits(gpus={"A100": 0}), demand(gpus=1), nodes=there)
    assert [a.node for a in outcome.assignments] == ["t4"]
    accounts = AccountsView({"team": AccountView(AccountLimits(gpus={"A100": 0}))})
    found = examine(Snapshot(there, NOW, accounts), demand(gpus=1))
    (remedy,) = remedies(Snapshot(there[:1], NOW, accounts), demand(gpus=1))
    assert (remedy.change, remedy.nodes) == ("WaitForAccount", ("a100",))
    assert "may hold 0 x A100, holds 0, the job asks for 1" in remedy.message
    assert {f.node: f.rejection.reason if f.rejection else None for f in found.findings} == {
        "t4": None,
        "a100": "QuotaExceeded",
    }


def test_who_is_over_blocks_nobody() -> None:
    """Another account's jobs, younger and of no higher priority, go on."""
    over = demand("over", gpus=8)
    other = demand("other", gpus=8, account="other")
    outcome = _place(AccountLimits(gpus={"A100": 4}), over, other)
    assert [a.demand.key for a in outcome.assignments] == ["other"]


def test_a_split_job_is_placed_in_part() -> None:
    """As many of its pods as the quota leaves, in pieces that are worth one."""
    limits = AccountLimits(gpus={"A100": 5})
    job = demand("split", 12, gpus=1, split=Split(4, 2))
    outcome = _place(limits, job, nodes=(node("m", shape(accelerator=A100)), node("n", shape(accelerator=A100))))
    assert sum(a.width for a in outcome.assignments) in {4, 5}
    assert all(a.width >= 2 for a in outcome.assignments)
    assert not outcome.unplaced


@pytest.mark.parametrize(
    ("models", "wanted", "count"),
    [
        pytest.param((A100.meter_model,), "A100", 2, id="by word"),
        pytest.param((A100.meter_model,), "a100-sxm4", 2, id="in any case"),
        pytest.param((A100.meter_model,), "A10", 0, id="not by a part of a word"),
        pytest.param((MIG.meter_model,), "A100", 2, id="a partition counts as one"),
        pytest.param((MIG.meter_model,), "A100/1g.10gb", 2, id="a partition by its own name"),
        pytest.param((A100.meter_model,), "A100/1g.10gb", 0, id="a whole one is no partition"),
        pytest.param((A100.meter_model, T4.meter_model), "T4", 2, id="what may be of it counts"),
    ],
)
def test_what_counts_to_a_model(models: tuple[str, ...], wanted: str, count: int) -> None:
    """A quota names models as jobs do."""
    assert of_model(Holding({}, {models: 2}), wanted) == count


def test_giving_back() -> None:
    """What was taken back may be given again, to the last piece."""
    allowance = Allowance(AccountsView({"team": AccountView(AccountLimits(gpus={"*": 3}))}))
    pod = Holding({GPU: 1}, {("A100",): 1})
    assert allowance.pods("team", pod, 9) == 3
    allowance.take("team", pod, 3)
    assert allowance.pods("team", pod, 9) == 0
    allowance.give_back("team", pod, 2)
    assert allowance.pods("team", pod, 9) == 2
    assert allowance.pods("other", pod, 9) == 9


_limits = st.builds(
    AccountLimits,
    weight=st.integers(1, 3),
    gpus=st.dictionaries(st.sampled_from(("A100", "T4", "*")), st.integers(0, 6), max_size=2),
    resources=st.dictionaries(st.sampled_from(("cpu", "memory")), st.integers(0, 8).map(lambda n: n * GIBIBYTE)),
    ceiling=st.one_of(st.none(), st.integers(0, 20).map(Decimal)),
)


@UNHURRIED
@given(
    fleet=fleets(),
    jobs=queues(),
    limits=st.lists(_limits, min_size=2, max_size=2),
    seed=st.integers(0, 99),
    batch=st.sampled_from((1, 32)),
)
def test_no_limit_is_ever_exceeded(
    fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], limits: list[AccountLimits], seed: int, batch: int
) -> None:
    """Over cycles in which jobs come, are placed by a program or one by one, and end, no account holds too much."""
    draw = random.Random(seed)  # noqa: S311 - a simulation
    queue = [replace(job, account=draw.choice("ab")) for job in jobs]
    holdings = {"a": Holding(), "b": Holding()}
    standing: list[tuple[str, Holding]] = []
    for _ in range(4):
        known = {name: AccountView(each, holdings[name]) for name, each in zip("ab", limits, strict=True)}
        there = Snapshot(fleet, NOW, AccountsView(known))
        outcome = place(there, draw.sample(queue, draw.randint(0, len(queue))), batch=batch)
        for each in outcome.assignments:
            standing.append((each.demand.account, each.holding))
            holdings[each.demand.account] = holdings[each.demand.account].plus(each.holding)
        for name, limit in zip("ab", limits, strict=True):
            _within(holdings[name], limit)
        draw.shuffle(standing)
        while standing and draw.random() < 0.5:
            account, holding = standing.pop()
            holdings[account] = holdings[account].minus(holding)
    for account, holding in standing:
        holdings[account] = holdings[account].minus(holding)
    assert holdings == {"a": Holding(), "b": Holding()}


def _within(holding: Holding, limits: AccountLimits) -> None:
    for model, most in limits.gpus.items():
        assert of_model(holding, model) <= most
    for name, most in limits.resources.items():
        assert holding.resources.get(name, 0) <= most
    assert limits.ceiling is None or holding.per_hour <= limits.ceiling
