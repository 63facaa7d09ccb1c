"""The shards of one node that its member stops, or does once contact is lost: how much that is, all together."""

import math
from collections import Counter
from dataclasses import dataclass

from isthmus.agent.fence import unaccounted
from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import ComputeNodeStatus
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.placement import grace_seconds

from .progress import width_of

# Before a member has stopped enough pods to be measured. An unraised controller manager reaches about this.
ASSUMED_STOPS_PER_SECOND = 10
# What the Job controller takes to notice a limit, and a kubelet to tell of an end.
MARGIN_SECONDS = 5


def stop_seconds(pods: int, grace_seconds: int, rate: StopRate | None) -> int:
    """Seconds within which a member stops so many pods, each with that grace.

    Its measured rate holds for as many pods as it was measured of; beyond, and before any, the assumed one does where
    that is slower.
    """
    known = min(pods, rate.pods) if rate is not None else 0
    measured = rate.per_second if rate is not None else ASSUMED_STOPS_PER_SECOND
    others = (pods - known) / min(measured, ASSUMED_STOPS_PER_SECOND)
    return grace_seconds + math.ceil(known / measured + others) + MARGIN_SECONDS


def rate_of(status: ComputeNodeStatus) -> StopRate | None:
    """What a node's status says of how fast its member stops pods."""
    return None if status.stops_per_second is None else StopRate(status.stops_per_second, status.stops_measured or 0)


@dataclass(frozen=True, slots=True)
class _Share:
    uid: str
    pods: int
    grace_seconds: int


class Stopping:
    """Kept up Dispatch by Dispatch, so that asking costs the same however many there are.

    A shard counts from when it was sent until its member has told of its end: given up, it may be stopping still. One
    without a fence counts while it is being suspended or cancelled: its pods are in the member's queue before others.
    """

    def __init__(self) -> None:
        self.pods = 0
        """How many of them run at once."""
        self._shares: dict[str, _Share] = {}
        self._graces: Counter[int] = Counter()

    def put(self, dispatch: Dispatch) -> None:
        """Take in a form of a Dispatch of the node."""
        name, uid = dispatch.metadata["name"], dispatch.metadata["uid"]
        if not _counts(dispatch):
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

    def gone(self, name: str) -> None:
        """The Dispatch is gone without its member's word, as it goes with the job where the node was removed.

        What it ran may be stopping still. Nobody will tell of its end, so it counts for as long as this process lives.
        """
        share = self._shares.pop(name, None)
        if share is not None:
            self._shares[f"{name}/{share.uid}"] = share

    @property
    def grace_seconds(self) -> int:
        """The longest that a pod of them may take; of different ones there are few."""
        return max(self._graces, default=0)


def _counts(dispatch: Dispatch) -> bool:
    status = dispatch.status
    if status.state in TERMINAL and not unaccounted(status):
        return False
    if dispatch.spec.fence is not None:
        return True
    halting = dispatch.spec.desired_state != "Running" or status.state is DispatchState.SUSPENDED
    return halting and status.state is not None and not status.stopped


def _grace_of(dispatch: Dispatch) -> int:
    return grace_seconds(dispatch.spec.manifest["spec"]["template"]["spec"].get("terminationGracePeriodSeconds"))
