"""When each job was created, seen in a member, and seen to have ended: instants by the ComputeJob's UID. No I/O."""

import asyncio
from collections.abc import Mapping

ENDED = frozenset({"Succeeded", "Failed", "Cancelled"})


class Sightings:
    """Instants of one monotonic clock, in seconds. Of several sightings of one thing the first counts."""

    def __init__(self) -> None:
        self._created: dict[str, float] = {}
        self._dispatched: dict[str, tuple[float, str]] = {}
        self._ended: dict[str, tuple[float, str]] = {}
        self._news = asyncio.Event()

    def created(self, uid: str, at: float) -> None:
        """The call that created the job began."""
        self._created[uid] = at

    def in_member(self, uid: str, dispatch: str, at: float) -> None:
        """A watch told of the job's Job in a member; the Job bears its Dispatch's name."""
        self._dispatched.setdefault(uid, (at, dispatch))
        self._news.set()

    def ended(self, uid: str, phase: str, at: float) -> None:
        """A watch told of the job's phase."""
        if phase in ENDED:
            self._ended.setdefault(uid, (at, phase))
            self._news.set()

    async def all_dispatched(self, seconds: float) -> None:
        """Return once each created job was seen in a member. TimeoutError after `seconds`."""
        await self._until(self._dispatched, seconds)

    async def all_ended(self, seconds: float) -> None:
        """Return once each created job was seen to have ended. TimeoutError after `seconds`."""
        await self._until(self._ended, seconds)

    async def _until(self, seen: Mapping[str, object], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while len(seen) < len(self._created) or not self._created.keys() <= seen.keys():
                self._news.clear()
                await self._news.wait()

    def dispatch_seconds(self) -> list[float]:
        """Seconds from create call to member Job, of each created job that was seen in a member."""
        return [at - self._created[uid] for uid, (at, _) in self._dispatched.items() if uid in self._created]

    def seconds_to_last_dispatch(self) -> float:
        """Seconds from the first create call to the last member Job."""
        return max(at for uid, (at, _) in self._dispatched.items() if uid in self._created) - min(
            self._created.values()
        )

    def seconds_to_last_end(self) -> float:
        """Seconds from the first create call to the last end."""
        return max(self._ended[uid][0] for uid in self._created) - min(self._created.values())

    def dispatches(self) -> dict[str, str]:
        """The Dispatch of each job by the job's UID."""
        return {uid: dispatch for uid, (_, dispatch) in self._dispatched.items() if uid in self._created}

    def not_succeeded(self) -> dict[str, str]:
        """Phases, by UID, of jobs that ended otherwise than they should."""
        return {uid: phase for uid, (_, phase) in self._ended.items() if phase != "Succeeded" and uid in self._created}
