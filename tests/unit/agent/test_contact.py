from datetime import timedelta

import pytest
from tests.unit.agent.objects import MOMENT

from isthmus.agent.contact import Contact, Contacts
from isthmus.agent.stoprate import Burst
from isthmus.clusters import ClusterError, Conflict, ServerFailure, TimedOut, TooManyRequests, Unreachable


class Desk:
    """A contact whose clock goes when told to."""

    def __init__(self) -> None:
        self.at = 100.0
        self.contact = Contact(lambda: self.at)


def _silent(desk: Desk) -> bool:
    return desk.contact.silent


def _controllers(contact: Contact) -> str:
    return contact.controllers


def _rate(contact: Contact) -> int | None:
    return contact.stop_rate.per_second if contact.stop_rate is not None else None


def test_one_for_each_node() -> None:
    """A node has the same contact for as long as the process lives."""
    contacts = Contacts(lambda: 1.0)
    assert contacts.of("east") is contacts.of("east")
    assert contacts.of("east") is not contacts.of("west")


def test_silence() -> None:
    """A member is silent from a call in vain until it is heard again."""
    desk = Desk()
    assert not _silent(desk)
    desk.at = 110
    desk.contact.failed(105)
    assert _silent(desk)
    assert desk.contact.tried_in_vain_since(104)
    assert not desk.contact.tried_in_vain_since(105)
    desk.contact.failed(101)
    assert desk.contact.tried_in_vain_since(104), "a call that began earlier and ends later takes nothing back"
    desk.at = 111
    desk.contact.heard()
    assert not _silent(desk)
    assert not desk.contact.tried_in_vain_since(104)
    assert desk.contact.heard_at == 111


def test_attempts() -> None:
    """The last attempt is now while one is under way, then when it returned; before any, when the process began."""
    desk = Desk()
    contact = desk.contact
    desk.at = 150
    assert contact.last_attempt("d") == 100
    with contact.attempt("d"):
        desk.at = 160
        assert contact.last_attempt("d") == 160
        with contact.attempt("d"):
            desk.at = 161
        desk.at = 170
        assert contact.last_attempt("d") == 170
    desk.at = 180
    assert contact.last_attempt("d") == 170
    assert contact.last_attempt("other") == 100
    contact.noted("d")
    assert contact.last_attempt("d") == 180
    contact.forget("d")
    assert contact.last_attempt("d") == 100


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Unreachable("reset"), True),
        (TimedOut("no answer"), True),
        (ServerFailure(500, "InternalError", "oops"), True),
        (TooManyRequests(429, "TooManyRequests", "later"), False),
        (Conflict(409, "Conflict", "no"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_failed(error: ClusterError, counts: bool) -> None:
    """An attempt that failed counts, unless the member refused it in so many words."""
    desk = Desk()
    desk.at = 150
    with pytest.raises(type(error)), desk.contact.attempt("d"):
        raise error
    assert desk.contact.last_attempt("d") == (150 if counts else 100)


def test_leave_to_lengthen() -> None:
    """Nothing is tried on a silent member, nor while a verdict is written."""
    contact = Desk().contact
    assert contact.may_lengthen("d")
    with contact.held("d"):
        assert not contact.may_lengthen("d")
        assert contact.may_lengthen("other")
    assert contact.may_lengthen("d")
    contact.failed(101)
    assert contact.may_lengthen("d"), "it was heard at that very instant"


def test_controllers() -> None:
    """Whoever falls silent, or is back, is told of once; the Lease speaks before what a shard shows."""
    contact = Desk().contact
    assert contact.judge_lease(""), "that there is none is news"
    assert contact.doubt("a", "a waits")
    assert not contact.doubt("b", "b waits")
    assert _controllers(contact) in {"a waits", "b waits"}
    assert not contact.judge_lease("no Lease")
    assert _controllers(contact) == "no Lease"
    assert not contact.doubt("a", "")
    assert not contact.judge_lease("")
    assert _controllers(contact) == "b waits"
    contact.forget("b")
    assert _controllers(contact) == ""
    assert contact.judge_lease("no Lease")


def test_time_of_the_member() -> None:
    """The member's time goes on by our clock, and is noticed to have been set back."""
    desk = Desk()
    contact = desk.contact
    assert contact.member_time() is None
    back = [contact.told_time(MOMENT)]
    desk.at = 130
    assert contact.member_time() == MOMENT + timedelta(seconds=30)
    back.append(contact.told_time(MOMENT + timedelta(seconds=28)))
    back.append(contact.told_time(MOMENT + timedelta(seconds=600)))
    back.append(contact.told_time(MOMENT + timedelta(seconds=30)))
    assert back == [False, False, False, True], "an answer may have been on its way for a while"
    assert contact.member_time() == MOMENT + timedelta(seconds=30)


def test_lease_denied() -> None:
    """That the Lease may not be read is known, and takes nothing back that it said."""
    contact = Desk().contact
    assert contact.lease_denied()
    assert contact.judge_lease("no Lease")
    assert not contact.lease_denied()
    assert _controllers(contact) == "no Lease"


def test_trusted_after_a_while() -> None:
    """Who has just begun to watch trusts no limit anew until controllers that are dead would have been found so."""
    desk = Desk()
    contact = desk.contact
    waits = [contact.trusted_in(100, 30)]
    contact.judge_lease("")
    waits.append(contact.trusted_in(100, 30))
    desk.at = 120
    waits.append(contact.trusted_in(100, 30))
    contact.heard()
    waits.append(contact.trusted_in(100, 30))
    desk.at = 130
    contact.heard()
    waits.append(contact.trusted_in(100, 30))
    assert waits == [float("inf"), 30, 30, 10, 0], "only what was heard counts"
    contact.doubt("a", "a waits")
    assert contact.trusted_in(100, 30) == float("inf")
    desk.at = 131
    contact.forget("a")
    contact.heard()
    assert contact.trusted_in(100, 30) == 29, "a doubt that vanishes with its shard is no sign of life"


def test_trusted_at_once() -> None:
    """Controllers that were seen at work are trusted at once, and not for what they did before a doubt."""
    desk = Desk()
    contact = desk.contact
    contact.acted()
    assert contact.trusted_in(100, 30) == 0
    desk.at = 131
    assert contact.trusted_in(100, 30) > 0
    contact.acted()
    desk.at = 132
    contact.doubt("a", "a waits")
    contact.doubt("a", "")
    assert contact.trusted_in(100, 30) > 0
    contact.acted()
    assert contact.trusted_in(100, 30) == 0


def test_armed_by_what_this_process_knows() -> None:
    """What this process has found to be unsafe is, until it finds otherwise."""
    contact = Desk().contact
    found = [contact.unarmed("d")]
    contact.unarm("d")
    found.append(contact.unarmed("d"))
    contact.rearm("d")
    found.append(contact.unarmed("d"))
    assert found == [False, True, False]


def test_stop_rate() -> None:
    """The slowest of the last stops counts."""
    contact = Desk().contact
    assert _rate(contact) is None
    for number, rate in enumerate((30, 8, *[20] * 7)):
        contact.stopped(f"d{number}", [_burst(100 * number, 10, 10 * rate)])
    assert _rate(contact) == 8
    contact.stopped("last", [_burst(2000, 10, 250)])
    assert _rate(contact) == 20


def test_stopped_at_the_same_time() -> None:
    """Shards that the member stops at the same time share its rate, in whichever order their ends are told."""
    contact = Desk().contact
    for begin in (0, 20, 10):
        contact.stopped(f"slow{begin}", [_burst(begin, 10, 20)])
    assert _rate(contact) == 2
    for begin in range(0, 30, 5):
        contact.stopped(f"fast{begin}", [_burst(begin, 8, 40)])
    assert _rate(contact) == 300 // 33
    contact.stopped("later", [_burst(500, 10, 300)])
    assert _rate(contact) == 300 // 33, "another time is another rate"
    contact.stopped("slow0", [_burst(0, 10, 20)])
    assert _rate(contact) == 300 // 33, "what was told is not counted again"


def test_stopped_one_after_another() -> None:
    """Small bursts in close succession are one, and a rate vouches for as many pods as were seen at once."""
    contact = Desk().contact
    for number in range(10):
        contact.stopped(f"d{number}", [_burst(2 * number, 1, 30)])
    assert contact.stop_rate == (300 // 19, 300)
    contact.stopped("slow", [_burst(1000, 10, 50)])
    assert contact.stop_rate == (5, 300)


def _burst(begin: float, seconds: float, pods: int) -> Burst:
    return Burst(MOMENT + timedelta(seconds=begin), MOMENT + timedelta(seconds=begin + seconds), pods)
