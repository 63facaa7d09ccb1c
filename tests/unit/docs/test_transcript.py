import pytest
from tests.unit.docs.transcript import matches

CASES = {
    "the same": ("a b\n", "a b\n", True),
    "columns of other widths": ("NAME DONE\nx 3/3\n", "NAME   DONE\nx      3/3\n", True),
    "another word": ("a b\n", "a c\n", False),
    "a line more": ("a\n", "a\nb\n", False),
    "a line less": ("a\nb\n", "a\n", False),
    "nothing where something was promised": ("a\n", "", False),
    "any text": ("cost … CNY\n", "cost 0.0040 CNY\n", True),
    "any text, but what follows differs": ("cost … CNY\n", "cost 0.0040 EUR\n", False),
    "any text stays in its line": ("a … c\n", "a\nb c\n", False),
    "any lines": ("a\n…\nz\n", "a\nb\nc\nz\n", True),
    "any lines, none there": ("a\n…\nz\n", "a\nz\n", True),
    "any lines, but the last is another": ("a\n…\nz\n", "a\nb\n", False),
    "a name, twice the same": ("a: <total>\nb: <total>\n", "a: 0.05\nb: 0.05\n", True),
    "a name, twice something else": ("a: <total>\nb: <total>\n", "a: 0.05\nb: 0.06\n", False),
    "what a pattern would be is plain text": ("0.0 (x)\n", "0.0 (x)\n", True),
    "a dot is a dot": ("0.0\n", "010\n", False),
}


@pytest.mark.parametrize(("promised", "printed", "same"), CASES.values(), ids=CASES)
def test_a_promise_is_kept_or_not(promised: str, printed: str, *, same: bool) -> None:
    """What is printed is compared with what was promised, and only `…` and `<word>` let it differ."""
    assert matches(promised, printed) is same
