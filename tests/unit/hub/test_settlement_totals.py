from datetime import UTC, datetime
from decimal import Decimal

from isthmus.api.settlement import SettlementStatus
from isthmus.hub.settlements import _totals
from isthmus.settlement.statement import MeterSum, Statement

DAY = datetime(2026, 11, 1, tzinfo=UTC)


def test_amounts_have_the_decimals_that_the_status_takes() -> None:
    """An exact amount of 24 decimals, a quantity's 12 times a price's 12, is told with the 18 a status has room for."""
    exact = Decimal("0.000000000000001500001234")
    each = MeterSum("MebibyteSeconds", "", 1, Decimal("0.000976562500"), "GiB-second", exact)
    statement = Statement(
        account="acme",
        node=None,
        start=DAY,
        end=DAY,
        currency="CNY",
        lines=(),
        meters=(each, each),
        exact_total=Decimal(0),
        total=Decimal("0.00"),
        adjustment=Decimal(0),
        unpriced=0,
    )
    status = _totals(SettlementStatus(), statement, "acme")
    assert [meter.amount for meter in status.meters] == ["0.0000000000000015"] * 2
