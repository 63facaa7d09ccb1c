"""Answers with the log of one of a job's pods, as it comes from the member."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from isthmus.api.computejob import FINISHED, ComputeJob
from isthmus.api.conditions import find
from isthmus.api.core import Pod
from isthmus.api.dispatch import TERMINAL
from isthmus.api.names import tenant_namespace
from isthmus.clusters import PODS, ApiError, ClusterError, Invalid, NotFound, TooManyRequests
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.work import work_of

from .jobs import JobReader
from .logaccess import Member, opened_log
from .logoptions import LogOptions, options_of
from .logtarget import Target, checked_index, chosen, targets
from .refusals import bad_request, gone, too_many, unavailable
from .server import BEGUN, HEADERS

STREAMS = 256
STREAMS_OF_NODE = 64
# Whoever reads in one namespace leaves room for all others.
STREAMS_OF_NAMESPACE = 8
# A log that is followed is ended once the member has been out of reach for this long at the most.
WATCH_SECONDS = 2.0
# As a kubelet ends a stream: whoever wants more of it asks again.
LONGEST_SECONDS = 4 * 3600.0
_ATTEMPTS = 3


class Logs:
    """`member_of` gives a node's member while that can be reached."""

    def __init__(
        self,
        jobs: JobReader,
        *,
        hub_uid: str,
        dispatches: DispatchStore,
        member_of: Callable[[str], Member | None],
    ) -> None:
        self._jobs = jobs
        self._hub_uid = hub_uid
        self._dispatches = dispatches
        self._member_of = member_of
        self._streams: Counter[str] = Counter()
        self._tenants: Counter[str] = Counter()

    async def answer(self, request: web.Request, namespace: str, name: str) -> web.StreamResponse:
        """The log, as plain text. Raises Refused."""
        options = options_of(request.query)
        job = await self._jobs.read(namespace, name)
        index = checked_index(work_of(job.spec.template), options.index)
        places = targets(self._dispatches.read_of_job(str(job.metadata["uid"])), index)
        if not places:
            raise bad_request(_not_begun(job, index))
        with self._counted(places[0].node, namespace):
            target, pod = await self._pod(places, name, namespace, index)
            return await self._stream(request, target, pod, options, name)

    async def _pod(self, places: Sequence[Target], name: str, namespace: str, index: int | None) -> tuple[Target, Pod]:
        """The pod that is meant, with its shard: that of the last attempt which has one."""
        inner = tenant_namespace(self._hub_uid, namespace)
        for target in places[:_ATTEMPTS]:
            member = self._reached(target.node)
            with _told(target.node, name):
                found = await member.list(PODS, inner, labels=target.labels(self._hub_uid), type=Pod)
            pod = chosen(found.items, numbered=index is not None)
            if pod is not None:
                return target, pod
        what, last = "the job" if index is None else f"index {index}", places[0]
        if last.dispatch.status.state in TERMINAL:
            raise gone(f"{what} has ended and its pods were removed from node {last.node}, their logs with them", name)
        raise bad_request(f"{what} has no pod on node {last.node} yet")

    async def _stream(
        self, request: web.Request, target: Target, pod: Pod, options: LogOptions, name: str
    ) -> web.StreamResponse:
        member = self._reached(target.node)
        opened = opened_log(
            member, self._hub_uid, pod.metadata.namespace, pod.metadata.name, options.rest, follow=options.follow
        )
        with _told(target.node, name):
            try:
                async with self._while_reached(target.node, member), opened as chunks:
                    response = web.StreamResponse(headers=HEADERS)
                    response.content_type, response.charset = "text/plain", "utf-8"
                    request[BEGUN] = True
                    await response.prepare(request)
                    async for chunk in chunks:
                        await response.write(chunk)  # waits until the client has taken what came before
                    await response.write_eof()
            except TimeoutError:
                raise unavailable(
                    f"the log was ended: node {target.node} is out of reach, or it took too long"
                ) from None
        return response

    @asynccontextmanager
    async def _while_reached(self, node: str, member: Member) -> AsyncIterator[None]:
        """Raises TimeoutError some time after the member was lost: a log that is silent may be a dead link's."""

        async def watch(limit: asyncio.Timeout) -> None:
            while self._member_of(node) is member:  # noqa: ASYNC110 - it is replaced without notice
                await asyncio.sleep(WATCH_SECONDS)
            limit.reschedule(asyncio.get_running_loop().time())

        async with asyncio.timeout(LONGEST_SECONDS) as limit:
            watching = asyncio.create_task(watch(limit))
            try:
                yield
            finally:
                watching.cancel()

    @contextmanager
    def _counted(self, node: str, namespace: str) -> Iterator[None]:
        """One of the logs that are being told; those of one member, or one namespace, leave room for others'."""
        if self._tenants[namespace] >= STREAMS_OF_NAMESPACE:
            raise too_many(
                f"{STREAMS_OF_NAMESPACE} logs of namespace {namespace} are being read; try again when one has ended"
            )
        if self._streams.total() >= STREAMS or self._streams[node] >= STREAMS_OF_NODE:
            raise too_many("too many logs are being read at once; try again when some of them have ended")
        self._streams[node] += 1
        self._tenants[namespace] += 1
        try:
            yield
        finally:
            for counts, key in ((self._streams, node), (self._tenants, namespace)):
                counts[key] -= 1
                if not counts[key]:
                    del counts[key]

    def _reached(self, node: str) -> Member:
        member = self._member_of(node)
        if member is None:
            raise unavailable(f"node {node} can't be reached now; its logs are in the member")
        return member


@contextmanager
def _told(node: str, name: str) -> Iterator[None]:
    """What a member answers, as the caller is to hear it: its own words, but nothing of where it stands."""
    try:
        yield
    except NotFound as error:
        raise gone(f"the pod was removed from node {node}, its log with it", name) from error
    except Invalid as error:
        raise bad_request(error.message) from error
    except TooManyRequests as error:
        raise too_many(f"node {node} asks for patience: {error.message}") from error
    except ApiError as error:
        raise unavailable(f"node {node} can't give the log: {error.message}") from error
    except ClusterError as error:
        raise unavailable(f"node {node} can't be reached: {error.reason}") from error


def _not_begun(job: ComputeJob, index: int | None) -> str:
    """Why there is no log yet, or none at all."""
    what = "the job" if index is None else f"index {index}"
    if job.status.phase in FINISHED:
        return f"{what} never ran"
    placed = find(job.status.conditions, "Placed")
    why = f": {placed.message}" if placed is not None and placed.status != "True" and placed.message else ""
    return f"{what} has not been sent to a node yet{why}"
