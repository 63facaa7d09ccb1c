"""Carries out one node's Dispatches: reads, decides by `steps`, does the one step, and reports.

The order of writes is the protocol (DESIGN.md §5): Accepted before the Job is created, the final reading before a
pod's finalizer goes. Every write of a Dispatch status names the resourceVersion that the decision was made on.
"""

from collections.abc import Callable
from typing import Protocol

from isthmus.api.core import Job
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.api.names import FINALIZER_POD
from isthmus.clusters import ClusterError, KubernetesApi, earliest

from .beginning import WATCH_LAG_SECONDS, Beginning
from .contact import Contact
from .due import REPORT_SECONDS
from .execution import Execution
from .gates import IndexGates
from .guard import Guard
from .memberjobs import MemberJobs
from .memberqueue import MemberQueue
from .meter import ShardMeter, unsettled
from .observe import pod_ended
from .orphans import sweep
from .pausing import Pausing
from .reporter import Reporter
from .statuswriter import StatusWriter
from .steps import Facts, Step, next_step
from .stock import take_stock
from .view import MemberView


class DispatchView(Protocol):
    """The node's Dispatches as the hub's API last showed them."""

    def get(self, name: str) -> Dispatch | None:
        """The Dispatch of that name."""
        ...

    def resting(self, name: str, *, with_job: bool) -> bool:
        """Whether it has ended, and its job too, so that it needs nothing done; `with_job`: the member has its Job."""
        ...


class Executor:
    """The reconciler of one node's Dispatches; `clock` is monotonic, in seconds.

    `on_created(dispatch)` hears that its Job was created. `on_doubt()` has all be looked at, `on_fenced(name)` has
    `tend` called for the Dispatch, `on_unheld(name)` `reconcile`.
    """

    def __init__(
        self,
        hub: KubernetesApi,
        namespace: str,
        *,
        dispatches: DispatchView,
        view: MemberView,
        jobs: MemberJobs,
        queue: MemberQueue,
        meter: ShardMeter,
        gates: IndexGates,
        contact: Contact,
        on_created: Callable[[Dispatch], None],
        on_doubt: Callable[[], None],
        on_fenced: Callable[[str], None],
        on_unheld: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._namespace = namespace
        self._dispatches = dispatches
        self._view = view
        self._jobs = jobs
        self._meter = meter
        self._gates = gates
        self._contact = contact
        self._writer = StatusWriter(hub, namespace, view=view, meter=meter, contact=contact, clock=clock)
        self._beginning = Beginning(
            view=view,
            jobs=jobs,
            meter=meter,
            writer=self._writer,
            contact=contact,
            on_created=on_created,
            clock=clock,
        )
        self._on_fenced = on_fenced
        self._guard = Guard(contact, jobs=jobs, meter=meter, on_doubt=on_doubt, on_unheld=on_unheld)
        self._reporter = Reporter(
            hub,
            view=view,
            jobs=jobs,
            queue=queue,
            meter=meter,
            writer=self._writer,
            guard=self._guard,
            contact=contact,
            clock=clock,
        )
        self._pausing = Pausing(jobs, self._guard, self._reporter, self._writer, clock)
        self._clock = clock
        self._executions: dict[str, Execution] = {}

    def current(self, name: str) -> Dispatch | None:
        """The newest known form of a Dispatch: the watch's, or the answer to our own last write."""
        shown = self._dispatches.get(name)
        execution = self._executions.get(name)
        if shown is None or execution is None or execution.latest is None:
            return shown
        written = execution.latest
        newer = int(written.metadata["resourceVersion"]) > int(shown.metadata["resourceVersion"])
        if newer and written.metadata["uid"] == shown.metadata["uid"]:
            return written
        execution.latest = None  # of each that runs there would be two in memory
        return shown

    def at_rest(self, name: str) -> bool:
        """Whether nothing is to be done for the Dispatch, in the hub or in the member: most ever made are so."""
        return self._dispatches.resting(name, with_job=self._view.has_job(name)) and self._view.all_let_go(name)

    def _forget(self, name: str) -> None:
        gone = self._executions.pop(name, None)
        if gone is not None:
            self._contact.forget(gone.uid)

    async def tend(self, name: str) -> float | None:
        """Do what is due for the limit of a shard with a fence; the answer is when, in seconds, to look again.

        It waits for nothing else that is done for the shard: letting go a thousand pods takes a while.
        """
        dispatch, execution = self.current(name), self._executions.get(name)
        if dispatch is None or execution is None:
            return None
        return await self._guard.tend(dispatch, execution, self._view.job(name), self._view.pods(name))

    async def reconcile(self, name: str) -> float | None:
        """Do what is due for the Dispatch; the answer is when, in seconds, to look again. Raises ClusterError."""
        if self.at_rest(name):
            self._forget(name)
            return None
        dispatch = self.current(name)
        if dispatch is None:
            self._forget(name)
            return await sweep(name, hub=self._hub, namespace=self._namespace, view=self._view, jobs=self._jobs)
        execution = self._executions.get(name)
        if execution is None:
            execution = self._executions[name] = Execution.of(dispatch, self._clock())
        job = self._view.job(name)
        if job is not None:
            if not execution.seen and execution.created_at is None:
                execution.resumable = (job.metadata.resource_version, self._clock())
            execution.seen = True
            execution.job_uid = job.metadata.uid
        pods = self._view.pods(name)
        held = {pod.metadata.uid for pod in pods if FINALIZER_POD in pod.metadata.finalizers}
        facts = Facts(
            dispatch=dispatch,
            job=job,
            pods=len(held),
            unsettled=len(unsettled(pods, dispatch.status.reading)),
            may_create=execution.accepted_here and not execution.job_uid,
            awaiting_watch=execution.awaiting_watch(self._clock(), WATCH_LAG_SECONDS),
        )
        tended = None
        if dispatch.spec.fence is not None:
            self._on_fenced(name)
        else:
            tended = await self._guard.tend(dispatch, execution, job, pods)
        more, blocked = False, None
        try:
            more = await self._gates.open(dispatch, job, pods, execution.opened)
        except ClusterError as error:
            blocked = error  # what is due for the shard does not wait for that
        again = await self._do(next_step(facts), dispatch, execution, job)
        if blocked is not None:
            raise blocked
        if more:
            return 0.0
        return earliest(again, tended)

    async def _do(self, step: Step, dispatch: Dispatch, execution: Execution, job: Job | None) -> float | None:  # noqa: C901, PLR0911, PLR0912 - one arm a step
        match step:
            case Step.ACCEPT:
                return await self._beginning.accept(dispatch, execution)
            case Step.WITHDRAW:
                await self._writer.end(dispatch, execution, DispatchState.CANCELLED, "Cancelled", "", released=True)
            case Step.CREATE:
                return await self._beginning.create(dispatch, execution)
            case Step.RECOVER:
                return await self._beginning.recover(dispatch, execution)
            case Step.SUSPEND if job is not None:
                return await self._pausing.suspend(dispatch, execution, job)
            case Step.RESUME if job is not None:
                return await self._pausing.resume(dispatch, execution, job)
            case Step.DELETE:
                await self._jobs.delete(dispatch, job)
            case Step.LOSE:
                await self._beginning.lose(dispatch, execution)
            case Step.REPORT if job is not None:
                return await self._reporter.report(dispatch, execution, job)
            case Step.STOCK:
                return await self._take_stock(dispatch, execution)
            case Step.SETTLE:
                return await self._settle(dispatch, execution)
            case Step.RELEASE:
                await self._meter.release(dispatch.metadata["name"], dispatch.status.reading, execution)
            case Step.CLEAR:
                return await self._clear(dispatch, execution)
            case _ if dispatch.status.state not in TERMINAL:
                return WATCH_LAG_SECONDS
            case _:
                if self._dispatches.get(dispatch.metadata["name"]) is dispatch:  # and no newer form is known here alone
                    self._forget(dispatch.metadata["name"])
        return None

    async def _take_stock(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Tell what became of a shard that the hub gave up; then it is cleared away as any other."""
        shown = self._view.pods(dispatch.metadata["name"])
        status = await take_stock(
            dispatch, execution, jobs=self._jobs, meter=self._meter, shown=shown, clock=self._clock
        )
        if status is None:
            return REPORT_SECONDS
        written = await self._writer.write(dispatch, execution, status)
        await self._meter.release(dispatch.metadata["name"], written.status.reading, execution)
        return 0.0

    async def _settle(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Pods of a shard that has ended: a Job's controller that lagged behind made them, or a create that came late.

        They are stopped, and their time is read; where the reading was final, the ledger records a conflict. The watch
        may be behind the list that the last reading rests on, and show pods held that were let go: all are listed anew.
        """
        if (left := execution.settle_at - self._clock()) > 0:
            return left
        if not execution.may_list(self._clock(), self._view.pods(dispatch.metadata["name"])):
            return REPORT_SECONDS
        execution.settle_at = self._clock() + REPORT_SECONDS
        pods = await self._meter.newest(dispatch, execution)
        running = [pod for pod in pods if not pod_ended(pod)]
        if running:
            await self._jobs.delete_pods(running)
            return REPORT_SECONDS
        status = dispatch.status
        if not unsettled(pods, status.reading):
            return REPORT_SECONDS  # the watch is behind
        state = status.state or DispatchState.LOST
        await self._writer.end(dispatch, execution, state, status.reason, status.message, pods=pods)
        return 0.0

    async def _clear(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """The watch shows nothing of the shard any more: make sure by consistent reads, then say so."""
        if await self._jobs.find(dispatch) is not None or await self._meter.listed(dispatch):
            return REPORT_SECONDS
        await self._writer.write(dispatch, execution, dispatch.status.model_copy(update={"released": True}))
        return None
