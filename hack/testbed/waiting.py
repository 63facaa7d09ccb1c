"""Waiting for a condition, with a deadline: nothing here or in a test sleeps for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LONGEST_TOLD = 400  # characters of the last answer that a failure shows


class DeadlineError(AssertionError):
    """What was waited for did not come in time; the message says what it was and what was seen last."""


def wait_for(
    condition: Callable[[], T],
    deadline_seconds: float,
    what: str,
    *,
    interval_seconds: float = 0.1,
    tolerate: tuple[type[Exception], ...] = (),
) -> T:
    """The condition's first true answer.

    Exceptions named in `tolerate` count as "not yet"; any other passes through.
    Raises DeadlineError after `deadline_seconds`, with `what` and the last answer or exception.
    """
    started = time.monotonic()
    while True:
        last: object
        try:
            answer = condition()
        except tolerate as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        if time.monotonic() - started + interval_seconds > deadline_seconds:
            raise DeadlineError(f"{what}: not within {deadline_seconds:g} s; last seen: {repr(last)[:LONGEST_TOLD]}")
        time.sleep(interval_seconds)
