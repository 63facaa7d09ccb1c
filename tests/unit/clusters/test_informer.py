import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from isthmus.api.core import Pod
from isthmus.clusters import (
    PODS,
    ClusterError,
    FakeCluster,
    Forbidden,
    Informer,
    ServerFailure,
    TimedOut,
    TooManyRequests,
    Unreachable,
)
from isthmus.clusters.fake import Call, matching

pytestmark = pytest.mark.simulated_time

Told = list[Any]


@asynccontextmanager
async def _running(cluster: FakeCluster, **settings: Any) -> AsyncIterator[tuple[Informer[Pod], Told]]:
    """An informer of pods that runs, and what it told: (kind, name), and the reason or "up" of its connection."""
    told: Told = []

    def on_change(kind: str, _: Pod | None, new: Pod) -> None:
        told.append((kind, new.metadata.name))

    def on_connection(error: ClusterError | None) -> None:
        told.append(error.reason if error else "up")

    informer = Informer(
        cluster,
        PODS,
        type=Pod,
        on_change=on_change,
        on_connection=on_connection,
        rng=random.Random(1),  # noqa: S311 - jitter
        **settings,
    )
    task = asyncio.create_task(informer.run())
    try:
        yield informer, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _pod(name: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {}, **fields}


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_lists_then_follows() -> None:
    """What was there is ADDED from the list, what happens afterwards comes from the watch."""
    cluster = FakeCluster()
    cluster.put(PODS, _pod("a"))
    async with _running(cluster) as (informer, told):
        await informer.wait_synced()
        await asyncio.sleep(1)
        cluster.put(PODS, _pod("a", status={"phase": "Running"}))
        await cluster.create(PODS, _pod("b"), "default")
        await cluster.delete(PODS, "a", "default")
        await asyncio.sleep(1)
        assert told == [("ADDED", "a"), "up", ("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
        assert informer.get("default", "b") is not None
        assert informer.get("default", "a") is None
        assert (informer.connected, informer.error, informer.restarts) == (True, None, 0)
    assert not informer.connected


async def test_resumes_after_a_cut_without_a_new_list() -> None:
    """When the link comes back, the watch goes on from where it was: nothing is lost, nothing listed again."""
    cluster = FakeCluster()
    async with _running(cluster) as (informer, told):
        await asyncio.sleep(1)
        cluster.disconnect()
        cluster.put(PODS, _pod("a"))
        await asyncio.sleep(60)
        assert (told, informer.connected) == (["up", "Unreachable"], False)
        assert isinstance(informer.error, Unreachable)
        cluster.heal()
        await asyncio.sleep(60)
        assert told == ["up", "Unreachable", "up", ("ADDED", "a")]
        assert cluster.requests["list"] == 1


async def test_after_a_long_gap_the_differences_are_told() -> None:
    """Where the history is gone too, a new list shows what happened meanwhile."""
    cluster = FakeCluster()
    cluster.put(PODS, _pod("gone"))
    cluster.put(PODS, _pod("same"))
    async with _running(cluster) as (informer, told):
        await asyncio.sleep(1)
        cluster.disconnect()
        await asyncio.sleep(1)
        cluster.put(PODS, _pod("new"))
        cluster.remove(PODS, "gone", "default")
        cluster.compact()
        cluster.heal()
        told.clear()
        await asyncio.sleep(60)
        assert told == [("DELETED", "gone"), ("ADDED", "new"), "up"]
        assert sorted(informer.items) == [("default", "new"), ("default", "same")]


async def test_failures_are_retried_with_growing_pauses_and_told_once() -> None:
    """A cluster that is down is asked ever more rarely, and the same reason is told a single time."""
    cluster = FakeCluster()
    cluster.disconnect()
    async with _running(cluster, first_pause_seconds=1.0, longest_pause_seconds=60.0) as (informer, told):
        await asyncio.sleep(600)
        assert told == ["Unreachable"]
        assert 12 <= informer.restarts <= 25
        cluster.disconnect(TimedOut("slow"))
        await asyncio.sleep(120)
        assert told == ["Unreachable", "Timeout"]
        cluster.heal()
        await asyncio.wait_for(informer.wait_synced(), 91)


async def test_a_permission_that_is_taken_away_and_given_back() -> None:
    """A refusal is told as such and not fatal."""
    cluster = FakeCluster()
    cluster.fail(matching("list", PODS), Forbidden(403, "Forbidden", "pods is forbidden"), times=3)
    async with _running(cluster) as (informer, told):
        await informer.wait_synced()
        await asyncio.sleep(1)
        assert told == ["Forbidden", "up"]


async def test_the_servers_own_pause_is_kept() -> None:
    """A 429 with Retry-After is waited for at least that long."""
    cluster = FakeCluster()
    cluster.fail(matching("list", PODS), TooManyRequests(429, "TooManyRequests", "later", retry_after=120))
    async with _running(cluster) as (informer, _):
        await informer.wait_synced()
        assert _now() >= 120


async def test_a_history_that_is_always_too_short_is_no_busy_loop() -> None:
    """One Expired is answered by a new list at once, one after the other only after pauses."""
    cluster = FakeCluster()

    def forget(_: Call) -> None:
        cluster.put(PODS, _pod("p", status={"message": str(cluster.requests["list"])}))
        cluster.compact()

    async with _running(cluster) as (_, told):
        await asyncio.sleep(1)
        cluster.before("watch", PODS, forget, times=None)
        cluster.end_watches(Unreachable("reset"))
        await asyncio.sleep(300)
        assert told[:4] == ["up", "Unreachable", ("ADDED", "p"), ("MODIFIED", "p")]
        assert 5 <= cluster.requests["list"] <= 40


async def test_a_watch_that_ends_at_once_is_no_busy_loop() -> None:
    """Where something in between ends every watch immediately, the informer pauses before the next."""
    cluster = FakeCluster()
    async with _running(cluster, watch_seconds=0.0) as (_, __):
        await asyncio.sleep(100)
        assert 100 <= cluster.requests["watch"] <= 400


async def test_a_failing_server_is_listed_anew() -> None:
    """After an error that says nothing about the version (such as one from the future), the list is read anew."""
    cluster = FakeCluster()
    async with _running(cluster) as (informer, told):
        await asyncio.sleep(1)
        cluster.fail(matching("watch", PODS), ServerFailure(504, "Timeout", "Too large resource version: 99"))
        cluster.end_watches(Unreachable("reset"))
        await asyncio.sleep(10)
        assert cluster.requests["list"] == 2
        assert told == ["up", "Unreachable", "ServerFailure", "up"]
        assert informer.connected


async def test_bookmarks_carry_a_quiet_watch_on() -> None:
    """Where nothing of the kind changes for long, bookmarks keep its version fresh enough to resume from."""
    cluster = FakeCluster()
    async with _running(cluster) as (informer, _):
        await asyncio.sleep(1)
        await cluster.create(PODS, _pod("x"), "default")
        cluster.bookmark()
        await asyncio.sleep(1)
        cluster.compact()
        cluster.end_watches(Unreachable("reset"))
        await asyncio.sleep(10)
        assert (cluster.requests["list"], informer.connected) == (1, True)


async def test_a_silent_link_is_noticed() -> None:
    """Without an event or bookmark for the idle time, the watch counts as dead and is made anew."""
    cluster = FakeCluster()
    async with _running(cluster, idle_seconds=90) as (informer, told):
        await asyncio.sleep(200)
        assert told[:3] == ["up", "Timeout", "up"]
        assert informer.restarts == 2


async def test_only_what_is_selected_is_seen() -> None:
    """Namespace, labels and fields bound the list and the watch; what leaves the selection is DELETED."""
    cluster = FakeCluster()
    async with _running(cluster, namespace="default", labels="app=x") as (_, told):
        await asyncio.sleep(1)
        cluster.put(PODS, {"metadata": {"name": "other", "namespace": "kube-system", "labels": {"app": "x"}}})
        cluster.put(PODS, _pod("plain"))
        cluster.put(PODS, {"metadata": {"name": "plain", "namespace": "default", "labels": {"app": "x"}}})
        cluster.put(PODS, {"metadata": {"name": "plain", "namespace": "default", "labels": {"app": "y"}}})
        await asyncio.sleep(1)
        assert told == ["up", ("ADDED", "plain"), ("DELETED", "plain")]


async def test_a_callback_of_the_connection_may_fail() -> None:
    """A caller's function that raises does not end the informer."""

    def fails(_: ClusterError | None) -> None:
        raise RuntimeError("a bug of the caller")

    cluster = FakeCluster()
    informer = Informer(cluster, PODS, type=dict, on_connection=fails)
    task = asyncio.create_task(informer.run())
    await asyncio.sleep(1)
    assert informer.connected
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
