from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.hub.test_progress import shard

from isthmus.api.dispatch import Dispatch
from isthmus.hub.attempts import LONGEST_PAUSE_SECONDS, MAX_ATTEMPTS, lost_in_vain, pause_seconds, wasted
from isthmus.hub.steering import Steering

Shards = list[tuple[str, Dispatch]]


def lost(first: int, last: int, **status: Any) -> Shards:
    """Attempts of two shards each, all lost."""
    return [shard("Lost", part, attempt=n, **status) for n in range(first, last + 1) for part in ("0-4", "5-9")]


@pytest.mark.parametrize(
    ("shards", "expected"),
    [
        pytest.param([], 0, id="none"),
        pytest.param(lost(1, 3), 3, id="attempts-and-not-shards"),
        pytest.param([shard("Lost", "0-4"), shard("Running", "5-9")], 0, id="half-of-it-runs"),
        pytest.param([shard("Lost", "0-4"), shard("Cancelled", "5-9")], 1, id="half-of-it-was-moved"),
        pytest.param([shard("Lost", "0-4"), shard("Lost", "5-9", succeeded=1)], 0, id="half-of-it-got-on"),
        pytest.param([shard("Cancelled", attempt=1), *lost(2, 4)], 3, id="a-drain-counts-for-nothing"),
        pytest.param([*lost(1, 9), shard("Lost", attempt=10, succeeded=1), *lost(11, 12)], 2, id="since-the-last-gain"),
        pytest.param([*lost(1, 9), shard("Succeeded", "0-4", attempt=10)], 0, id="a-shard-that-ran-to-its-end"),
        pytest.param([*lost(1, 9), shard("Lost", attempt=10, failedIndexes="3")], 0, id="an-index-that-failed-is-done"),
        pytest.param([shard("Running", "0-4"), *lost(2, 9)], 0, id="an-older-one-goes-on"),
        pytest.param([*lost(1, 9), shard("Running", attempt=10)], 9, id="the-next-one-is-under-way"),
        pytest.param([*lost(1, 2), shard("Refused", attempt=3)], 3, id="refused"),
    ],
)
def test_wasted(shards: Shards, expected: int) -> None:
    """Attempts count of which all was lost or refused since the last that got something done."""
    assert wasted(shards) == expected


def test_parts_that_vanish_by_turns() -> None:
    """A job of which something is live at every moment, and of which each attempt vanishes, is given up as well."""
    shards = [*lost(1, MAX_ATTEMPTS), shard("Running", "0-4", attempt=MAX_ATTEMPTS + 1)]
    assert wasted(shards) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("count", "pause"), [(0, 0.0), (1, 0.0), (2, 2.0), (3, 4.0), (9, 256.0), (10, LONGEST_PAUSE_SECONDS), (5000, 300.0)]
)
def test_pause(count: int, pause: float) -> None:
    """The pause doubles with each attempt that is lost in vain, from the second on, up to five minutes."""
    assert pause_seconds(lost_in_vain(lost(1, count))) == pause


def test_no_pause_after_refusals_or_gains() -> None:
    """What a node refuses goes elsewhere at once, and after a gain the count of losses begins anew."""
    refused = [shard("Refused", attempt=n) for n in range(1, 9)]
    assert lost_in_vain(refused) == ()
    assert lost_in_vain([*lost(1, 9), shard("Lost", attempt=10, succeeded=3), *lost(11, 11)]) == (11,)


def test_pause_of_a_clock_that_is_set_back() -> None:
    """After a step back of the clock the pause begins anew, and is no longer than it ever is."""
    times = [datetime(2026, 11, 22, 12, tzinfo=UTC)]
    none: Any = None
    steering = Steering(none, none, none, account_of=str, now=lambda: times[-1], again=lambda *_: None, preemptor=none)
    record: Any = SimpleNamespace(lost=None)
    assert steering._pause(record, lost(1, 3)) == 4
    times.append(times[0] - timedelta(days=1))
    assert steering._pause(record, lost(1, 3)) == 4
    times.append(times[-1] + timedelta(seconds=3))
    assert steering._pause(record, lost(1, 3)) == 1
