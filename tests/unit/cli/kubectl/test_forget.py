from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.node_forget import instant_of, word

NOW = datetime(2026, 11, 29, 12, 0, 0, 123, tzinfo=UTC)


def node(status: str = "False", since: str = "2026-11-29T11:00:00Z", reason: str = "Unreachable") -> dict[str, Any]:
    """A node with that condition Reachable."""
    reachable = {"type": "Reachable", "status": status, "reason": reason, "lastTransitionTime": since}
    return {"metadata": {"name": "east"}, "status": {"conditions": [reachable]}}


@pytest.mark.parametrize(
    ("text", "annotation"),
    [
        (None, "2026-11-29T12:00:00Z"),
        ("2026-11-29T11:30:00Z", "2026-11-29T11:30:00Z"),
        ("2026-11-29T19:30:00+08:00", "2026-11-29T11:30:00Z"),
        ("2026-11-29T11:00:00Z", "2026-11-29T11:00:00Z"),
    ],
)
def test_the_annotation_names_an_instant_of_this_outage(text: str | None, annotation: str) -> None:
    """Now if nothing was said; in UTC; not before the outage began."""
    assert word(node(), instant_of(text, NOW)) == annotation


@pytest.mark.parametrize("text", ["yesterday", "2026-11-29T11:30:00", ""])
def test_what_is_no_instant(text: str) -> None:
    """An instant needs its offset from UTC."""
    with pytest.raises(Complaint, match="no instant; write one such as 2026-11-29T12:00:00Z"):
        instant_of(text, NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "True", "reason": "Connected"}, r"not known to be out of reach \(Connected\)"),
        ({"status": "Unknown", "reason": "Connecting"}, r"\(Connecting\)"),
        ({"since": "2026-11-29T12:30:00Z"}, "silent only since 2026-11-29T12:30:00Z"),
    ],
)
def test_what_the_hub_would_not_heed_is_refused(changes: dict[str, str], words: str) -> None:
    """A node that is reached, or was reached after the instant, is not forgotten."""
    with pytest.raises(Complaint, match=words):
        word(node(**changes), instant_of(None, NOW))


def test_a_node_that_nobody_has_looked_at() -> None:
    """Without the condition nothing is known."""
    with pytest.raises(Complaint, match="not looked at yet"):
        word({"metadata": {"name": "east"}}, NOW)
