"""The shards of one node that its member stops by itself once contact is lost: how much that is, all together."""

from collections import Counter
from dataclasses import dataclass

from isthmus.agent.fence import unaccounted
from isthmus.api.dispatch import TERMINAL, Dispatch

from .progress import width_of

# Before a member has stopped enough pods to be measured. An unraised controller manager reaches about this.
ASSUMED_STOPS_PER_SECOND = 10
# What the Job controller takes to notice a limit, and a kubelet to tell of an end.
MARGIN_SECONDS = 5
# What the API server gives pods that name no terminationGracePeriodSeconds.
_GRACE_SECONDS = 30


def stop_seconds(pods: int, grace_seconds: int, stops_per_second: int | None) -> int:
    """Seconds within which a member stops so many pods, each with that grace, by its measured rate or the assumed."""
    rate = stops_per_second or ASSUMED_STOPS_PER_SECOND
    return grace_seconds + -(-pods // rate) + MARGIN_SECONDS


@dataclass(frozen=True, slots=True)
class _Share:
    uid: str
    pods: int
    grace_seconds: int


class Stopping:
    """Kept up Dispatch by Dispatch, so that asking costs the same however many there are.

    A shard counts from when it was sent until its member has told of its end: given up, it may be stopping still.
    """

    def __init__(self) -> None:
        self.pods = 0
        """How many of them run at once."""
        self._shares: dict[str, _Share] = {}
        self._graces: Counter[int] = Counter()

    def put(self, dispatch: Dispatch) -> None:
        """Take in a form of a Dispatch of the node."""
        name, uid = dispatch.metadata["name"], dispatch.metadata["uid"]
        status = dispatch.status
        if dispatch.spec.fence is None or (status.state in TERMINAL and not unaccounted(status)):
            self.drop(name)
            return
        known = self._shares.get(name)
        if known is not None and known.uid == uid:
            return
        self.drop(name)
        share = self._shares[name] = _Share(uid, width_of(dispatch), _grace_of(dispatch))
        self.pods += share.pods
        self._graces[share.grace_seconds] += 1

    def drop(self, name: str) -> None:
        """Nothing of the Dispatch is to be stopped any more."""
        share = self._shares.pop(name, None)
        if share is None:
            return
        self.pods -= share.pods
        self._graces[share.grace_seconds] -= 1
        if not self._graces[share.grace_seconds]:
            del self._graces[share.grace_seconds]

    @property
    def grace_seconds(self) -> int:
        """The longest that a pod of them may take; of different ones there are few."""
        return max(self._graces, default=0)


def _grace_of(dispatch: Dispatch) -> int:
    pod = dispatch.spec.manifest["spec"]["template"]["spec"]
    grace = pod.get("terminationGracePeriodSeconds")
    return _GRACE_SECONDS if grace is None else int(grace)
