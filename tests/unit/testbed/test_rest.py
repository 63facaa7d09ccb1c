"""The raw client asks again when the server names a time to, and passes on any other refusal."""

import pytest

from testbed import ApiError
from testbed.rest import BUSY_SECONDS, RestClient

BUSY = (429, '{"reason": "TooManyRequests"}', 1.0)
DONE = (200, "{}", None)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds slept so far; a clock that only sleeping moves."""
    slept: list[float] = []
    monkeypatch.setattr("testbed.rest.time.sleep", slept.append)
    monkeypatch.setattr("testbed.rest.time.monotonic", lambda: sum(slept))
    return slept


def client(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str, float | None]) -> RestClient:
    """A client whose server gives these answers, the last of them for ever."""
    left = list(answers)
    monkeypatch.setattr(RestClient, "_once", lambda *_: left.pop(0) if len(left) > 1 else left[0])
    return RestClient("https://127.0.0.1:1", "")


def test_asks_again_after_the_time_named(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    """A 429 with Retry-After is not the answer; the one after it is."""
    assert client(monkeypatch, BUSY, BUSY, DONE).get("/") == {}
    assert waits == [1.0, 1.0]


def test_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    """A server that stays busy is an error in the end."""
    with pytest.raises(ApiError, match="429"):
        client(monkeypatch, BUSY).get("/")
    assert sum(waits) == BUSY_SECONDS


@pytest.mark.parametrize("answer", [(429, "an eviction refused", None), (503, "{}", 1.0)])
def test_other_refusals_are_passed_on(
    answer: tuple[int, str, float | None], monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    """Other errors, and a 429 that names no time (an eviction refused), are told at once."""
    with pytest.raises(ApiError, match=str(answer[0])):
        client(monkeypatch, answer).get("/")
    assert waits == []
