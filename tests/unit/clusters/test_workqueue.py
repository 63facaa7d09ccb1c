import asyncio

import pytest

from isthmus.clusters import Unreachable, WorkQueue, earliest

pytestmark = pytest.mark.simulated_time


class Runs:
    """A handler that takes `seconds`, and notes when it ran for what. `answers` are its results or errors, in turn."""

    def __init__(self, seconds: float = 0.0, answers: list[float | Exception | None] | None = None) -> None:
        self.begun: list[tuple[float, str]] = []
        self.ended: list[tuple[float, str]] = []
        self.cancelled: list[str] = []
        self.at_once: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.seconds = seconds
        self.answers = answers or []

    async def __call__(self, key: str) -> float | None:
        """Run."""
        self.begun.append((now(), key))
        self.at_once[key] = self.at_once.get(key, 0) + 1
        self.most[key] = max(self.most.get(key, 0), self.at_once[key])
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        finally:
            self.at_once[key] -= 1
        self.ended.append((now(), key))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def instants(self, key: str) -> list[float]:
        """When runs for the key began."""
        return [instant for instant, each in self.begun if each == key]


def now() -> float:
    """Seconds on the loop's clock."""
    return round(asyncio.get_running_loop().time(), 3)


async def test_never_two_runs_at_once_for_one_key() -> None:
    """However often a key is added, its runs follow one another; other keys run beside it."""
    runs = Runs(seconds=1)
    queue = WorkQueue(runs, name="test")
    for _ in range(8):
        queue.add("a")
        queue.add("b")
        queue.add("a", 0.1)
        await asyncio.sleep(0.35)
    await asyncio.sleep(10)
    assert runs.most == {"a": 1, "b": 1}
    assert runs.instants("a") == [0, 1, 2, 3]
    assert runs.instants("b") == [0, 1, 2, 3]


async def test_a_key_added_while_it_runs_runs_once_more() -> None:
    """A change that comes during a run is not missed, and any number of them costs one further run."""
    runs = Runs(seconds=1)
    queue = WorkQueue(runs, name="test")
    queue.add("a")
    await asyncio.sleep(0.5)
    for _ in range(5):
        queue.add("a")
    await asyncio.sleep(10)
    assert runs.instants("a") == [0, 1]


async def test_a_burst_costs_one_run() -> None:
    """Keys added before their run began are run once."""
    runs = Runs()
    queue = WorkQueue(runs, name="test")
    for _ in range(100):
        queue.add("a")
    await asyncio.sleep(10)
    assert runs.instants("a") == [0]


async def test_at_most_so_many_workers() -> None:
    """No more keys run at once than there are workers, and all get their turn in order."""
    runs = Runs(seconds=1)
    queue = WorkQueue(runs, name="test", workers=2)
    for key in "abcde":
        queue.add(key)
    await asyncio.sleep(10)
    assert runs.begun == [(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e")]


@pytest.mark.parametrize(
    ("delays", "instants"),
    [
        pytest.param([5, 3, 9], [3], id="earliest-of-several"),
        pytest.param([5, 0], [0], id="at-once-drops-the-timer"),
        pytest.param([2, 2], [2], id="same"),
        pytest.param([0, 4], [0, 4], id="later-after-at-once"),
    ],
)
async def test_of_several_wishes_the_earliest_holds(delays: list[float], instants: list[float]) -> None:
    """A later wish for a key never puts off an earlier one, and an earlier one replaces a later."""
    runs = Runs()
    queue = WorkQueue(runs, name="test")
    for delay in delays:
        queue.add("a", delay)
    await asyncio.sleep(20)
    assert runs.instants("a") == instants


@pytest.mark.parametrize("error", [Unreachable("away"), ValueError("a bug")], ids=["temporary", "unforeseen"])
async def test_failures_back_off_doubling_and_begin_anew_after_success(error: Exception) -> None:
    """Waits double from retry_seconds to the limit; after a success the next failure waits the shortest again."""
    answers: list[float | Exception | None] = [error, error, error, error, error, 100.0, error, None]
    runs = Runs(answers=answers)
    queue = WorkQueue(runs, name="test", retry_seconds=1, retry_limit_seconds=5)
    queue.add("a")
    await asyncio.sleep(1000)
    assert runs.instants("a") == [0, 1, 3, 7, 12, 17, 117, 118]


async def test_failures_of_one_key_slow_no_other() -> None:
    """The back-off is each key's own."""
    runs = Runs()

    async def handler(key: str) -> float | None:
        await runs(key)
        if key == "bad":
            raise Unreachable("away")
        return None

    queue = WorkQueue(handler, name="test", retry_seconds=8)
    queue.add("bad")
    for _ in range(3):
        queue.add("good")
        await asyncio.sleep(1)
    assert runs.instants("good") == [0, 1, 2]
    assert runs.instants("bad") == [0]


async def test_a_key_is_tried_again_for_ever() -> None:
    """After hours of failures a key is still tried at the limit's pace, and its first success ends that."""
    failures = 1100
    runs = Runs(answers=[Unreachable("away")] * failures)
    queue = WorkQueue(runs, name="test")
    queue.add("a")
    await asyncio.sleep(failures * 30)
    instants = runs.instants("a")
    assert len(instants) == failures + 1
    assert instants[-1] - instants[-2] == pytest.approx(30)


async def test_a_change_during_a_run_that_fails_waits_for_the_back_off() -> None:
    """Changes that come while a key fails do not make it run without a pause."""
    runs = Runs(seconds=1, answers=[Unreachable("away")])
    queue = WorkQueue(runs, name="test", retry_seconds=10)
    queue.add("a")
    await asyncio.sleep(0.5)
    queue.add("a")
    await asyncio.sleep(100)
    assert runs.instants("a") == [0, 11]


async def test_a_handler_says_when_to_call_it_again() -> None:
    """The seconds that a handler returns pass before its next run, unless the key is added sooner."""
    runs = Runs(answers=[10.0, 10.0, None])
    queue = WorkQueue(runs, name="test")
    queue.add("a")
    await asyncio.sleep(13)
    queue.add("a")
    await asyncio.sleep(100)
    assert runs.instants("a") == [0, 10, 13]


async def test_close_cancels_and_nothing_runs_after() -> None:
    """After close() what ran is cancelled and has ended, and neither timers, waiting keys nor new ones run."""
    runs = Runs(seconds=5)
    queue = WorkQueue(runs, name="test", workers=2)
    for key in ("a", "b", "c"):
        queue.add(key)
    queue.add("d", 3)
    await asyncio.sleep(1)
    queue.add("a")
    await queue.close()
    assert sorted(runs.cancelled) == ["a", "b"]
    queue.add("e")
    queue.add("f", 1)
    await asyncio.sleep(100)
    assert [key for _, key in runs.begun] == ["a", "b"]
    assert runs.ended == []


@pytest.mark.parametrize(
    ("waits", "first"), [((), None), ((None, None), None), ((None, 2.0), 2.0), ((3.0, None, 0.0), 0.0)]
)
def test_of_several_wishes_the_first_holds(waits: tuple[float | None, ...], first: float | None) -> None:
    """Who does not ask to be called again decides nothing."""
    assert earliest(*waits) == first
