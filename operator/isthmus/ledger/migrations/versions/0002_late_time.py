"""Late time: what pods used of which one learned only after their shard was given up."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make its table."""
    op.create_table(
        "late_time",
        sa.Column("dispatch_uid", sa.Text, sa.ForeignKey("dispatches.dispatch_uid"), primary_key=True),
        sa.Column("meter", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("billed", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
