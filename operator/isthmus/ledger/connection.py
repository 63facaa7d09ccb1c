"""Opening a database as a ledger: dialects, transactions, durability, and errors with their mend."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from time import monotonic, sleep
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from isthmus.errors import LedgerError

BUSY_SECONDS = 10.0
"""How long a writer waits for another one before it gives up."""
BUSY_PAUSE_SECONDS = 0.02

URL_FORMS = "sqlite:////absolute/path or postgresql+psycopg://user:password@host/database"
BEGIN = "isthmus_begin"
"""The execution option that says how SQLite begins a transaction; None: not at all."""

# The advisory lock of a database's writers: any number, as long as it is always this one.
_TURN = 0x69737468

# What SQLite says, and what can be done about it.
_MENDS = {
    "readonly": "let this user write the file and its folder",
    "unable to open": "let this user read and write the file and its folder",
    "not a database": "name another file; this one is left as it is",
    "malformed": "restore the file from a backup",
    "locked": "end the other process that writes to it for so long",
    "full": "make room on the disk",
    "disk i/o": "check the disk",
}


def parsed_url(url: str) -> URL:
    """The URL of a ledger. Raises LedgerError where it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerError("the ledger's URL can't be read", f"write {URL_FORMS}") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise LedgerError(f"a ledger can't be kept in {parsed.get_backend_name()}", f"write {URL_FORMS}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise LedgerError("the ledger's URL names no file", f"write {URL_FORMS}")
    return parsed


def engine_of(url: URL, *, read_only: bool) -> Engine:
    """An engine whose transactions are real ones; nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(Path(str(url.database)), read_only=read_only)
    try:
        return create_engine(url, pool_pre_ping=True, execution_options={"postgresql_readonly": read_only})
    except (ModuleNotFoundError, SQLAlchemyError) as error:
        raise LedgerError(
            f"the driver for {url.drivername} can't be loaded: {error}",
            "install psycopg (isthmus[postgres]) and write postgresql+psycopg://",
        ) from None


@contextmanager
def transaction(engine: Engine, *, write: bool = False) -> Iterator[Connection]:
    """One transaction: committed at the end, undone where anything is raised. Writers take turns.

    Raises LedgerError for the database's own errors.
    """
    with (
        mended(engine),
        engine.connect().execution_options(**{BEGIN: "BEGIN IMMEDIATE" if write else "BEGIN"}) as connection,
        connection.begin(),
    ):
        if write and engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_TURN)))
        yield connection


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers of an SQLite file go on while a booking is written. It stays with the file."""
    # It can't be set within a transaction, and while another process uses the file SQLite refuses at once, without the
    # wait that it grants a writer: that wait is ours.
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            with mended(engine), engine.connect().execution_options(**{BEGIN: None}) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except LedgerError as error:
            if "locked" not in error.problem or monotonic() > deadline:
                raise
            sleep(BUSY_PAUSE_SECONDS)
        else:
            return


@contextmanager
def mended(engine: Engine) -> Iterator[None]:
    """Turns the database's own errors into a LedgerError."""
    try:
        yield
    except SQLAlchemyError as error:
        said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise LedgerError(f"the ledger {place(engine)}: {said.strip()}", _mend(said)) from error


def place(engine: Engine) -> str:
    """Where the ledger is, without its password."""
    path = engine.get_execution_options().get("isthmus_path")
    return str(path) if path else engine.url.render_as_string(hide_password=True)


def _mend(said: str) -> str:
    lowered = said.lower()
    return next((mend for sign, mend in _MENDS.items() if sign in lowered), "see that the database is up and try again")


def _sqlite(path: Path, *, read_only: bool) -> Engine:
    """An engine for a file, made where it is missing (its folder must be there).

    The driver's own transaction handling is off, so that BEGIN is ours: IMMEDIATE for writers, which makes them wait
    for each other in place of failing half-way. Commits are synchronous=FULL: a reading is forgotten by its node once
    it is booked, so a commit that a power cut could undo would lose money.
    """
    _check_path(path, read_only=read_only)
    mode = "ro" if read_only else "rwc"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, execution_options={"isthmus_path": path}
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        how = connection.get_execution_options().get(BEGIN, "BEGIN")
        if how:
            connection.exec_driver_sql(how)

    return engine


def _check_path(path: Path, *, read_only: bool) -> None:
    """Raise LedgerError where no ledger can be at the path; SQLite itself would only say that it can't open it."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if read_only:
            raise LedgerError(
                f"there is no ledger {path}", "check the path; the hub makes it at its first start"
            ) from None
        if not path.parent.is_dir():
            raise LedgerError(f"the folder {path.parent} is not there", "make it, or name another path") from None
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} can't be reached: {error.strerror}", "let this user reach the file and its folder"
        ) from None
    else:
        if not S_ISREG(found.st_mode):
            raise LedgerError(f"the ledger {path} is no file", "name a file")
