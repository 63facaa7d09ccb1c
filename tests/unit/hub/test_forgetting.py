from datetime import timedelta

import pytest
from tests.unit.hub.desk import DOWN, Desk

from isthmus.hub.fencing import Wait
from isthmus.hub.nodestatus import LASTING_SECONDS

# The shard was sent at noon, and the node is lost a minute later.
LOST = "2026-11-22T12:01:00Z"
ELSEWHERE = ("MemberChanged", "the kubeconfig leads to another cluster")


def _lost(word: str | None = None) -> Desk:
    desk = Desk("Wait")
    desk.tell()
    desk.at += 60
    if word is not None:
        desk.say(word)
    desk.lose()
    return desk


@pytest.mark.parametrize(
    ("text", "holds", "told"),
    [
        (LOST, True, ""),
        ("2026-11-22T20:01:00+08:00", True, ""),
        ("2026-11-22T12:00:59Z", False, "silent only since 2026-11-22T12:01:00Z"),
        ("2026-11-22T11:59:59Z", False, "silent only since"),
        ("2026-11-22T13:00:00Z", False, "still to come"),
        ("2026-11-22T12:01:00", False, "is no instant"),
        ("yesterday", False, "is no instant"),
        ("", False, "is no instant"),
    ],
)
def test_the_operators_word(text: str, holds: bool, told: str) -> None:
    """It holds where the node has been silent since before the instant; else Reachable says why it does not."""
    desk = Desk("Wait")
    desk.tell()
    desk.at += 60
    desk.say(text)
    assert desk.verdict() is None, "a node within reach speaks for itself"
    assert desk.tell() == "the member's API answers"
    desk.lose()
    assert desk.reason() == ("Forgotten" if holds else "Wait")
    assert told in desk.tell()
    assert ("forget-before" in desk.tell()) == bool(told)


def test_an_instant_to_come() -> None:
    """It holds from that instant on, and is looked at then."""
    desk = _lost("2026-11-22T12:05:00Z")
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert verdict.seconds == pytest.approx(240, abs=1)
    desk.at += verdict.seconds
    assert desk.reason() == "Forgotten"


def test_sent_after_it() -> None:
    """What was sent at that instant or later is not forgotten."""
    desk = _lost(LOST)
    assert desk.reason() == "Forgotten"
    desk.hub.remove(*desk.place())
    desk.uid = desk.shard("d", fenced=False).metadata["uid"]
    assert desk.reason() == "Wait"


def test_the_next_outage() -> None:
    """A word that was left standing does not hold for a later outage, and Reachable says so; a new one does."""
    desk = _lost(LOST)
    assert desk.reason() == "Forgotten"
    desk.at += 60
    desk.back()
    assert desk.tell() == "the member's API answers"
    desk.at += 60
    desk.lose()
    assert desk.reason() == "Wait"
    assert "forget-before: 2026-11-22T12:01:00Z does not hold, as the node has been silent only since" in desk.tell()
    desk.say("2026-11-22T12:03:00Z")
    assert desk.reason() == "Forgotten"
    assert "forget-before" not in desk.tell()


def test_a_restart_during_the_outage() -> None:
    """A hub that starts while the node is away goes by what the one before it wrote."""
    desk = _lost(LOST)
    desk.at += 3600
    desk.restart()
    desk.tell()
    assert desk.verdict() is None, "nobody has looked yet"
    desk.lose()
    assert desk.reason() == "Wait", "what the former hub asked for may yet be carried out"
    desk.at += 60
    assert desk.reason() == "Forgotten"


def test_lost_while_no_hub_was_there() -> None:
    """A node that was within reach when the last hub looked has been silent only since this one looked."""
    desk = Desk("Wait")
    desk.tell()
    desk.say(LOST)
    desk.at += 600
    desk.restart()
    desk.facts.troubled(DOWN, desk.now(), desk.at - LASTING_SECONDS)
    assert desk.reason() == "Wait", "before that is written nothing is known"
    assert "silent only since 2026-11-22T12:10:00Z" in desk.tell()
    assert desk.reason() == "Wait"
    desk.say("2026-11-22T12:10:00Z")
    desk.at += 60
    assert desk.reason() == "Forgotten"


def test_back_for_a_moment() -> None:
    """A node that was reached too shortly for that to be written was heard nonetheless."""
    desk = _lost(LOST)
    desk.at += 60
    desk.back()
    desk.at += 0.5
    desk.facts.troubled(DOWN, desk.now(), desk.at - LASTING_SECONDS)
    assert desk.reason() == "Wait"
    assert "silent only since 2026-11-22T12:02:00Z" in desk.tell()
    desk.facts.troubled(("Unreachable", "refused"), desk.now() + timedelta(seconds=9), desk.at + 9)
    assert "silent only since 2026-11-22T12:02:00Z" in desk.tell(), "another reason is no other outage"


def test_back_until_its_machines_are_listed() -> None:
    """A node that was reached was heard, even where its machines never came to be listed, and a new hub knows that."""
    desk = _lost(LOST)
    desk.at += 60
    desk.restart()
    desk.back()
    assert desk.tell() == "the member's API answers"
    desk.restart()
    desk.lose()
    assert desk.reason() == "Wait"


def test_another_cluster_answers() -> None:
    """A member in whose place another cluster answers is silent, and the operator's word holds for it."""
    desk = Desk("Wait")
    desk.tell()
    desk.at += 60
    desk.facts.identified("another", ELSEWHERE, desk.now(), desk.at - LASTING_SECONDS)
    desk.say(LOST)
    assert desk.tell() == ELSEWHERE[1]
    assert desk.reason() == "Forgotten"
    desk.at += 60
    desk.facts.identified("its own", None, desk.now(), desk.at)
    desk.at += 60
    desk.lose()
    assert desk.reason() == "Wait"


def test_a_call_that_may_yet_land() -> None:
    """The word waits for a call of our own that may still be carried out, such as a create that timed out."""
    desk = _lost()
    desk.say(LOST)
    with desk.contact.attempt(desk.uid):
        desk.at += 500
        assert desk.reason() == "Wait"
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert verdict.seconds == 60
    assert "carried out late" in verdict.why
    desk.at += 60
    assert desk.reason() == "Forgotten"


def test_never_looked_at() -> None:
    """A node that is not known to be silent is none, whatever the word."""
    desk = Desk("Wait")
    desk.restart()
    desk.say(LOST)
    desk.at += 60
    assert desk.tell() == "the hub has not reached the member yet"
    desk.facts.troubled(DOWN, desk.now(), desk.at - LASTING_SECONDS)
    assert desk.reason() == "Wait", "Unknown tells of no silence"
