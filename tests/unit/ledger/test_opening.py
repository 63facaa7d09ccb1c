import os
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, func, select, table, text, update

from isthmus.errors import LedgerError
from isthmus.ledger import Ledger, ReadingBooked
from isthmus.ledger.connection import transaction
from isthmus.ledger.schema import HEAD, VERSION_TABLE, bookings, dispatches, metadata, postings, readings

Make = Callable[..., ReadingBooked]

OPEN_AS_NOBODY = """
import os
from isthmus.errors import LedgerError
from isthmus.ledger import Ledger
url, read_only = arguments
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    Ledger.open(url, read_only=read_only).totals()
except LedgerError as error:
    print(error)
"""
VERSION = table(VERSION_TABLE, column("version_num"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def file_url(path: Path) -> str:
    """The URL of a ledger file."""
    return f"sqlite:///{path}"


def test_opened_again(ledger_url: str, item: Make) -> None:
    """What was booked is there when the ledger is opened again, for writing or only for reading."""
    with Ledger.open(ledger_url) as ledger:
        ledger.book([item(core=5)])
    for read_only in (False, True):
        with Ledger.open(ledger_url, read_only=read_only) as ledger:
            assert ledger.totals() == {"MillicoreSeconds": 5}


@pytest.mark.skipif(
    "ISTHMUS_TEST_POSTGRES" not in os.environ,
    reason="ISTHMUS_TEST_POSTGRES names no PostgreSQL server, so the ledger was tested on SQLite alone",
)
def test_postgresql_too(request: pytest.FixtureRequest) -> None:
    """Where a PostgreSQL server is given, every test that takes a ledger has run on it as well."""
    collected = {item.name for item in request.session.items if "[sqlite" in item.name}
    assert {name.replace("[sqlite", "[postgresql") for name in collected} <= {i.name for i in request.session.items}


def test_the_migrations_make_the_schema(ledger: Ledger) -> None:
    """The tables that migrations make are those the code uses, and the last migration is the one it asks for."""
    with transaction(ledger._engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    assert ScriptDirectory(str(Path(sys.modules["isthmus.ledger"].__path__[0]) / "migrations")).get_heads() == [HEAD]


def test_a_newer_ledger(ledger_url: str) -> None:
    """A ledger of a later version is left alone."""
    with Ledger.open(ledger_url) as ledger, transaction(ledger._engine, write=True) as connection:
        connection.execute(update(VERSION).values(version_num="9999"))
    with pytest.raises(LedgerError, match="has schema 9999, made by a newer Isthmus; upgrade Isthmus"):
        Ledger.open(ledger_url)
    with pytest.raises(LedgerError, match="has schema 9999, this version reads 0002; use the version"):
        Ledger.open(ledger_url, read_only=True)


def test_another_database(ledger_url: str) -> None:
    """A database that holds something else is refused and not touched."""
    with Ledger.open(ledger_url) as ledger, transaction(ledger._engine, write=True) as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    for read_only in (False, True):
        with pytest.raises(LedgerError, match="holds other tables and no ledger; give the ledger a database"):
            Ledger.open(ledger_url, read_only=read_only)


def test_another_programs_file(tmp_path: Path) -> None:
    """Another program's SQLite file stays as it is, byte for byte."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="holds other tables"):
        Ledger.open(file_url(path))
    assert path.read_bytes() == before


def test_no_database(tmp_path: Path) -> None:
    """A file that is no database stays as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, only notes, and long enough to have a header of a hundred bytes\n" * 9)
    with pytest.raises(LedgerError, match="file is not a database; name another file; this one is left as it is"):
        Ledger.open(file_url(path))
    assert path.read_text().startswith("not a database")


@pytest.mark.parametrize(
    ("url", "read_only", "said"),
    [
        ("sqlite:///{tmp}/none.db", True, "there is no ledger .*none.db; check the path"),
        ("sqlite:///{tmp}/empty.db", True, "empty.db is empty; start the hub on it once"),
        ("sqlite:///{tmp}/no/ledger.db", False, "the folder .*no is not there; make it, or name another path"),
        ("sqlite:///{tmp}/empty.db/ledger.db", False, "the folder .*empty.db is not there"),
        ("sqlite:///{tmp}", False, "is no file; name a file"),
        ("sqlite://", False, "names no file; write sqlite:////absolute/path"),
        ("sqlite:///:memory:", False, "names no file"),
        ("mysql://u:secret@h/d", False, "can't be kept in mysql; write sqlite:////absolute/path"),
        ("oracle+none://h", False, "can't be kept in oracle"),
        ("/data/ledger.db", False, "URL can't be read; write sqlite:////absolute/path"),
        ("", False, "URL can't be read"),
        ("postgresql+nodriver://u:secret@h/d", False, "the driver for postgresql.nodriver .*; install psycopg"),
    ],
)
def test_refusals(tmp_path: Path, url: str, read_only: bool, said: str) -> None:
    """Each URL that can't be opened is refused with one line that says what to do, and no password."""
    (tmp_path / "empty.db").touch()
    with pytest.raises(LedgerError, match=said) as refused:
        Ledger.open(url.format(tmp=tmp_path), read_only=read_only)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.mend


def test_the_driver_for_postgresql_is_there() -> None:
    """What is installed can speak to PostgreSQL: a server that is not there is what it fails on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LedgerError, match="refused") as failed:
        Ledger.open(f"postgresql+psycopg://u:secret@127.0.0.1:{port}/d")
    assert "secret" not in str(failed.value)


def test_the_image_has_the_driver_for_postgresql() -> None:
    """The URL that the chart takes is one that its image can open."""
    pinned = (Path(__file__).resolve().parents[3] / "requirements" / "runtime.txt").read_text().splitlines()
    assert {line.partition("==")[0] for line in pinned} >= {"psycopg", "psycopg-binary"}


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "read_only", "said"),
    [
        (0o755, 0o644, False, "readonly database; let this user write the file and its folder"),
        (0o755, 0o600, False, "unable to open database file; let this user read and write the file and its folder"),
        (0o700, 0o644, True, "can't be reached: Permission denied; let this user reach the file and its folder"),
    ],
    ids=["read-only-file", "other-users-file", "other-users-folder"],
)
def test_files_of_others(
    open_folder: Path, fork: Callable[..., Any], folder_mode: int, file_mode: int, read_only: bool, said: str
) -> None:
    """A user without rights on the ledger is told which are missing."""
    folder = open_folder / "data"
    folder.mkdir()
    path = folder / "ledger.db"
    Ledger.open(file_url(path)).close()
    # Without root there is no other user to be: the rights are then taken from this one.
    mask = 0o777 if os.geteuid() == 0 else 0o077
    path.chmod(file_mode & (mask | 0o400 * bool(file_mode & 0o004)))
    folder.chmod(folder_mode & (mask | 0o500 * bool(folder_mode & 0o005)))
    printed = fork(OPEN_AS_NOBODY, file_url(path), read_only).rest()
    folder.chmod(0o700)
    assert said in "".join(printed)


def test_read_only_does_not_write(ledger_url: str, item: Make) -> None:
    """A ledger that is open for reading can't be written."""
    Ledger.open(ledger_url).close()
    with Ledger.open(ledger_url, read_only=True) as ledger, pytest.raises(LedgerError, match=r"read-?only"):
        ledger.book([item(core=1)])


def test_opened_by_many_at_once(ledger_url: str, fork: Callable[..., Any]) -> None:
    """Processes that open a new ledger at the same time make it once, and all can use it."""
    source = "from isthmus.ledger import Ledger; Ledger.open(arguments[0]).totals()"
    starts = [fork(source, ledger_url) for _ in range(4)]
    assert [start.rest() for start in starts] == [[]] * 4
    with Ledger.open(ledger_url) as ledger:
        assert ledger.totals() == {}


def test_readers_and_a_writer(ledger_url: str, item: Make) -> None:
    """A reader sees the last commit while a booking is being written, and keeps no writer waiting."""
    with Ledger.open(ledger_url) as writer, Ledger.open(ledger_url, read_only=True) as reader:
        writer.book([item("d1", core=1)])
        with transaction(writer._engine, write=True) as connection:
            connection.execute(text("UPDATE balances SET quantity = 7"))
            assert reader.totals() == {"MillicoreSeconds": 1}
        with transaction(reader._engine) as connection:
            assert connection.execute(text("SELECT quantity FROM balances")).scalars().all() == [7]
            writer.book([item("d2", core=1)])
            assert connection.execute(text("SELECT quantity FROM balances")).scalars().all()[0] == 7
        assert reader.totals() == {"MillicoreSeconds": 8}


def test_a_failed_batch_is_undone(ledger: Ledger, item: Make) -> None:
    """A batch whose write fails half-way leaves nothing behind, and can be booked again."""
    with transaction(ledger._engine, write=True) as connection:
        connection.execute(text("ALTER TABLE balances RENAME TO balances_away"))
        connection.execute(text("CREATE TABLE balances (dispatch_uid TEXT, meter TEXT, model TEXT, quantity TEXT)"))
        connection.execute(text("CREATE UNIQUE INDEX one_balance ON balances (meter)"))
    with pytest.raises(LedgerError):
        ledger.book([item("d1", core=1), item("d2", core=2)])
    with transaction(ledger._engine, write=True) as connection:
        for emptied in (dispatches, readings, bookings, postings):
            assert connection.execute(select(func.count()).select_from(emptied)).scalar_one() == 0
        connection.execute(text("DROP TABLE balances"))
        connection.execute(text("ALTER TABLE balances_away RENAME TO balances"))
    assert {each.outcome for each in ledger.book([item("d1", core=1), item("d2", core=2)])} == {"Booked"}
    assert ledger.totals() == {"MillicoreSeconds": 3}


def test_check_tells_whether_it_can_be_written(tmp_path: Path) -> None:
    """A ledger that can be written says so without a change; one that can't says why."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Ledger.open(url) as ledger:
        ledger.check()
        ledger.check()
    with Ledger.open(url, read_only=True) as ledger, pytest.raises(LedgerError, match="readonly"):
        ledger.check()
