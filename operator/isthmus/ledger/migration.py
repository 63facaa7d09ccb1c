"""Whether a database is a ledger, and bringing it to the schema of this version."""

from importlib.resources import files

from sqlalchemy import ColumnClause, Connection, Engine, column, inspect, select, table, update

from isthmus.errors import LedgerError

from .connection import place, transaction, use_write_ahead_log
from .schema import HEAD, VERSION_TABLE


def prepare(engine: Engine, *, read_only: bool) -> None:
    """Make sure that the database is a ledger of this schema: an empty one becomes it, an older one is migrated.

    All of it is one transaction, so that two hubs that start at once, or one that is killed, leave it whole. Raises
    LedgerError where it is something else, is newer, or would have to be changed and is open read-only.
    """
    with transaction(engine, write=not read_only) as connection:
        version = _version(connection, place(engine))
        if version == HEAD:
            pass
        elif not read_only:
            _migrate(connection, version, place(engine))
        elif version is None:
            raise LedgerError(f"the database {place(engine)} is empty", "start the hub on it once")
        else:
            raise LedgerError(
                f"the ledger {place(engine)} has schema {version}, this version reads {HEAD}",
                "use the version that the hub runs",
            )
    if engine.dialect.name == "sqlite" and not read_only:
        use_write_ahead_log(engine)


def _version(connection: Connection, where: str) -> str | None:
    """The migration the database stands at, or None where it is empty."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise LedgerError(
            f"the database {where} holds other tables and no ledger", "give the ledger a database of its own"
        )
    version: str | None = connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    return version


def _migrate(connection: Connection, version: str | None, where: str) -> None:
    """Run the migrations that are missing, in the connection's transaction."""
    # Only here, because it takes longer to import than a ledger takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(files("isthmus.ledger") / "migrations"))
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise LedgerError(
            f"the ledger {where} has schema {version}, made by a newer Isthmus", "upgrade Isthmus to at least that one"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def touch(connection: Connection) -> None:
    """Write the version that the ledger has once more."""
    version: ColumnClause[str] = column("version_num")
    connection.execute(update(table(VERSION_TABLE, version)).values(version_num=version))
