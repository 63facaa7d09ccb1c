import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computenode import Identity, ModelPrice, Prices, Tariff
from isthmus.api.dispatch import JobReference
from isthmus.settlement.csvfile import COLUMNS, guarded, statement_csv
from isthmus.settlement.jsonfile import statement_json
from isthmus.settlement.lines import Line, Usage, price_line
from isthmus.settlement.statement import MeterSum, Statement, make_statement
from isthmus.settlement.tariff import Meter

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
TARIFF = Tariff(
    version="7",
    currency="CNY",
    prices=Prices(
        core_second="0.0001", gibibyte_second="0.00001", gpu_second=[ModelPrice(model="A100", price="0.003")]
    ),
)
DIGEST = "d" * 64


def usage(
    meter: Meter = "MillicoreSeconds",
    quantity: int = 1000,
    *,
    model: str = "",
    job: str = "train",
    node: str = "core-1",
    sequence: int = 1,
    code: str = "CN-1",
) -> Usage:
    """Usage of one meter, with what most tests don't care for filled in."""
    return Usage(
        account="acme",
        node=node,
        identity=Identity(code=code, issuer="authority", scheme="national"),
        job=JobReference(namespace="team", name=job, uid=f"uid-{job}"),
        dispatch_uid=f"dispatch-{job}-{node}",
        attempt=1,
        sequence=sequence,
        start=START + timedelta(seconds=sequence),
        end=START + timedelta(seconds=sequence + 1, milliseconds=500),
        estimated=False,
        meter=meter,
        model=model,
        quantity=quantity,
    )


def priced(one: Usage) -> Line:
    """The usage under the tariff above."""
    return price_line(one, tariff=TARIFF, digest=DIGEST, currency="CNY")


def statement(lines: list[Line], currency: str = "CNY") -> Statement:
    """A statement of the account for November."""
    return make_statement(lines, account="acme", start=START, end=END, currency=currency)


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows that a CSV reader makes of the text."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_priced_line() -> None:
    """A line states quantity, unit, price and exact amount, with the tariff that they come from."""
    one = usage("MebibyteSeconds", 3)
    assert priced(one) == Line(
        usage=one,
        pricing_quantity=Decimal("0.002929687500"),
        unit="GiB-second",
        unit_price=Decimal("0.00001"),
        currency="CNY",
        amount=Decimal("0.000000029296875"),
        unpriced_reason=None,
        tariff_version="7",
        tariff_digest=DIGEST,
    )


@pytest.mark.parametrize(
    ("tariff", "digest", "model", "currency", "reason"),
    [
        (None, None, "A100", "CNY", "NoTariff"),
        (None, DIGEST, "A100", "CNY", "UnknownTariff"),
        (TARIFF, DIGEST, "H800", "CNY", "NoPrice"),
        (TARIFF, DIGEST, "A100", "USD", "CurrencyMismatch"),
    ],
    ids=["none", "unknown", "model", "currency"],
)
def test_unpriced_line(tariff: Tariff | None, digest: str | None, model: str, currency: str, reason: str) -> None:
    """A line without a price in the statement's currency is Unpriced with its reason, and has no amount: not zero."""
    line = price_line(usage("MilliGPUSeconds", 5, model=model), tariff=tariff, digest=digest, currency=currency)
    assert (line.unit_price, line.amount, line.unpriced_reason) == (None, None, reason)


def test_totals() -> None:
    """A statement sums by meter and model; the whole is rounded once, and the difference is the adjustment."""
    made = statement(
        [
            priced(usage("MillicoreSeconds", 12_345, sequence=2)),
            priced(usage("MillicoreSeconds", 55, job="infer")),
            priced(usage("MilliGPUSeconds", 7_000, model="A100")),
        ]
    )
    assert made.meters == (
        MeterSum("MilliGPUSeconds", "A100", 7000, Decimal(7), "GPU-second", Decimal("0.021")),
        MeterSum("MillicoreSeconds", "", 12_400, Decimal("12.4"), "core-second", Decimal("0.00124")),
    )
    assert (made.exact_total, made.total, made.adjustment) == (Decimal("0.02224"), Decimal("0.02"), Decimal("-0.00224"))
    assert made.unpriced == 0


def test_unpriced_is_never_zero() -> None:
    """One Unpriced line leaves its meter without an amount, is counted, and adds nothing to the total."""
    made = statement(
        [
            priced(usage("MilliGPUSeconds", 10_000, model="A100")),
            priced(usage("MilliGPUSeconds", 10_000, model="H800")),
        ]
    )
    assert [(each.model, each.amount) for each in made.meters] == [("A100", Decimal("0.030")), ("H800", None)]
    assert (made.total, made.unpriced) == (Decimal("0.03"), 1)


def test_one_currency() -> None:
    """Lines of two currencies are never added up."""
    with pytest.raises(ValueError, match="a line in CNY in a statement in USD"):
        statement([priced(usage())], currency="USD")


@given(
    st.lists(
        st.builds(
            usage,
            st.just("MillicoreSeconds"),
            st.integers(1, 2**62),
            job=st.sampled_from(["a", "b"]),
            node=st.sampled_from(["n", "m"]),
            sequence=st.integers(1, 1000),
        ),
        max_size=20,
        unique_by=lambda one: one.order,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_booking_is_forgotten(usages: list[Usage], random: Random) -> None:
    """The same lines in any order give the same statement, and the rows of its CSV sum to its total."""
    lines = [priced(one) for one in usages]
    made = statement(lines)
    random.shuffle(lines)
    assert statement(lines) == made
    amounts = [Decimal(row["amount"]) for row in rows_of(statement_csv(made))]
    assert sum(amounts, Decimal(0)) == made.total


def test_csv_row() -> None:
    """A row states who, where, what for, when, how much, at which price, and under which tariff."""
    text = statement_csv(statement([priced(usage("MilliGPUSeconds", 7_001, model="A100"))]))
    opening = "Usage,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,CNY"
    who = "CN-1,authority,national,acme,core-1,team,train,uid-train,dispatch-train-core-1,1,1"
    what = "2026-11-01T00:00:01Z,2026-11-01T00:00:02.500000Z,false,MilliGPUSeconds,A100,7001,7.001,GPU-second"
    assert text.split("\r\n") == [
        ",".join(COLUMNS),
        f"{opening},{who},{what},0.003,0.021003,,7,{DIGEST}",
        "Rounding,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,CNY" + "," * 21 + "-0.001003,,,",
        "",
    ]


def test_csv_without_rounding() -> None:
    """Where nothing was rounded there is no Rounding row; an Unpriced row has no amount and says why."""
    rows = rows_of(statement_csv(statement([priced(usage("MilliGPUSeconds", 1, model="H800"))])))
    assert [(row["lineType"], row["amount"], row["unpricedReason"]) for row in rows] == [("Usage", "", "NoPrice")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("'quoted", "''quoted"),
        ("A100-SXM4", "A100-SXM4"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_formulas_are_guarded(text: str, shown: str) -> None:
    """Text that a spreadsheet would run as a formula is shown as text."""
    assert guarded(text) == shown


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30))
def test_csv_keeps_every_text(model: str) -> None:
    """Whatever stands in a field comes back from the CSV, once the guarding apostrophe is taken away."""
    row = rows_of(statement_csv(statement([priced(usage(model=model, code="'=1"))])))[0]
    assert (row["model"].removeprefix("'"), row["identityCode"], row["amount"]) == (model, "''=1", "0.0001")


def test_json() -> None:
    """The JSON form carries decimals as strings, so that no reader makes floats of them."""
    made = statement_json(statement([priced(usage("MilliGPUSeconds", 7_001, model="A100"))]))
    assert json.loads(json.dumps(made)) == {
        "account": "acme",
        "node": None,
        "periodStart": "2026-11-01T00:00:00Z",
        "periodEnd": "2026-12-01T00:00:00Z",
        "currency": "CNY",
        "total": "0.02",
        "exactTotal": "0.021003",
        "adjustment": "-0.001003",
        "unpricedLines": 0,
        "meters": [
            {
                "meter": "MilliGPUSeconds",
                "model": "A100",
                "quantity": 7001,
                "pricingQuantity": "7.001",
                "unit": "GPU-second",
                "amount": "0.021003",
            }
        ],
        "lines": [
            {
                "identity": {"code": "CN-1", "issuer": "authority", "scheme": "national"},
                "account": "acme",
                "node": "core-1",
                "job": {"namespace": "team", "name": "train", "uid": "uid-train"},
                "dispatchUid": "dispatch-train-core-1",
                "attempt": 1,
                "sequence": 1,
                "intervalStart": "2026-11-01T00:00:01Z",
                "intervalEnd": "2026-11-01T00:00:02.500000Z",
                "estimated": False,
                "meter": "MilliGPUSeconds",
                "model": "A100",
                "quantity": 7001,
                "pricingQuantity": "7.001",
                "unit": "GPU-second",
                "unitPrice": "0.003",
                "amount": "0.021003",
                "unpricedReason": None,
                "tariffVersion": "7",
                "tariffDigest": DIGEST,
            }
        ],
    }
