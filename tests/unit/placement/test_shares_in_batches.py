from dataclasses import replace

from tests.unit.placement.fleets import A100, GPU, NOW, demand, node, profile, shape

from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import AccountLimits, AccountsView, AccountView, Demand, NodeView, Snapshot, Usage, place


def _node(free: int) -> NodeView:
    """A node of 16 GPUs, so many of them free."""
    found = profile(shape(16, accelerator=A100, gpus=1, free={GPU: 0}), shape(free, accelerator=A100, gpus=1))
    return node("n", profile=replace(found, allocatable={GPU: 16}, free={GPU: free}))


def _jobs(account: str, count: int, memory: int = 1) -> list[Demand]:
    request = {"cpu": 1000, "memory": memory * GIBIBYTE, GPU: 1, "pods": 1}
    return [demand(f"{account}{n}", account=account, request=request) for n in range(count)]


def _accounts(**limits: AccountLimits) -> AccountsView:
    """`a` weighs 1 and had two GPUs of late, `b` weighs 3 and had nine."""
    a = AccountView(limits.get("a", AccountLimits(1)), usage=Usage(0.0, {GPU: 2.0}))
    b = AccountView(limits.get("b", AccountLimits(3)), usage=Usage(0.0, {GPU: 9.0}))
    return AccountsView({"a": a, "b": b}, half_life=10.0)


def test_a_program_gives_nobody_anothers_turn() -> None:
    """What is scarce goes to whose turn it is, though others wait whose jobs cost less."""
    jobs = [*_jobs("a", 40, memory=100), *_jobs("b", 40)]
    outcome = place(Snapshot((_node(2),), NOW, _accounts()), jobs)
    assert outcome.programs is not None
    assert {a.demand.account for a in outcome.assignments} == {"a"}
    assert len(outcome.assignments) == 2


def test_a_program_interleaves_by_weight() -> None:
    """In one cycle each account is given what brings it to its part of what is held."""
    jobs = [*_jobs("a", 40), *_jobs("b", 40)]
    even = AccountsView({name: AccountView(AccountLimits(weight)) for name, weight in (("a", 1), ("b", 3))})
    outcome = place(Snapshot((_node(8),), NOW, even), jobs)
    given = [a.demand.account for a in outcome.assignments]
    assert (given.count("a"), given.count("b")) == (2, 6)


def test_what_one_may_not_hold_goes_to_others() -> None:
    """An account at its quota has none of what is free, all of which others get in the same cycle."""
    limits = {"a": AccountLimits(1, {"A100": 1})}
    outcome = place(Snapshot((_node(6),), NOW, _accounts(**limits)), [*_jobs("a", 40), *_jobs("b", 40)])
    given = [a.demand.account for a in outcome.assignments]
    assert (given.count("a"), given.count("b")) == (1, 5)
    reasons = {each.demand.account: each.reason for each in outcome.unplaced}
    assert reasons == {"a": "QuotaExceeded", "b": "InsufficientCapacity"}
