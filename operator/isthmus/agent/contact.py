"""When this process last heard of a member, and last tried to let a shard of it live longer.

All instants are of one clock that never jumps and runs through suspends, in seconds. Who starts knows of no attempt of
a former process and counts from its own start.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from isthmus.clusters import ClusterError

from .fence import SLACK_SECONDS
from .memberjobs import MemberJobs
from .stoprate import Burst, StopRate

# Of the last so many stops the slowest counts.
STOPS_KEPT = 8


class Contact:
    """One member's; it outlives the agents and sessions of its node, for as long as the process lives."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.heard_at = clock()
        """When the member last answered; before it ever has, when the process started."""
        self._began = self.heard_at
        self._failed: tuple[float, float] | None = None
        self._time: tuple[datetime, float] | None = None
        self._attempts: dict[str, float] = {}
        self._under_way: Counter[str] = Counter()
        self._held: set[str] = set()
        self._unarmed: set[str] = set()
        self._lease: str | None = None
        self._doubts: dict[str, str] = {}
        self._doubted_at = float("-inf")
        self.acted_at = float("-inf")
        """When the member's Job controller was last seen to do something."""
        self._stops: deque[Burst] = deque(maxlen=STOPS_KEPT)
        self._stops_told: set[str] = set()

    def silence_seconds(self) -> float:
        """Seconds since the member last answered; before it ever has, since the process started."""
        return self.clock() - self.heard_at

    def heard(self) -> None:
        """The member answered just now."""
        self.heard_at = self.clock()

    def told_time(self, theirs: datetime) -> bool:
        """Take note of the member's own time of day, or a lower bound of it; whether it has been set back."""
        expected, self._time = self.member_time(), (theirs, self.clock())
        return expected is not None and (expected - theirs).total_seconds() > SLACK_SECONDS

    def member_time(self) -> datetime | None:
        """The member's own time of day by now, reckoned from when it was last told; None where it never was."""
        if self._time is None:
            return None
        theirs, at = self._time
        return theirs + timedelta(seconds=self.clock() - at)

    def failed(self, began: float) -> None:
        """A call that began at that instant was in vain."""
        self._failed = (max(began, self._failed[0]) if self._failed else began, self.clock())

    @property
    def silent(self) -> bool:
        """Whether the last that is known is a call in vain."""
        return self._failed is not None and self._failed[1] > self.heard_at

    def tried_in_vain_since(self, instant: float) -> bool:
        """Whether a call that began after that instant was in vain, and the member has not been heard since."""
        return self._failed is not None and self._failed[0] > instant and self.silent

    @contextmanager
    def attempt(self, uid: str) -> Iterator[None]:
        """Around each call that may lengthen the life of the Dispatch's shard.

        Only one that the member has refused in so many words does not count.
        """
        self._under_way[uid] += 1
        counts = True
        try:
            yield
        except ClusterError as error:
            counts = MemberJobs.leaves_open(error)
            raise
        finally:
            self._under_way[uid] -= 1
            if not self._under_way[uid]:
                del self._under_way[uid]
            if counts:
                self._attempts[uid] = self.clock()

    def noted(self, uid: str) -> None:
        """The shard was seen to begin just now: its limit counts from an instant that is not later."""
        self._attempts[uid] = self.clock()

    def last_attempt(self, uid: str) -> float:
        """When the last call returned that may have lengthened its life; now, while one is under way."""
        return self.clock() if uid in self._under_way else self._attempts.get(uid, self._began)

    def unarm(self, uid: str) -> None:
        """From now on the limit must not be relied on, whatever the Dispatch still says."""
        self._unarmed.add(uid)

    def rearm(self, uid: str) -> None:
        """What the Dispatch says holds again."""
        self._unarmed.discard(uid)

    def unarmed(self, uid: str) -> bool:
        """Whether this process knows that the limit is not to be relied on."""
        return uid in self._unarmed

    @property
    def controllers(self) -> str:
        """Why the member's controllers are taken for silent, for people; empty while they are not."""
        return self._lease or next(iter(self._doubts.values()), "")

    def judge_lease(self, why: str) -> bool:
        """What their Lease says of them, as in `controllers`; whether that is reason to look at all shards.

        It is where they fell silent, or are back, by that, and when the Lease, or that there is none, is first known.
        """
        before, first = self.controllers, self._lease is None
        self._lease = why
        return self._weighed(before) or first

    def lease_denied(self) -> bool:
        """Whether there is a Lease we may not read: what it said before, if anything, stands. Answers as above."""
        return self.judge_lease(self._lease or "")

    def doubt(self, uid: str, why: str) -> bool:
        """What one shard shows of them; whether they fell silent, or are back, by that."""
        before = self.controllers
        if why:
            self._doubts[uid] = why
        else:
            self._doubts.pop(uid, None)
        return self._weighed(before)

    def _weighed(self, before: str) -> bool:
        if self.controllers:
            self._doubted_at = self.clock()
        return bool(before) != bool(self.controllers)

    def acted(self) -> None:
        """The member's Job controller was seen to do something just now."""
        self.acted_at = self.clock()

    def trusted_in(self, watched_since: float, patience: float) -> float:
        """Seconds until a limit may begin to be relied on; zero or less where it may. For ever while there is a doubt.

        It may where the controllers were seen at work within `patience`, and nothing has spoken against them since. It
        also may where they were watched from that instant on and for `patience` showed nothing that they left undone,
        and their Lease tells of nothing else: whoever has just begun to watch has yet to find that out.
        """
        now = self.clock()
        if self.controllers:
            return float("inf")
        if self.acted_at >= max(self._doubted_at, now - patience):
            return 0.0
        if self._lease is None:
            return float("inf")
        return max(watched_since, self._doubted_at) + patience - self.heard_at

    @contextmanager
    def held(self, uid: str) -> Iterator[None]:
        """While a verdict on the shard is written, nothing lets it live longer."""
        self._held.add(uid)
        try:
            yield
        finally:
            self._held.discard(uid)

    def may_lengthen(self, uid: str) -> bool:
        """Whether an attempt is worth it: the member was heard since the last failure, and no verdict is under way."""
        return uid not in self._held and not self.silent

    def forget(self, uid: str) -> None:
        """The Dispatch is gone."""
        self._attempts.pop(uid, None)
        self.doubt(uid, "")
        self._unarmed.discard(uid)
        self._stops_told.discard(uid)

    def stopped(self, uid: str, bursts: Sequence[Burst]) -> None:
        """The member has stopped many pods of the shard at once; what it stopped at about the same time is one burst.

        A shard is heard once: pods that are counted twice would make the member seem faster than it is.
        """
        if not bursts or uid in self._stops_told:
            return
        self._stops_told.add(uid)
        for burst in bursts:
            whole = burst
            for known in [each for each in self._stops if each.meets(burst)]:
                self._stops.remove(known)
                whole = whole.joined(known)
            self._stops.append(whole)

    @property
    def stop_rate(self) -> StopRate | None:
        """What the last stops say; None before one was measured."""
        if not self._stops:
            return None
        return StopRate(min(burst.rate for burst in self._stops), max(burst.pods for burst in self._stops))


class Contacts:
    """Those of all members by node; `clock` as above."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._contacts: dict[str, Contact] = {}

    def of(self, node: str) -> Contact:
        """The node's; one object for as long as the process lives."""
        contact = self._contacts.get(node)
        if contact is None:
            contact = self._contacts[node] = Contact(self._clock)
        return contact
