from typing import Any

import pytest

from isthmus.api.dispatch import Dispatch
from isthmus.hub.latetime import repeated


def _dispatch(
    attempt: int, indexes: str | None = None, late: str | None = None, overrun: str | None = None
) -> Dispatch:
    spec: dict[str, Any] = {
        "job": {"namespace": "t", "name": "j", "uid": "u"},
        "account": "t",
        "shard": 0,
        "attempt": attempt,
        "sequence": attempt,
        "manifest": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "d"}, "spec": {}},
        **({"indexes": indexes} if indexes else {}),
    }
    told = {"state": "Lost", "lateIndexes": late, "overrunIndexes": overrun}
    status = {key: value for key, value in told.items() if value}
    return Dispatch.model_validate({"metadata": {"name": f"d{attempt}", "uid": "x"}, "spec": spec, "status": status})


LOST = _dispatch(2, "0-9", "3,4")


@pytest.mark.parametrize(
    ("lost", "others", "assigned", "expected"),
    [
        pytest.param(LOST, [LOST], 2, False, id="nothing after it"),
        pytest.param(LOST, [_dispatch(1, "0-99"), LOST], 2, False, id="one before it"),
        pytest.param(LOST, [LOST, _dispatch(2, "10-19")], 2, False, id="another of the same attempt"),
        pytest.param(LOST, [LOST, _dispatch(3, "5-9")], 3, False, id="a later one for the rest"),
        pytest.param(LOST, [LOST, _dispatch(3, "4-9")], 3, True, id="a later one for one of them"),
        pytest.param(LOST, [LOST, _dispatch(3)], 3, True, id="a later one for the whole job"),
        pytest.param(LOST, [LOST, _dispatch(3, "5-9")], 4, True, id="one is being written"),
        pytest.param(_dispatch(2, "0-9", "3", "4"), [_dispatch(3, "4")], 3, True, id="a later one for what ran on"),
        pytest.param(_dispatch(2, "0-9", None, "4"), [_dispatch(3, "5-9")], 3, False, id="a later one for others"),
        pytest.param(_dispatch(2, "0-9"), [_dispatch(3, "5-9")], 3, True, id="time without an index"),
        pytest.param(_dispatch(2), [_dispatch(2)], 2, False, id="not numbered, nothing after it"),
        pytest.param(_dispatch(2), [_dispatch(3)], 3, True, id="not numbered, a later one"),
    ],
)
def test_repeated(lost: Dispatch, others: list[Dispatch], assigned: int, expected: bool) -> None:
    """Late time is of work done again where a later attempt covers any of it, or may."""
    assert repeated(lost, others, assigned) is expected
