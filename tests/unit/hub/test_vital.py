import asyncio

import pytest

from isthmus.clusters import Unreachable
from isthmus.errors import LedgerError
from isthmus.hub.vital import Vital

pytestmark = pytest.mark.simulated_time


class Patient:
    """Something that fails, hangs or answers as told, and the look at it each 10 s with 15 s of patience."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        clock = asyncio.get_running_loop().time
        self.vital = Vital("it was away", self._attempt, every_seconds=10, patience_seconds=15, clock=clock)

    async def _attempt(self) -> None:
        await self.answers.wait()
        if self.error is not None:
            raise self.error


async def test_trouble_comes_after_patience_and_goes_with_an_answer() -> None:
    """A failure is no trouble until it lasted; it is told with since when and why; one answer ends it."""
    patient = Patient()
    running = asyncio.create_task(patient.vital.run())
    await asyncio.sleep(1)
    assert patient.vital.trouble() is None
    patient.error = Unreachable("connection refused")
    await asyncio.sleep(20)  # tried at 10 and 20
    assert patient.vital.trouble() is None
    await asyncio.sleep(8)
    assert patient.vital.trouble() == "it was away for 19 s: connection refused"
    patient.error = LedgerError("the disk is full", "make room")
    await asyncio.sleep(2.2)
    assert patient.vital.trouble() == "it was away for 21 s: the disk is full; make room"
    patient.error = None
    await asyncio.sleep(10)
    assert patient.vital.trouble() is None
    running.cancel()


async def test_silence_is_trouble_too() -> None:
    """An attempt that is not answered at all counts from its beginning."""
    patient = Patient()
    running = asyncio.create_task(patient.vital.run())
    await asyncio.sleep(1)
    patient.answers.clear()
    await asyncio.sleep(9 + 14)
    assert patient.vital.trouble() is None
    await asyncio.sleep(2)
    assert patient.vital.trouble() == "it was away for 16 s: no answer"
    patient.answers.set()
    await asyncio.sleep(0.1)
    assert patient.vital.trouble() is None
    running.cancel()
