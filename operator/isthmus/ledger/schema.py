"""The tables of the ledger, in types that SQLite and PostgreSQL both have.

Instants are whole microseconds since 1970 UTC, so that they compare and index alike everywhere. Resource-time is
64-bit integers. Money is not stored at all: a tariff is kept as text, and amounts are made from it in Python.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text

HEAD = "0002"
"""The migration after which the tables are as below."""

VERSION_TABLE = "isthmus_ledger_version"
"""Names the migration a database stands at; a database without it is no ledger."""

metadata = MetaData()

tariffs = Table(
    "tariffs",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("identity_code", Text, nullable=False),
    Column("identity_issuer", Text, nullable=False),
    Column("identity_scheme", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("canonical", Text, nullable=False),
)

dispatches = Table(
    "dispatches",
    metadata,
    Column("dispatch_uid", Text, primary_key=True),
    Column("job_uid", Text, nullable=False),
    Column("job_namespace", Text, nullable=False),
    Column("job_name", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    # No foreign key: a tariff that comes late prices what was booked before, one that never comes leaves it Unpriced.
    Column("tariff_digest", Text),
    # Who the node was, where the tariff doesn't say it.
    Column("identity_code", Text, nullable=False),
    Column("identity_issuer", Text, nullable=False),
    Column("identity_scheme", Text, nullable=False),
    # The highest reading booked.
    Column("sequence", BigInteger, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Index("dispatches_by_job", "job_uid"),
)

readings = Table(
    "readings",
    metadata,
    Column("dispatch_uid", Text, ForeignKey("dispatches.dispatch_uid"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("content", Text, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("estimated", Boolean, nullable=False),
)

# Numbered without gaps in the order of commitment.
bookings = Table(
    "bookings",
    metadata,
    Column("booking", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("dispatch_uid", Text, ForeignKey("dispatches.dispatch_uid"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Index("bookings_by_reading", "dispatch_uid", "sequence", unique=True),
)

# Double entry: what an account receives (party Account, positive) a node gives (party Node, negative).
postings = Table(
    "postings",
    metadata,
    Column("booking", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("bookings.booking"), primary_key=True),
    Column("meter", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("party", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Index("postings_by_party", "party", "name", "end_at"),
    sqlite_with_rowid=False,
)

# What has been booked of a dispatch, so that the next difference and a job's cost need no sum over its past.
balances = Table(
    "balances",
    metadata,
    Column("dispatch_uid", Text, ForeignKey("dispatches.dispatch_uid"), primary_key=True),
    Column("meter", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What came to light only after a shard was given up, and how much of it is billed: none where its work was run anew.
late_time = Table(
    "late_time",
    metadata,
    Column("dispatch_uid", Text, ForeignKey("dispatches.dispatch_uid"), primary_key=True),
    Column("meter", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("billed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Readings that were refused, each once. Their sequence is text: what a member wrote may fit no integer column.
conflicts = Table(
    "conflicts",
    metadata,
    Column("dispatch_uid", Text, primary_key=True),
    Column("sequence", Text, primary_key=True),
    Column("content", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("reading", Text, nullable=False),
)
