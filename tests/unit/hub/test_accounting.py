from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from isthmus.api.accounts import AccountsConfig
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_HOLDING
from isthmus.hub.accounting import Accounting, holding_of, holding_text
from isthmus.placement import Holding

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GPU = "nvidia.com/gpu"
FOUR = Holding({"cpu": 4000, GPU: 4}, {("NVIDIA-A100",): 4}, Decimal("12.5"))
JOB = {"namespace": "team", "name": "train", "uid": "u1"}
MANIFEST: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": {}}


class Books:
    """An accounting whose clock goes when told to."""

    def __init__(self, half_life: int = 100) -> None:
        self.at = 1000.0
        self.accounting = Accounting("CNY", lambda: self.at)
        self.accounting.configure(AccountsConfig.read({"halfLifeSeconds": half_life}))

    def held(self, account: str = "team") -> Holding:
        """What counts against its limits."""
        return self.accounting.view().of(account).holding

    def average(self, account: str = "team") -> float:
        """The GPUs that it held on average."""
        return self.accounting.view().average(account).get(GPU, 0.0)


def _dispatch(
    sequence: int, state: str | None = None, *, holding: Holding | None = FOUR, age: float = 0.0, **status: object
) -> Dispatch:
    notes: Mapping[str, str] = {} if holding is None else {ANNOTATION_HOLDING: holding_text(holding)}
    created = (NOON - timedelta(seconds=age)).isoformat()
    return Dispatch.model_validate(
        {
            "metadata": {"name": f"d{sequence}", "creationTimestamp": created, "annotations": notes},
            "spec": {
                "job": JOB,
                "account": "team",
                "shard": 0,
                "attempt": 1,
                "sequence": sequence,
                "manifest": MANIFEST,
            },
            "status": {"state": state, **status},
        }
    )


@pytest.mark.parametrize("holding", [FOUR, Holding(), Holding({}, {("A", "B"): 2})])
def test_a_dispatch_carries_what_it_holds(holding: Holding) -> None:
    """What is written on it is read again as it was."""
    assert holding_of(_dispatch(1, holding=holding)) == holding
    assert holding_of(_dispatch(1, holding=None)) == Holding()


def test_a_dispatch_counts_once() -> None:
    """From the moment that its room is set aside, through all that the watch shows of it, until it has ended."""
    books = Books()
    books.accounting.begin("n", 1, "team", FOUR)
    assert books.held() == FOUR
    for state in (None, "Accepted", "Running", "Running"):
        books.accounting.observed("n", _dispatch(1, state))
        assert books.held() == FOUR
    books.accounting.observed("n", _dispatch(1, "Succeeded"))
    assert not books.held()
    books.accounting.end("n", 1)
    books.accounting.observed("n", _dispatch(1, "Succeeded"))
    assert not books.held()


def test_one_that_was_not_written_counts_no_more() -> None:
    """And one that lands after all counts again."""
    books = Books()
    books.accounting.begin("n", 1, "team", FOUR)
    books.accounting.end("n", 1)
    assert not books.held()
    books.accounting.observed("n", _dispatch(1))
    assert books.held() == FOUR


def test_a_suspended_shard_keeps_its_place() -> None:
    """It counts against the quota, as it resumes without being placed anew, and not to the share."""
    books = Books()
    books.accounting.begin("n", 1, "team", FOUR)
    books.at += 100
    books.accounting.observed("n", _dispatch(1, "Suspended"))
    assert books.held() == FOUR
    assert books.average() == pytest.approx(2)
    books.at += 100
    assert books.average() == pytest.approx(1)
    books.accounting.observed("n", _dispatch(1, "Running"))
    books.at += 100
    assert books.average() == pytest.approx(2.5)


def test_a_restart_comes_to_the_same_shares() -> None:
    """What ran, and what runs, is known again from the Dispatches that are there."""
    lived = Books()
    lived.accounting.begin("n", 1, "team", FOUR)
    lived.at += 150
    lived.accounting.observed("n", _dispatch(1, "Succeeded"))
    lived.at += 50
    lived.accounting.begin("n", 2, "team", FOUR)
    lived.at += 30
    began = Books()
    ended = (NOON - timedelta(seconds=80)).isoformat()
    began.accounting.recall("n", _dispatch(1, "Succeeded", age=230, completionTime=ended), NOON)
    began.accounting.recall("n", _dispatch(2, "Running", age=30), NOON)
    assert began.held() == lived.held() == FOUR
    assert began.average() == pytest.approx(lived.average())
    assert began.accounting.view().lifetime == lived.accounting.view().lifetime == 150
    began.at += 40
    lived.at += 40
    assert began.average() == pytest.approx(lived.average())


def test_settings_come_into_force_at_once() -> None:
    """Limits are those of the name, else the default's, of accounts that hold something and of those that don't."""
    books = Books()
    books.accounting.begin("n", 1, "team", FOUR)
    quota = {"gpus": {"A100": 8}, "cores": "1500m", "memory": "1Gi"}
    named = {"team": {"weight": 3, "quota": quota, "ceiling": "9.5"}}
    books.accounting.configure(AccountsConfig.read({"default": {"weight": 2}, "named": named}))
    view = books.accounting.view()
    team = view.of("team")
    assert (team.holding, team.limits.weight, team.limits.ceiling) == (FOUR, 3, Decimal("9.5"))
    assert (team.limits.gpus, team.limits.resources) == ({"A100": 8}, {"cpu": 1500, "memory": 1 << 30})
    assert view.of("other").limits.weight == 2
    books.accounting.configure(AccountsConfig.read({}))
    assert books.accounting.view().of("team").limits.weight == 1


def test_accounts_that_are_long_idle_are_forgotten() -> None:
    """Namespaces that come and go leave nothing behind for ever."""
    books = Books(half_life=1)
    for number in range(1000):
        books.accounting.begin("n", number, f"team-{number}", FOUR)
        books.accounting.end("n", number)
        books.at += 1
        known = books.accounting.view().known
        assert len(known) < 200


@pytest.mark.parametrize("text", ["?", "{}", '{"resources":{},"accelerators":[],"perHour":"NaN"}'])
def test_an_unreadable_holding_is_none(text: str) -> None:
    """What somebody else wrote there keeps the hub from nothing, and no sum is spoilt by it."""
    strange = _dispatch(1, holding=None)
    strange.metadata["annotations"] = {ANNOTATION_HOLDING: text}
    books = Books()
    books.accounting.recall("west", strange, NOON)
    assert books.held() == Holding()
