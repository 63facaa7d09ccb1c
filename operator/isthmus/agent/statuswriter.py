"""Writes the status of one node's Dispatches, each on the version that was decided on."""

from collections.abc import Callable, Sequence

import structlog

from isthmus.api.core import Manifest, Pod
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState, DispatchStatus
from isthmus.api.reference import reference
from isthmus.clusters import DISPATCHES, KubernetesApi

from .contact import Contact
from .execution import Execution
from .meter import ShardMeter
from .observe import succeeded_in
from .shardindexes import tally
from .stoprate import bursts_of
from .view import MemberView

logger = structlog.get_logger(__name__)


class StatusWriter:
    """`namespace` is the node's in the hub; `clock` is monotonic, in seconds. All raise ClusterError."""

    def __init__(
        self,
        hub: KubernetesApi,
        namespace: str,
        *,
        view: MemberView,
        meter: ShardMeter,
        contact: Contact,
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._namespace = namespace
        self._view = view
        self._meter = meter
        self._contact = contact
        self._clock = clock

    async def end(
        self,
        dispatch: Dispatch,
        execution: Execution,
        state: DispatchState,
        reason: str,
        message: str,
        *,
        pods: Sequence[Pod] | None = None,
        released: bool = False,
    ) -> None:
        """Write a terminal state with the last reading, which takes in all pods still held (by default the view's)."""
        name = dispatch.metadata["name"]
        if pods is None:
            pods = self._view.pods(name)
        reading = dispatch.status.reading
        advance = self._meter.advance(reading, pods, execution, final=True)
        numbered = tally(dispatch, self._view.job(name), pods)
        succeeded = max(dispatch.status.succeeded, succeeded_in(pods)) if numbered is None else len(numbered.completed)
        status = dispatch.status.model_copy(
            update={
                "state": state,
                "reason": reason,
                "message": message[:1024],
                "active": 0,
                "succeeded": succeeded,
                "completed_indexes": numbered.completed_text if numbered else None,
                "failed_indexes": numbered.failed_text if numbered else None,
                "index_failures": numbered.failures if numbered else None,
                "reading": advance.reading or reading,
                "released": released and not pods,
                "pod_problem": None,
                "armed": False,
            }
        )
        written = await self.write(dispatch, execution, status)
        await self._meter.release(name, written.status.reading, execution)

    async def write(self, dispatch: Dispatch, execution: Execution, status: DispatchStatus) -> Dispatch:
        """Write the whole status on the version that was decided on. Raises Conflict where that is not the newest."""
        new = _replacing(dispatch.status.to_manifest(), status.to_manifest())
        name = dispatch.metadata["name"]
        body = {"metadata": {"resourceVersion": dispatch.metadata["resourceVersion"]}, "status": new}
        answer = await self._hub.patch(DISPATCHES, name, self._namespace, body, subresource="status")
        written = Dispatch.model_validate(answer)
        if status.state in TERMINAL:
            self._contact.stopped(execution.uid, bursts_of(execution.stops.values()))
        execution.latest = written
        if written.status.reading is not None:
            execution.sequence = written.status.reading.sequence
        execution.live = dict(execution.measured)
        execution.written_at = self._clock()
        execution.noticed_at = None
        logger.debug("reported", **reference("Dispatch", written.metadata), state=status.state)
        return written


def _replacing(old: Manifest, new: Manifest) -> Manifest:
    """The merge patch after which nothing of `old` is left that `new` lacks: it removes what is null."""
    kept = {
        key: _replacing(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
        for key, value in new.items()
    }
    return {**dict.fromkeys(old), **kept}
