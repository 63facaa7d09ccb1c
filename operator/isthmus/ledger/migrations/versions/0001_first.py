"""The first schema: tariffs, dispatches, readings, bookings with postings, balances, conflicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "tariffs",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("identity_code", sa.Text, nullable=False),
        sa.Column("identity_issuer", sa.Text, nullable=False),
        sa.Column("identity_scheme", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("canonical", sa.Text, nullable=False),
    )
    op.create_table(
        "dispatches",
        sa.Column("dispatch_uid", sa.Text, primary_key=True),
        sa.Column("job_uid", sa.Text, nullable=False),
        sa.Column("job_namespace", sa.Text, nullable=False),
        sa.Column("job_name", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("tariff_digest", sa.Text),
        sa.Column("identity_code", sa.Text, nullable=False),
        sa.Column("identity_issuer", sa.Text, nullable=False),
        sa.Column("identity_scheme", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("observed_at", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
    )
    op.create_index("dispatches_by_job", "dispatches", ["job_uid"])
    op.create_table(
        "readings",
        sa.Column("dispatch_uid", sa.Text, sa.ForeignKey("dispatches.dispatch_uid"), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("observed_at", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
    )
    op.create_table(
        "bookings",
        sa.Column("booking", number, primary_key=True, autoincrement=False),
        sa.Column("dispatch_uid", sa.Text, sa.ForeignKey("dispatches.dispatch_uid"), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
    )
    op.create_index("bookings_by_reading", "bookings", ["dispatch_uid", "sequence"], unique=True)
    op.create_table(
        "postings",
        sa.Column("booking", number, sa.ForeignKey("bookings.booking"), primary_key=True),
        sa.Column("meter", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("party", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("postings_by_party", "postings", ["party", "name", "end_at"])
    op.create_table(
        "balances",
        sa.Column("dispatch_uid", sa.Text, sa.ForeignKey("dispatches.dispatch_uid"), primary_key=True),
        sa.Column("meter", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conflicts",
        sa.Column("dispatch_uid", sa.Text, primary_key=True),
        sa.Column("sequence", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("reading", sa.Text, nullable=False),
    )
