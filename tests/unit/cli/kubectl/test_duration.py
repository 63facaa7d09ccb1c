from datetime import UTC, datetime

import pytest

from isthmus.cli.kubectl.duration import age, human, seconds_of, whole_seconds_of
from isthmus.cli.kubectl.submit import _seconds

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (900, "15m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 1800, "5h30m"),
        (12 * 3600, "12h"),
        (50 * 3600, "2d2h"),
        (9 * 86_400, "9d"),
        (800 * 86_400, "2y70d"),
        (3000 * 86_400, "8y"),
    ],
)
def test_spans_are_written_as_kubectl_writes_ages(seconds: float, text: str) -> None:
    """Seconds, minutes, hours, days or years, with the next smaller unit while the number is small."""
    assert human(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("0", 0),
        ("", None),
        ("soon", None),
        ("5m10", None),
        ("-3s", None),
    ],
)
def test_durations_are_read_as_kubectl_reads_them(text: str, seconds: float | None) -> None:
    """A number of seconds, or numbers with units; None for anything else."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [("2026-11-29T11:00:00Z", "60m"), (None, "<unknown>"), ("yesterday", "<unknown>")],
)
def test_an_instant_that_is_none_has_no_age(timestamp: str | None, text: str) -> None:
    """The age of an RFC 3339 instant, and <unknown> for what is none."""
    assert age(timestamp, NOW) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("500ms", 1),
        ("0.0000001s", 1),
        ("1s", 1),
        ("1.2s", 2),
        ("1.1h", 3960),
        ("720h", 2_592_000),
        ("x", None),
    ],
)
def test_a_part_of_a_second_is_a_whole_one(text: str, seconds: int | None) -> None:
    """A wait of 500ms ends, and is not the 0 that is without an end."""
    assert whole_seconds_of(text) == seconds


@pytest.mark.parametrize("flag", ["--ttl", "--active-deadline", "--timeout"])
def test_submit_counts_so(flag: str) -> None:
    """No option of submit turns a part of a second into nothing."""
    assert _seconds("500ms", flag) == 1
