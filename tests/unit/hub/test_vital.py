import asyncio
from typing import cast

import pytest

from isthmus.clusters import Unreachable
from isthmus.errors import LedgerError
from isthmus.hub.booking import Booking
from isthmus.hub.vital import Vital, vitals_of

pytestmark = pytest.mark.simulated_time


class Patient:
    """Something that fails, hangs or answers as told; looked at each 10 s, with 15 s for failure, 60 s for silence."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        clock = asyncio.get_running_loop().time
        self.vital = Vital(
            "it was away", self._attempt, every_seconds=10, patience_seconds=15, silence_seconds=60, clock=clock
        )

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
    """An attempt that is not answered at all counts from its beginning, and is borne for longer than a failure."""
    patient = Patient()
    running = asyncio.create_task(patient.vital.run())
    await asyncio.sleep(1)
    patient.answers.clear()
    await asyncio.sleep(9 + 59)
    assert patient.vital.trouble() is None
    await asyncio.sleep(2)
    assert patient.vital.trouble() == "it was away for 61 s: no answer"
    patient.answers.set()
    await asyncio.sleep(0.1)
    assert patient.vital.trouble() is None
    running.cancel()


class Busy:
    """A ledger whose thread reads something long."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def check(self) -> None:
        """Wait for one's turn."""
        await self.done.wait()


async def test_a_ledger_that_is_busy_is_no_trouble() -> None:
    """A look that waits for a long statement to be read leaves the hub ready; one of minutes does not."""
    busy = Busy()

    async def reach() -> None:
        pass

    _, ledger = vitals_of(reach, cast("Booking", busy), asyncio.get_running_loop().time)
    running = asyncio.create_task(ledger.run())
    await asyncio.sleep(120)
    assert ledger.trouble() is None
    await asyncio.sleep(200)
    assert ledger.trouble() == "the ledger could not be written for 320 s: no answer"
    busy.done.set()
    await asyncio.sleep(1)
    assert ledger.trouble() is None
    running.cancel()
