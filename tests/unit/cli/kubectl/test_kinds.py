from typing import Any

import pytest

from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.kinds import JOBS, NODES, Kind, objects_named, reason


@pytest.mark.parametrize(
    ("words", "kind", "names"),
    [
        (["nodes"], NODES, ()),
        (["cn", "east"], NODES, ("east",)),
        (["computejobs.isthmus.dev", "a", "b"], JOBS, ("a", "b")),
        (["job/a"], JOBS, ("a",)),
        (["JOB/a", "cjob/b"], JOBS, ("a", "b")),
    ],
)
def test_objects_are_named_as_kubectl_lets_one(words: list[str], kind: Kind, names: tuple[str, ...]) -> None:
    """A kind by any of its names, then names; or KIND/NAME for each."""
    assert objects_named(words) == (kind, names)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pods"], "there is no kind 'pods' here; write nodes or jobs"),
        (["<b>x", "a"], "there is no kind '<b>x' here"),
        (["job/a", "node/b"], "all of one kind"),
        (["job/a", "b"], "there is no kind 'b'|all of one kind"),
        (["job/"], "write KIND/NAME"),
        (["job", "<b>x</b>"], "invalid resource name '<b>x</b>'"),
        (["job", "a", ".."], "invalid resource name '..'"),
    ],
)
def test_what_is_no_kind(words: list[str], said: str) -> None:
    """An unknown kind, and mixed forms, are told with what can be written."""
    with pytest.raises(Complaint, match=said):
        objects_named(words)


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ([], ""),
        ([("Placed", "True", "Dispatched")], ""),
        ([("Placed", "False", "NoNodes")], "NoNodes"),
        ([("Placed", "True", "Dispatched"), ("Stalled", "True", "NodeUnreachable")], "NodeUnreachable"),
        ([("Stalled", "False", "Moving"), ("Failed", "True", "Cancelled")], "Cancelled"),
    ],
)
def test_why_a_job_is_not_done(conditions: list[tuple[str, str, str]], word: str) -> None:
    """The reason of what failed it, of what holds it up, or of why it is not placed."""
    found: list[dict[str, Any]] = [{"type": t, "status": s, "reason": r} for t, s, r in conditions]
    assert reason({"status": {"conditions": found}}) == word
