import pytest

from isthmus.api.computejob import Money


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("12.34", "12.3400 CNY"),
        ("0", "0.0000 CNY"),
        ("0.00005", "<0.0001 CNY"),
        ("0.00015", "0.0002 CNY"),
        ("0.00025", "0.0002 CNY"),
        ("-1.5", "-1.5000 CNY"),
        ("9" * 30 + "." + "9" * 18, "1" + "0" * 30 + ".0000 CNY"),
    ],
)
def test_text(amount: str, text: str) -> None:
    """An amount is shown to four decimals, half-even, and one too small for them is never shown as nothing."""
    money = Money(amount=amount, currency="CNY")
    assert money.text == text
    assert money.to_manifest() == {"amount": amount, "currency": "CNY", "text": text}
    assert Money.model_validate(money.to_manifest()) == money
