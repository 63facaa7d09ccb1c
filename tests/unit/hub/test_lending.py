import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.offer import Offer
from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity import AcceleratorTable, Profile, Shape
from isthmus.hub.lending import Lending, shape_of, share_of
from isthmus.placement import Terms

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
GPU = "nvidia.com/gpu"
DAY = {"windows": [{"from": "09:00", "to": "17:00"}]}


def offer(**fields: Any) -> Offer:
    """An offer as a user writes it."""
    return Offer.model_validate(fields)


def profile(*shapes: Shape, **allocatable: int) -> Profile:
    """A member with so much to give out in all."""
    return Profile(NOON, 1, allocatable, allocatable, (), shapes)


def terms(offered: Offer, seen: Profile | None = None, held: Mapping[str, int] | None = None) -> Terms:
    """The terms at noon."""
    return Lending(AcceleratorTable.default()).terms("east", offered, seen, lambda: held or {}, NOON)


SHARES: dict[str, tuple[Any, int]] = {
    "number": (3, 3),
    "quantity": ("3", 3),
    "percent": ("50%", 3),  # of 7
    "nothing": ("0%", 0),
    "all": ("100%", 7),
}


@pytest.mark.parametrize(("written", "most"), SHARES.values(), ids=SHARES)
def test_share(written: Any, most: int) -> None:
    """A share is an amount, or a percentage of what is allocatable, rounded down."""
    assert share_of(offer(share={GPU: written}), profile(**{GPU: 7})) == {GPU: most}


def test_units_of_a_share() -> None:
    """Cores are counted in thousandths and memory in bytes, as everywhere; what a member does not have is none."""
    offered = offer(share={"cpu": "1500m", "memory": "25%", "amd.com/gpu": "50%"})
    assert share_of(offered, profile(memory=10 * GIBIBYTE)) == {
        "cpu": 1500,
        "memory": 10 * GIBIBYTE // 4,
        "amd.com/gpu": 0,
    }


@given(there=st.integers(0, 2**62), percent=st.integers(0, 100))
def test_a_percentage_is_never_exceeded(there: int, percent: int) -> None:
    """Rounded down, exactly, however much there is."""
    most = share_of(offer(share={"cpu": f"{percent}%"}), profile(cpu=there))["cpu"]
    assert 100 * most <= there * percent < 100 * (most + 1)


def test_what_is_left_of_a_share() -> None:
    """What our work holds is taken from the share; more than that may be held where the share was lowered since."""
    found = terms(offer(share={"cpu": "4", GPU: 2}), profile(cpu=9000), {"cpu": 5000, "memory": 7})
    assert (found.share, found.left) == ({"cpu": 4000, GPU: 2}, {"cpu": -1000, GPU: 2})
    assert terms(offer()) == Terms()


def test_accounts_and_queue() -> None:
    """Whom the node is for, and whether a queue of the member has a say, are read off the offer."""
    found = terms(offer(accounts={"names": ["a", "b"], "except": ["b"]}, labels={"kueue.x-k8s.io/queue-name": "lent"}))
    assert found == Terms(accounts=frozenset({"a", "b"}), excepted=frozenset({"b"}), queued=True)


HOURS: dict[str, tuple[dict[str, Any], int, str, bool, float]] = {
    "open": (DAY, 12, "", False, 5 * 3600),
    "closed, work stays": (
        DAY,
        18,
        "the node lends nothing at this hour; it does again from 2026-03-05T09:00:00Z",
        False,
        15 * 3600,
    ),
    "closed, in the notice": (
        {**DAY, "reclaimNoticeSeconds": 7200},
        18,
        "the node lends nothing at this hour; it does again from 2026-03-05T09:00:00Z",
        False,
        3600,
    ),
    "closed, the notice over": (
        {**DAY, "reclaimNoticeSeconds": 3600},
        18,
        "the node lends nothing at this hour; it does again from 2026-03-05T09:00:00Z",
        True,
        15 * 3600,
    ),
    "always": ({"reclaimNoticeSeconds": 0}, 12, "", False, math.inf),
    "of nowhere": (
        {"windows": [{"from": "09:00", "to": "17:00", "timeZone": "Mars"}], "reclaimNoticeSeconds": 0},
        12,
        "spec.offer.windows can't be read: there is no time zone 'Mars'; write an IANA name such as Asia/Shanghai",
        False,
        math.inf,
    ),
}


@pytest.mark.parametrize(("fields", "hour", "closed", "reclaimed", "left"), HOURS.values(), ids=HOURS)
def test_hours(fields: dict[str, Any], hour: int, closed: str, reclaimed: bool, left: float) -> None:
    """Whether the node lends now, whether what runs is to leave, and when that changes."""
    lending, offered, now = Lending(AcceleratorTable.default()), offer(**fields), NOON.replace(hour=hour)
    assert lending.closed("east", offered, now) == closed
    assert lending.reclaimed("east", offered, now) is reclaimed
    assert lending.changes_in("east", offered, now) == left


def test_hours_follow_time_and_offer() -> None:
    """One that remembers says the same as a fresh one, hour by hour, and heeds a change of the offer at once."""
    lending, offered = Lending(AcceleratorTable.default()), offer(**DAY, reclaimNoticeSeconds=1800)
    for half in range(96):
        now = NOON + timedelta(minutes=30 * half)
        fresh = Lending(AcceleratorTable.default())
        assert lending.closed("east", offered, now) == fresh.closed("east", offered, now)
        assert lending.reclaimed("east", offered, now) == fresh.reclaimed("east", offered, now)
    back = Lending(AcceleratorTable.default())
    assert back.closed("east", offered, NOON.replace(hour=18))
    assert not back.closed("east", offered, NOON)
    assert not back.closed("east", offer(), NOON.replace(hour=18))
    assert back.closed("east", offered, NOON.replace(hour=18))


def test_machines_that_may_come() -> None:
    """A scalable shape is read as any machine is, and those of it that are there already are counted."""
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
    pool = {"name": "pool", "allocatable": {"cpu": 8, "memory": "64Gi", GPU: 4}, "labels": labels, "maximum": 3}
    offered = offer(scalable=[pool])
    shape = shape_of(offered.scalable[0], AcceleratorTable.default())
    assert (shape.count, shape.allocatable) == (3, {"cpu": 8000, "memory": 64 * GIBIBYTE, GPU: 4, "pods": 110})
    (accelerator,) = shape.accelerators
    assert accelerator.model == "NVIDIA-A100-SXM4-80GB"
    assert terms(offered).coming == ()  # nothing is known of the member yet
    assert terms(offered, profile()).coming == (shape,)
    there = Shape(2, {}, shape.allocatable, shape.accelerators)
    assert [each.count for each in terms(offered, profile(there)).coming] == [1]
    assert terms(offered, profile(there, there)).coming == ()
