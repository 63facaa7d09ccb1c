from typing import Any

import pytest

from isthmus.api.dispatch import Dispatch
from isthmus.hub.latetime import repeated

NOON = "2026-11-22T12:00:00Z"
SOON = "2026-11-22T12:00:01Z"


def _dispatch(
    attempt: int, indexes: str | None = None, late: str | None = None, *, shard: int = 0, made: str = NOON, **told: Any
) -> Dispatch:
    spec: dict[str, Any] = {
        "job": {"namespace": "t", "name": "j", "uid": "u"},
        "account": "t",
        "shard": shard,
        "attempt": attempt,
        "sequence": attempt,
        "manifest": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "d"}, "spec": {}},
        **({"indexes": indexes} if indexes else {}),
    }
    status = {"state": "Lost", "reason": "Fenced", **({"lateIndexes": late} if late else {}), **told}
    metadata = {"name": f"d{attempt}", "uid": f"{attempt}-{shard}", "creationTimestamp": made}
    return Dispatch.model_validate({"metadata": metadata, "spec": spec, "status": status})


LOST = _dispatch(2, "0-9", "3,4")
UNFENCED = _dispatch(2, "0-9", "3,4", reason="Unfenced", completedIndexes="0-4")


@pytest.mark.parametrize(
    ("lost", "others", "pin", "expected"),
    [
        pytest.param(LOST, [LOST], (2, 1), False, id="nothing after it"),
        pytest.param(LOST, [_dispatch(1, "0-99"), LOST], (2, 1), False, id="one before it"),
        pytest.param(LOST, [LOST, _dispatch(2, "10-19", shard=1)], (2, 2), False, id="another of the same attempt"),
        pytest.param(LOST, [LOST, _dispatch(3, "5-9")], (3, 1), False, id="a later one for the rest"),
        pytest.param(LOST, [LOST, _dispatch(3, "4-9")], (3, 1), True, id="a later one for one of them"),
        pytest.param(LOST, [LOST, _dispatch(3)], (3, 1), True, id="a later one for the whole job"),
        pytest.param(LOST, [LOST, _dispatch(3, "5-9")], (4, 1), True, id="one is being written"),
        pytest.param(LOST, [LOST, _dispatch(3, "5-9")], (3, 2), True, id="one of two is being written"),
        pytest.param(LOST, [LOST], (2, 2), True, id="one of its own attempt is yet to be written"),
        pytest.param(
            LOST, [LOST, _dispatch(2, "4,10-19", shard=1, made=SOON)], (2, 2), True, id="its attempt used again later"
        ),
        pytest.param(LOST, [LOST, _dispatch(2, "4,10", shard=1)], (2, 2), True, id="its attempt used again at once"),
        pytest.param(
            _dispatch(2, "0-9", "3,4", made=SOON),
            [LOST, _dispatch(2, "4,10", shard=1)],
            (2, 2),
            False,
            id="it is itself the one that was written later",
        ),
        pytest.param(UNFENCED, [UNFENCED, _dispatch(3, "5-9")], (3, 1), True, id="time of what did not end well"),
        pytest.param(UNFENCED, [UNFENCED, _dispatch(3, "10-19")], (3, 1), False, id="none of what it may be of"),
        pytest.param(_dispatch(2, "0-9"), [_dispatch(3, "5-9")], (3, 1), True, id="time without an index"),
        pytest.param(
            _dispatch(2, "0-9", "3", overrunIndexes="4"),
            [_dispatch(3, "4")],
            (3, 1),
            True,
            id="a later one for what ran on",
        ),
        pytest.param(
            _dispatch(2, "0-9", overrunIndexes="4"), [_dispatch(3, "5-9")], (3, 1), False, id="a later one for others"
        ),
        pytest.param(_dispatch(2), [_dispatch(2)], (2, 1), False, id="not numbered, nothing after it"),
        pytest.param(_dispatch(2), [_dispatch(3)], (3, 1), True, id="not numbered, a later one"),
    ],
)
def test_repeated(lost: Dispatch, others: list[Dispatch], pin: tuple[int, int], expected: bool) -> None:
    """Late time is of work done again where a Dispatch made later covers any of it, or may, whatever its attempt."""
    assert repeated(lost, others, pin) is expected
