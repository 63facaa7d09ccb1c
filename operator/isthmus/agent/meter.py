"""Meters one shard's pods: gathers what `metering` needs, and lets pods go whose reading is written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, Reading
from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH, LABEL_HUB, LABEL_NODE
from isthmus.capacity import shared_request
from isthmus.clusters import PODS, KubernetesApi, Listing
from isthmus.metering import LIVE_LAG, PodUse, advance, apart, joined, pod_interval, pod_meters
from isthmus.metering import Meters as PodMeters

from .execution import Execution
from .latenews import LateNews
from .memberjobs import MemberJobs
from .observe import pod_ended
from .stoprate import stops_of
from .view import MemberView

_NONE = PodMeters()
# A member's own time is known from its answers, in whole seconds, and up to so much too early.
MEMBER_TIME_LATE = timedelta(seconds=2)


def counted_until(reading: Reading | None) -> datetime | None:
    """The instant up to which a reading counted pods that were running; None where there is none."""
    return datetime.fromisoformat(reading.observed_at) - LIVE_LAG if reading is not None else None


def unsettled(pods: Iterable[Pod], reading: Reading | None) -> set[str]:
    """UIDs of those of the pods that are held, and that the reading has not settled."""
    held = {pod.metadata.uid for pod in pods if FINALIZER_POD in pod.metadata.finalizers}
    return held.difference(reading.settling if reading is not None else ())


def _sequence(dispatch: Dispatch) -> int:
    """Of the reading that stands, 0 where there is none: the execution's, unless another process wrote it."""
    return dispatch.status.reading.sequence if dispatch.status.reading is not None else 0


def _versions(pods: Iterable[Pod]) -> set[tuple[str, str]]:
    return {(pod.metadata.uid, pod.metadata.resource_version) for pod in pods}


@dataclass(frozen=True, slots=True)
class Metered:
    """The reading to write, if it differs from the last one, and how pressing that is."""

    reading: Reading | None
    release: tuple[str, ...]
    urgent: bool
    """A pod that something deletes waits only for its reading."""
    complete: bool
    """Every pod that ended is in the reading's settled part."""


class ShardMeter:
    """Readings of the shards of one node. `now` is the time of day."""

    def __init__(
        self,
        member: KubernetesApi,
        hub_uid: str,
        node: str,
        *,
        view: MemberView,
        jobs: MemberJobs,
        now: Callable[[], datetime],
    ) -> None:
        self._member = member
        self._owner = f"{LABEL_HUB}={hub_uid},{LABEL_NODE}={node}"
        self._view = view
        self._jobs = jobs
        self._now = now
        self._late = LateNews()

    async def pods(self, dispatch: Dispatch, execution: Execution) -> Sequence[Pod]:
        """The shard's pods, at least as new as those that the reading rests on which stands: else one is counted twice.

        The watch's as a rule. It may be behind a list that a reading of ours was made from; and what the reading rests
        on that another process wrote, or that we did without hearing that it landed, nobody here knows. After a stall
        it is behind for as long as it takes to read what came meanwhile.
        """
        new_enough = self._view.has_caught_up() and self._view.shows_pods_of(execution.pods_version)
        if execution.sequence == _sequence(dispatch) and new_enough:
            return self._view.pods(dispatch.metadata["name"])
        return await self.newest(dispatch, execution)

    async def newest(self, dispatch: Dispatch, execution: Execution) -> Sequence[Pod]:
        """The same by a consistent list; no later reading rests on older ones.

        The list's version is the whole member's, which the watch passes with the next change of any pod, or a bookmark:
        where it shows these pods just so, it need not.
        """
        stalls = self._view.stalls()
        listing = await self._list(dispatch)
        version = int(listing.resource_version)
        self._view.pods_listed(stalls, version)
        shown = _versions(self._view.pods(dispatch.metadata["name"])) == _versions(listing.items)
        execution.pods_version = 0 if shown else version
        if execution.sequence != (standing := _sequence(dispatch)):
            execution.sequence, execution.live = standing, {}
        return listing.items

    async def complete(self, dispatch: Dispatch, execution: Execution, job: Job, pods: Sequence[Pod]) -> Sequence[Pod]:
        """The shard's pods, for certain all of them: listed anew where the watch has shown fewer than the Job counts.

        Each pod carries our finalizer until its reading is written, so none that the Job counted can be gone.
        """
        succeeded = sum(1 for pod in pods if pod.status.phase == "Succeeded")
        failed = sum(1 for pod in pods if pod.status.phase == "Failed")
        if succeeded >= job.status.succeeded and failed >= job.status.failed:
            return pods
        return await self.newest(dispatch, execution)

    async def listed(self, dispatch: Dispatch) -> Sequence[Pod]:
        """The shard's pods by a consistent list, for no reading; none where its namespace is gone."""
        return (await self._list(dispatch)).items

    async def _list(self, dispatch: Dispatch) -> Listing[Pod]:
        namespace = dispatch.spec.manifest["metadata"]["namespace"]
        labels = f"{self._owner},{LABEL_DISPATCH}={dispatch.metadata['name']}"
        return await self._member.list(PODS, namespace, labels=labels, type=Pod)

    def advance(
        self,
        previous: Reading | None,
        pods: Iterable[Pod],
        execution: Execution,
        *,
        final: bool,
        late: PodMeters | None = _NONE,
    ) -> Metered:
        """The reading that follows `previous`. Of what is new in it, `late` at most is late time (None: all of it)."""
        now = self._time()
        known = list(pods)
        execution.stops.update(stops_of(known))
        uses = [self._use(pod, execution, now) for pod in known]
        until = now if final else self._counted_until(now)
        result = advance(joined(previous), uses, now=until, final=final, last_known=execution.live)
        execution.measured = dict(result.live)
        execution.live = {**execution.live, **result.live}
        settling = set(result.release)
        waiting = [use for use in uses if use.ended and use.held and use.uid not in settling]
        before = set(previous.settling) if previous else set()
        fresh = settling - before
        urgent = any(pod.metadata.deletion_timestamp is not None and pod.metadata.uid in fresh for pod in known)
        return Metered(
            reading=apart(previous, result.reading, late) if result.changed else None,
            release=tuple(fresh),
            urgent=urgent,
            complete=not waiting,
        )

    def used_after(self, pod: Pod, instant: datetime | None) -> PodMeters:
        """What a pod, which has ended, used from that instant on (None: all)."""
        interval = pod_interval(pod, now=self._now())
        if interval is None:
            return _NONE
        begin = interval.start if instant is None else min(max(interval.start, instant), interval.end)
        return self._meters(pod, (interval.end - begin) // timedelta(seconds=1))

    def by_member(self, instant: datetime) -> datetime:
        """An instant of our own time of day as the member's clock showed it, or up to a second or two earlier."""
        theirs = self._jobs.server_time()
        return instant if theirs is None else instant + (theirs - self._now())

    def pod_changed(self, old: object, new: object) -> None:
        """The watch showed a change of a pod of ours."""
        self._late.pod_changed(old, new, self._time())

    def _heard(self, now: datetime) -> datetime:
        """The instant up to which what has become of pods is known here."""
        return now - timedelta(seconds=max(self._view.silence_seconds(), self._late.seconds(now)))

    def _time(self) -> datetime:
        """Our own time of day, where that is not ahead of the member's, which pods' times are by."""
        now = self._now()
        return min(now, self.by_member(now) + MEMBER_TIME_LATE)

    def _counted_until(self, now: datetime) -> datetime:
        """The instant, LIVE_LAG less of which is how far live pods are counted at `now`: no further than was heard."""
        return min(now, self._heard(now) + LIVE_LAG)

    async def release(self, name: str, reading: Reading | None, execution: Execution) -> None:
        """Let go the pods that the written reading settles, each once."""
        settled = set(reading.settling) if reading is not None else set()
        execution.released &= settled
        due = settled - execution.released
        pods = [pod for pod in self._view.pods(name) if pod.metadata.uid in due]
        await self._jobs.release(pods)
        execution.released.update(pod.metadata.uid for pod in pods)

    def _use(self, pod: Pod, execution: Execution, now: datetime) -> PodUse:
        uid = pod.metadata.uid
        heard = None if pod_ended(pod) else self._heard(now)
        interval = pod_interval(pod, now=now, machine_heartbeat=heard, first_start=execution.starts.get(uid))
        held = FINALIZER_POD in pod.metadata.finalizers
        if interval is None:
            return PodUse(uid, PodMeters(), ended=pod_ended(pod), held=held)
        if pod_ended(pod):
            execution.starts.pop(uid, None)
        else:
            execution.starts[uid] = interval.start
        meters = self._meters(pod, interval.seconds)
        return PodUse(uid, meters, ended=interval.ended, held=held, estimated=interval.estimated)

    def _meters(self, pod: Pod, seconds: int) -> PodMeters:
        request = shared_request(pod.spec)
        models = self._view.machines.accelerator_models(pod.spec.node_name, request)
        return pod_meters(request, models, seconds)
