"""How a shard comes to be in the member, at most once: accepted, created, and found again or given up after a crash."""

from collections.abc import Callable

from isthmus.api.dispatch import Dispatch, DispatchState, DispatchStatus
from isthmus.clusters import ApiError, ClusterError, Forbidden, Invalid

from .contact import Contact
from .due import REPORT_SECONDS
from .execution import Execution
from .memberjobs import MemberJobs
from .meter import ShardMeter
from .observe import pod_ended, without_job
from .statuswriter import StatusWriter
from .tenancy import NamespaceTaken
from .view import MemberView

# The watch shows a Job within moments of its creation; after this long without it, the API is asked.
WATCH_LAG_SECONDS = 5.0
# An API server that has just started denies everybody everything until it has read its roles.
DENIED_SECONDS = 15.0


class Beginning:
    """Of the shards of one node; `clock` is monotonic, in seconds. Each answers when, in seconds, to look again."""

    def __init__(
        self,
        *,
        view: MemberView,
        jobs: MemberJobs,
        meter: ShardMeter,
        writer: StatusWriter,
        contact: Contact,
        on_created: Callable[[Dispatch], None],
        clock: Callable[[], float],
    ) -> None:
        self._view = view
        self._jobs = jobs
        self._meter = meter
        self._writer = writer
        self._contact = contact
        self._on_created = on_created
        self._clock = clock

    async def accept(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Say that the node has it, and only then create its Job."""
        accepted = await self._writer.write(dispatch, execution, DispatchStatus(state=DispatchState.ACCEPTED))
        execution.accepted_here = True
        return await self.create(accepted, execution)

    async def create(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Create the Job of a Dispatch that this process accepted, unless a verdict may be near."""
        if not self._contact.may_lengthen(dispatch.metadata["uid"]):
            return REPORT_SECONDS
        try:
            with self._contact.attempt(dispatch.metadata["uid"]):
                execution.job_uid = await self._jobs.create(dispatch)
        except (Invalid, Forbidden, NamespaceTaken) as error:
            starting = self._jobs.denied(error) and execution.denied_seconds(self._clock()) < DENIED_SECONDS
            if starting or self._jobs.terminating(error):
                raise
            if execution.create_open and not await self._jobs.excluded(dispatch, error):
                execution.refusal = error
                return REPORT_SECONDS  # the Job of the earlier create, or the placeholder, arrives by watch
            await self._refuse(dispatch, execution, error)
            return None
        except ClusterError as error:
            execution.create_open = execution.create_open or self._jobs.leaves_open(error)
            raise
        execution.created_at = self._clock()
        self._on_created(dispatch)
        return WATCH_LAG_SECONDS

    async def _refuse(self, dispatch: Dispatch, execution: Execution, error: ApiError) -> None:
        """End it as the member's refusal; a placeholder that holds its name is yet to be cleared away."""
        reason, clear = f"Member{error.reason}", self._view.job(dispatch.metadata["name"]) is None
        await self._writer.end(dispatch, execution, DispatchState.REFUSED, reason, error.message, released=clear)

    async def recover(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Accepted, but the watch shows no Job: it was never created, or it is gone."""
        cancelled = dispatch.spec.desired_state == "Cancelled"
        self._contact.unarm(dispatch.metadata["uid"])  # without a Job there is no limit
        if not execution.may_list(self._clock(), self._view.pods(dispatch.metadata["name"])):
            return REPORT_SECONDS
        if await self._jobs.find(dispatch) is not None:
            return REPORT_SECONDS  # the watch is behind
        if not (dispatch.status.job_uid or execution.job_uid) and await self._jobs.hold_name(dispatch):
            return REPORT_SECONDS  # the placeholder, or the Job that came after all, arrives by watch
        # Whether the shard may be run again rests on this list: the watch on pods may be behind the one on Jobs.
        pods = await self._meter.newest(dispatch, execution)
        if any(not pod_ended(pod) for pod in pods):
            await self._disarm(dispatch, execution)
            await self._jobs.delete_pods([pod for pod in pods if not pod_ended(pod)])
            return REPORT_SECONDS
        if cancelled:
            await self._writer.end(
                dispatch, execution, DispatchState.CANCELLED, "Cancelled", "", pods=pods, released=True
            )
        else:
            state, reason, message = without_job(dispatch, pods)
            await self._writer.end(dispatch, execution, state, reason, message, pods=pods)
        return 0.0

    async def _disarm(self, dispatch: Dispatch, execution: Execution) -> None:
        """Pods that run without their Job are stopped by nobody but us: have nobody rely on its limit."""
        if dispatch.status.armed:
            await self._writer.write(dispatch, execution, dispatch.status.model_copy(update={"armed": False}))

    async def lose(self, dispatch: Dispatch, execution: Execution) -> None:
        """A placeholder holds the name of the Job: end what never came to be."""
        if dispatch.spec.desired_state == "Cancelled":
            await self._writer.end(dispatch, execution, DispatchState.CANCELLED, "Cancelled", "")
            return
        if execution.refusal is not None:
            await self._refuse(dispatch, execution, execution.refusal)
            return
        message = "the agent stopped between accepting the shard and creating its Job; nothing of it ever ran"
        await self._writer.end(dispatch, execution, DispatchState.LOST, "NeverCreated", message)
