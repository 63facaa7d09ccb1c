"""Each second of a pod is read once, whatever order the member's news comes in: Jobs and pods are watched apart."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.agent.shards import late_seconds
from tests.unit.agent.world import Line, Object, Process, World, now, stamp

from isthmus.clusters import DISPATCHES, JOBS, NAMESPACES, PODS, Expired, TimedOut
from isthmus.clusters.fake import matching
from isthmus.clusters.resources import Resource
from isthmus.metering import LIVE_LAG

pytestmark = pytest.mark.simulated_time

Worlds = Callable[..., Any]
ENDS = {"Succeeded", "Failed", "Cancelled", "Refused", "Lost"}
# Live pods are counted up to so little before now that their ends are known; the simulated kubelets lag as well.
LONGEST_POD_LAG = LIVE_LAG.total_seconds() - 1.5
LONGEST_JOB_LAG = 9.0
STORM_SECONDS = 60


class LaggingLine(Line):
    """A process' access to its member, with watches that come late."""

    async def watch(self, resource: Resource, *args: Any, **settings: Any) -> AsyncGenerator[Any, None]:
        """What the cluster tells, once it may be told."""
        assert isinstance(self._process, LaggingProcess)
        async with aclosing(super().watch(resource, *args, **settings)) as stream:
            async for event in stream:
                await self._process.told[resource].wait()
                if resource == PODS:
                    await asyncio.sleep(self._process.pod_pause)
                yield event


class LaggingProcess(Process):
    """One whose watches on the member can be held up, each for itself."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.pod_pause = 0.0
        """Seconds before each change of a pod is told: the watch trickles."""
        self.told: defaultdict[Resource, asyncio.Event] = defaultdict(_set)
        self.member = LaggingLine(self, world.member)

    async def hold(self, resource: Resource, seconds: float) -> None:
        """Keep back what the watch on these tells, and then tell it all at once."""
        if self.told[resource].is_set():
            self.told[resource].clear()
            await asyncio.sleep(seconds)
            self.told[resource].set()


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def _bookmarks(world: World) -> None:
    """What an API server sends, so that what is not told has not happened."""
    while True:
        await asyncio.sleep(20)
        world.member.bookmark()


def _lists_of_pods(process: Process) -> int:
    """How often it listed a shard's."""
    return sum(1 for call in process.member.calls if (call.verb, call.resource) == ("list", PODS) and call.namespace)


def _final_readings(world: World, name: str) -> set[int]:
    """Core-seconds, late ones too, that stood in a status with an end and a final reading."""
    found = set()
    for change in world.hub._store.since(0):
        if change.resource != DISPATCHES or change.after is None or change.after["metadata"]["name"] != name:
            continue
        status = change.after.get("status", {})
        reading = status.get("reading") or {}
        if status.get("state") in ENDS and reading.get("final"):
            parts = [*reading.get("total", ()), *reading.get("late", ())]
            found.add(sum(part["quantity"] for part in parts if part["meter"] == "MillicoreSeconds") // 1000)
    return found


async def test_watch_is_behind_a_final_list(worlds: Worlds) -> None:
    """The last reading is made from a list; the watch on pods, still behind it, has none of them read a second time."""
    async with worlds(run_seconds=3) as world:
        name = world.dispatch(completions=1)
        process = LaggingProcess(world)
        await world.until(lambda: [pod["status"]["phase"] for pod in world.objects(PODS)] == ["Running"])
        await asyncio.sleep(2)
        held: list[asyncio.Task[None]] = []
        world.member.before("patch", PODS, lambda _: held.append(asyncio.create_task(process.hold(PODS, 30))))
        world.makes_pods = False
        world.delete_pod(world.objects(PODS)[0])
        await world.until(lambda: held)  # what it used is read, and that it is let go is not shown
        world.makes_pods = True  # nor is the pod that takes its place
        await world.until(lambda: world.state(name) == "Succeeded")
        assert not held[0].done()
        await held[0]
        await world.until(lambda: not any(pod["metadata"].get("finalizers") for pod in world.objects(PODS)))
        assert _final_readings(world, name) == {world.pod_seconds()} == {5}
        await process.kill()


async def test_stopped_shard_goes_on(worlds: Worlds) -> None:
    """That a shard has stopped is told from a list; gone on before the watch shows as much, it is read once."""
    async with worlds(run_seconds=4) as world:
        name = world.dispatch(completions=3)
        process = LaggingProcess(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(2)
        held: list[asyncio.Task[None]] = []
        world.member.before("patch", PODS, lambda _: held.append(asyncio.create_task(process.hold(PODS, 30))))
        world.desire(name, "Suspended")
        await world.until(lambda: world.shown(name).status.stopped)
        world.desire(name, "Running")
        await world.until(lambda: world.state(name) == "Succeeded")
        assert held
        await world.until(lambda: not any(pod["metadata"].get("finalizers") for pod in world.objects(PODS)))
        assert _final_readings(world, name) == {world.pod_seconds()}
        await process.kill()


async def test_news_trickles_after_a_stall(worlds: Worlds) -> None:
    """Stopped for a while, and slow to read what came meanwhile: no pod is counted beyond an end that is to be read."""
    async with worlds(run_seconds=3600) as world:
        first, second = world.dispatch(1, completions=6), world.dispatch(2, completions=3)
        process = LaggingProcess(world)
        await world.until(lambda: all(world.state(name) == "Running" for name in (first, second)))
        await asyncio.sleep(20)
        began = stamp()
        asyncio.get_running_loop().freeze(40)  # type: ignore[attr-defined]  # a simulated loop's
        process.pod_pause = 4
        for name, indexes in ((first, "012345"), (second, "012")):
            for index in indexes:
                world.finish(name, index, began)
        await world.until(lambda: all(world.state(name) == "Succeeded" for name in (first, second)))
        for name in (first, second):
            pods = [pod for pod in world.pods_ever().values() if pod["metadata"]["name"].startswith(name)]
            assert world.read_seconds(name) == world.seconds_of(pods)
        await process.kill()


@pytest.mark.parametrize("pause", [2, 3, 4, 7])
async def test_news_trickles_without_a_stall(worlds: Worlds, pause: float) -> None:
    """Read more slowly than it comes, or late for another reason: an end that is told late speaks for all others."""
    async with worlds(run_seconds=3600) as world:
        first, second = world.dispatch(1, completions=6), world.dispatch(2, completions=3)
        process = LaggingProcess(world)
        await world.until(lambda: all(world.state(name) == "Running" for name in (first, second)))
        await asyncio.sleep(20)
        process.pod_pause = pause
        for name, indexes in ((first, "012345"), (second, "012")):
            for index in indexes:
                world.finish(name, index)
        await world.until(lambda: all(world.state(name) == "Succeeded" for name in (first, second)))
        for name in (first, second):
            pods = [pod for pod in world.pods_ever().values() if pod["metadata"]["name"].startswith(name)]
            assert world.read_seconds(name) == world.seconds_of(pods)
        await process.kill()


class HastyProcess(Process):
    """One whose clock goes fast."""

    clock_ahead = timedelta(seconds=60)


async def test_our_clock_is_ahead(worlds: Worlds) -> None:
    """Pods' times are by the member's clock, and so far are those counted that run."""
    async with worlds(run_seconds=3600) as world:
        name = world.dispatch(completions=3)
        process, marks = HastyProcess(world), asyncio.create_task(_bookmarks(world))
        await world.until(lambda: world.read_seconds(name))
        for index in "012":
            world.finish(name, index)
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.read_seconds(name) == world.pod_seconds()
        marks.cancel()
        await process.kill()


async def test_after_a_stall_pods_are_listed_until_it_is_caught_up(worlds: Worlds) -> None:
    """What is looked at later finds that the watch has passed a list made after the stall, and asks for none."""
    async with worlds(run_seconds=3600) as world:
        process = Process(world)
        names = []
        for number in range(1, 9):
            names.append(world.dispatch(number, completions=1))
            await asyncio.sleep(7)
        marks = asyncio.create_task(_bookmarks(world))
        await world.until(lambda: all(world.read_seconds(name) for name in names))
        marks.cancel()
        asyncio.get_running_loop().freeze(10)  # type: ignore[attr-defined]  # a simulated loop's
        await world.until(lambda: _lists_of_pods(process))
        world.member.bookmark()
        await asyncio.sleep(200)
        assert _lists_of_pods(process) < len(names) / 2
        await process.kill()


async def test_a_member_where_no_pod_changes(worlds: Worlds) -> None:
    """A list's version is the whole member's: where the watch shows its pods just so, it is not made anew each time."""
    async with worlds(run_seconds=3600) as world:
        name = world.dispatch(completions=1)
        process = Process(world)
        marks = asyncio.create_task(_bookmarks(world))
        await world.until(lambda: world.read_seconds(name))
        await asyncio.sleep(25)
        marks.cancel()
        world.member.put(NAMESPACES, {"metadata": {"name": "another"}})
        world.hub.fail(matching("patch", DISPATCHES), TimedOut("no answer"), after=True)
        await world.until(lambda: _lists_of_pods(process))
        before = world.read_seconds(name)
        await asyncio.sleep(300)
        assert (_lists_of_pods(process), world.read_seconds(name) >= before) == (1, True)
        await process.kill()


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_answers_to_readings_are_lost(worlds: Worlds, times: int) -> None:
    """Readings land without this process hearing of it: what they settled is not taken for lost and read again."""
    async with worlds(run_seconds=400) as world:
        name = world.dispatch(completions=3)
        marks = asyncio.create_task(_bookmarks(world))
        process = Process(world)
        await world.until(lambda: world.read_seconds(name) > 0)
        world.hub.fail(matching("patch", DISPATCHES), TimedOut("no answer"), times=times, after=True)
        world.finish(name, "0")
        await world.until(lambda: world.state(name) == "Succeeded", 900)
        assert world.read_seconds(name) == world.pod_seconds()
        marks.cancel()
        await process.kill()


class Storm:
    """What befalls three shards, and the process that carries them out."""

    def __init__(self, world: World, names: list[str], chance: random.Random) -> None:
        self._world = world
        self._names = names
        self._chance = chance
        self._process = LaggingProcess(world)
        self._holds: list[asyncio.Task[None]] = []
        self._ever: dict[str, Object] = {}

    async def rage(self) -> None:
        """One thing after another, until all have ended or it has lasted long enough; then calm, to the end."""
        loop = asyncio.get_running_loop()
        acts = [self._lag, self._lag, self._relist, self._freeze, self._kill, self._evict, self._world.member.bookmark]
        end = loop.time() + STORM_SECONDS
        while loop.time() < end and not self._ended():
            done = self._chance.choice(acts)()
            if done is not None:
                await done
            await asyncio.sleep(self._chance.choice([0.1, 0.5, 1.0, 3.0]))
        await self._world.until(self._ended, 900)
        await asyncio.gather(*self._holds)
        for name in self._names:
            self._world.desire(name, "Cancelled")
        await self._world.until(lambda: all(self._world.shown(name).status.released for name in self._names))
        await self._process.kill()
        self._process.check()

    def check(self, name: str) -> None:
        """What is read of it is what its pods ran, from when it was first told as final."""
        pods = {**self._ever, **self._world.pods_ever()}.values()
        used = self._world.seconds_of(pod for pod in pods if pod["metadata"]["labels"]["isthmus.dev/dispatch"] == name)
        assert self._world.read_seconds(name) + late_seconds(self._world, name) == used
        assert _final_readings(self._world, name) == {used}

    def _ended(self) -> bool:
        return all(self._world.state(name) in ENDS for name in self._names)

    def _lag(self) -> None:
        for resource, longest in ((PODS, LONGEST_POD_LAG), (JOBS, LONGEST_JOB_LAG)):
            if self._chance.random() < 0.6:
                hold = self._process.hold(resource, self._chance.uniform(0.1, longest))
                self._holds.append(asyncio.create_task(hold))

    def _relist(self) -> None:
        """The history that the watches went on from is forgotten."""
        self._ever |= self._world.pods_ever()
        self._world.member.compact()
        self._world.member.end_watches(Expired(410, "Expired", "too old"))

    def _freeze(self) -> None:
        """The process is stopped; pods end meanwhile, and all news of it comes when it goes on."""
        if not self._process.told[PODS].is_set():
            return
        began, seconds = now(), self._chance.uniform(1, 40)
        asyncio.get_running_loop().freeze(seconds)  # type: ignore[attr-defined]  # a simulated loop's
        for name in self._names:
            for index in map(str, range(12)):
                if self._chance.random() < 0.5:
                    at = began + timedelta(seconds=self._chance.uniform(0, seconds))
                    self._world.finish(name, index, at.strftime("%Y-%m-%dT%H:%M:%SZ"))

    async def _kill(self) -> None:
        if self._chance.random() < 0.3:
            await self._process.kill()
            self._process = LaggingProcess(self._world)

    def _evict(self) -> None:
        for pod in self._world.objects(PODS):
            live = pod["status"]["phase"] in {"Pending", "Running"} and "deletionTimestamp" not in pod["metadata"]
            if live and self._chance.random() < 0.2:
                self._world.delete_pod(pod)


@pytest.mark.parametrize("seed", range(40))
async def test_storm(worlds: Worlds, seed: int) -> None:
    """News that is late, lost or repeated, evictions, stops and kills: what is told as final is what the pods ran."""
    chance = random.Random(seed)  # noqa: S311 - moments need no secrecy
    async with worlds(run_seconds=chance.randint(1, 15)) as world:
        names = [
            world.dispatch(number, completions=chance.randint(1, 12), fence=chance.choice([None, 20]))
            for number in (1, 2, 3)
        ]
        storm = Storm(world, names, chance)
        await storm.rage()
        for name in names:
            storm.check(name)
