"""Ledgers to test on: SQLite always, and PostgreSQL where ISTHMUS_TEST_POSTGRES names a server to make schemas in."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from isthmus.api.computenode import Identity, ModelPrice, Prices, Tariff
from isthmus.api.dispatch import JobReference, MeterQuantity, Reading
from isthmus.ledger import Ledger, ReadingBooked

POSTGRES = os.environ.get("ISTHMUS_TEST_POSTGRES", "")


# A process that has imported everything and forks children, so that each starts at once and at the moment it is to.
# It never waits for them, so that the id of one that has ended stays taken and a kill can hit no other.
NURSERY = """
import json, os, sys, traceback
import alembic.command, sqlalchemy.dialects.postgresql
import isthmus.ledger
for line in sys.stdin:
    source, pipe, arguments = json.loads(line)
    if os.fork() == 0:
        sys.stdout = open(pipe, "w", buffering=1)
        print(os.getpid())
        try:
            exec(source, {"arguments": arguments})
        except BaseException:
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(0)
"""


@dataclass
class Child:
    """A process that runs beside the test, and what it prints."""

    pid: int
    printed: TextIO

    def kill(self) -> list[str]:
        """End it as a power cut would; returns what it had printed and was not read. Its end is seen before that."""
        os.kill(self.pid, signal.SIGKILL)
        return self.rest()

    def rest(self) -> list[str]:
        """What it prints until it ends."""
        with self.printed:
            return self.printed.readlines()


@pytest.fixture(scope="session")
def nursery() -> Iterator[IO[str]]:
    """Takes the orders to fork."""
    process = subprocess.Popen([sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    yield process.stdin
    process.stdin.close()
    process.wait(timeout=30)


@pytest.fixture
def fork(nursery: IO[str], tmp_path: Path) -> Callable[..., Child]:
    """Runs a piece of Python, with `arguments`, in a process of its own."""

    def start(source: str, *arguments: object) -> Child:
        pipe = tmp_path / uuid4().hex
        os.mkfifo(pipe)
        nursery.write(json.dumps([source, str(pipe), arguments]) + "\n")
        nursery.flush()
        printed = pipe.open()
        return Child(int(printed.readline()), printed)

    return start


@pytest.fixture(scope="session", params=["sqlite", *(["postgresql"] if POSTGRES else [])])
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """URLs of databases that are empty, one a call."""

    def sqlite() -> str:
        return f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}"

    def postgresql() -> str:
        schema = f"ledger_{uuid4().hex}"
        engine = create_engine(POSTGRES)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        engine.dispose()
        url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
        return url.render_as_string(hide_password=False)

    return postgresql if request.param == "postgresql" else sqlite


@pytest.fixture
def ledger_url(new_url: Callable[[], str]) -> str:
    """A database of the test's own."""
    return new_url()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A ledger of the test's own."""
    with Ledger.open(ledger_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_ledger(new_url: Callable[[], str]) -> Iterator[Ledger]:
    """One ledger for all examples of a property; each takes dispatches of its own."""
    with Ledger.open(new_url()) as opened:
        yield opened


@pytest.fixture(scope="session")
def tariff() -> Tariff:
    """Prices in CNY of cores, memory and one model."""
    gpu = [ModelPrice(model="A100", price="0.003")]
    return Tariff(
        version="7",
        currency="CNY",
        prices=Prices(core_second="0.0001", gibibyte_second="0.00001", gpu_second=gpu),
    )


@pytest.fixture(scope="session")
def identity() -> Identity:
    """The node's identity."""
    return Identity(code="CN-1", issuer="authority", scheme="national")


@pytest.fixture(scope="session")
def item() -> Callable[..., ReadingBooked]:
    """Makes a reading of the dispatch: `second` after 10:00, with the core, memory and GPU time given."""

    def make(
        dispatch: str = "d1",
        sequence: int = 1,
        core: int = 0,
        memory: int = 0,
        gpu: dict[str, int] | None = None,
        *,
        second: int | None = None,
        observed_at: str | None = None,
        job: str = "train",
        account: str = "acme",
        node: str = "core-1",
        attempt: int = 1,
        digest: str | None = None,
        final: bool = False,
        estimated: bool = False,
        started_at: str | None = "2026-11-22T10:00:00Z",
        identity: Identity | None = None,
        settling: list[str] | None = None,
        late: int = 0,
        late_billed: bool = False,
    ) -> ReadingBooked:
        minute, rest = divmod(sequence if second is None else second, 60)
        total = [
            MeterQuantity(meter="MillicoreSeconds", quantity=core),
            MeterQuantity(meter="MebibyteSeconds", quantity=memory),
            *(MeterQuantity(meter="MilliGPUSeconds", model=m, quantity=q) for m, q in (gpu or {}).items()),
        ]
        return ReadingBooked(
            dispatch_uid=dispatch,
            job=JobReference(namespace="team", name=job, uid=f"uid-{job}"),
            account=account,
            node=node,
            attempt=attempt,
            tariff_digest=digest,
            started_at=started_at,
            identity=identity,
            late_billed=late_billed,
            reading=Reading(
                sequence=sequence,
                observed_at=observed_at or f"2026-11-22T10:{minute:02}:{rest:02}Z",
                final=final,
                estimated=estimated,
                total=total,
                settling=settling or [],
                late=[MeterQuantity(meter="MillicoreSeconds", quantity=late)] if late else [],
            ),
        )

    return make
