"""The hub's view of a node's free room against what is free in truth, whatever comes in between.

The hub's side is its fleet, its store of Dispatches and its placement; the agent's side is what it makes profiles of:
its table of machines, its expectations and its sequence tracker.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.hub.world import BEGIN, compute_node
from tests.unit.placement.fleets import UNHURRIED, demand

from isthmus.agent.expected import Expectations
from isthmus.agent.sequence import GAP_SECONDS, SequenceTracker
from isthmus.api.core import Job, Node, Pod
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.quantities import CPU
from isthmus.capacity import MachineTable, Profile
from isthmus.hub.dispatcher import RENUMBER_SECONDS
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet
from isthmus.placement import Demand, place
from isthmus.placement.fit import subtract
from isthmus.placement.holding import NOTHING
from isthmus.placement.room import room_of_profile

NODE = "n1"


def job_demand(cores: int, width: int) -> Demand:
    """Pods that hold cores and nothing else that could be short."""
    return demand(f"{cores}x{width}", width, request={CPU: cores * 1000, "pods": 1})


def dispatch_of(name: str, sequence: int, cores: int, width: int) -> Dispatch:
    """A Dispatch as the hub's API shows it, with as much of its Job as figures are made of."""
    container = {"name": "main", "image": "work", "resources": {"requests": {CPU: str(cores)}}}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec = {"parallelism": width, "completions": width, "template": template}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    content = {
        "job": {"namespace": "team", "name": name, "uid": name},
        "account": "team",
        "shard": 0,
        "attempt": 1,
        "sequence": sequence,
        "manifest": manifest,
    }
    return Dispatch.model_validate({"metadata": {"name": name, "uid": name, "resourceVersion": "1"}, "spec": content})


@dataclass(slots=True)
class Sent:
    """One Dispatch, from its number on: as it is in truth."""

    name: str
    cores: int
    width: int
    numbers: dict[int, float]
    """The numbers that its creates bear, with when each was given out."""
    held_up_until: float = 0.0
    """No create is carried out before."""
    landed: int = 0
    """The number under which it stands in the API; 0 while it does not."""
    shown: bool = False
    bound: dict[int, int] = field(default_factory=dict)
    """Machine by pod, while it holds its room."""
    begun: int = 0
    succeeded: int = 0
    refused: bool = False
    over: bool = False

    @property
    def unbound(self) -> int:
        """Pods that are still to have room."""
        return 0 if self.over or self.refused else self.width - self.begun


class MemberView:
    """What the agent's watches have shown it."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.of: dict[str, dict[str, Pod]] = {}

    def job(self, name: str) -> Job | None:
        """The Job of a Dispatch."""
        return self.jobs.get(name)

    def pods(self, name: str) -> tuple[Pod, ...]:
        """The pods of a Dispatch."""
        return tuple(self.of.get(name, {}).values())


class Interleaving:
    """A hub, an agent and a member's controllers that each do their part in any order.

    The member's scheduler binds a pod to any machine with room. Events of pods reach the agent in their own order, and
    of Jobs in theirs; profiles reach the hub late, some are passed over, the newest is told again.
    """

    def __init__(self, seed: int, *sizes: int) -> None:
        self.draw = draw = Random(seed)  # noqa: S311 - nobody is to be kept from guessing it
        self.sizes = sizes
        """Cores of a pod."""
        self.has = [draw.randint(1, 4) for _ in range(draw.randint(1, 3))]
        self.clock = 0.0
        self.sent: list[Sent] = []
        self.placed = 0
        self.stored: Profile | None = None
        self._begin()

    def run(self, steps: int) -> None:
        """Do so many things in any order, then come to rest."""
        for _ in range(steps):
            self.draw.choice(list(self._possible()))()
            self.never_over_committed()
        self.quiet()

    def _possible(self) -> Iterable[Callable[[], None]]:
        """What can be done now; what drives work on is likelier than what ends it."""
        unwritten = [sent for sent in self.sent if not sent.landed]
        there = [sent for sent in self.sent if sent.shown]
        guarded: tuple[tuple[object, tuple[Callable[[], None], ...]], ...] = (
            (True, (self.place, self.place, self.publish, self.report, self.wait, self.wait)),
            (self.draw.random() < 0.1, (self.restart, self.quiet)),
            (unwritten, (self.never_written,)),
            (any(self.clock >= sent.held_up_until for sent in unwritten), (self.land, self.land)),
            (any(sent.landed and not sent.shown for sent in self.sent), (self.show, self.show)),
            (any(sent.unbound for sent in there), (self.bind, self.bind, self.bind)),
            (any(sent.bound for sent in there), (self.finish,)),
            (any(not sent.begun and not sent.over for sent in there), (self.refuse,)),
            (self.pod_events, (self.deliver_pod, self.deliver_pod)),
            (self.job_events, (self.deliver_job, self.deliver_job)),
            (self.profiles, (self.observe, self.observe)),
        )
        return (action for guard, actions in guarded if guard for action in actions)

    def _begin(self) -> None:
        """A hub process and its agent, which list what there is."""
        self.dispatches = NodeDispatches()
        self.fleet = Fleet("CNY", lambda _: self.dispatches, lambda: self.clock)
        facts = self.fleet.put(compute_node(NODE)).facts
        facts.connected, facts.problem, facts.observed = True, None, True
        self.table, self.view, self.expectations = MachineTable(), MemberView(), Expectations()
        for number, cores in enumerate(self.has):
            manifest = {
                "metadata": {"name": f"m{number}"},
                "status": {
                    "allocatable": {CPU: str(cores), "pods": "100"},
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            }
            self.table.upsert_machine(msgspec.convert(manifest, Node))
        self.pod_events: list[tuple[str, str, Pod]] = []
        self.job_events: list[tuple[str, Job]] = []
        self.profiles: list[Profile] = []
        for sent in self.sent:
            if sent.landed:
                sent.shown = True
                self._put(sent)
                for pod, machine in sent.bound.items():
                    self._pod(sent, pod, machine, "Running")
                self._job(sent)
        while self.pod_events or self.job_events:
            self.deliver_pod() if self.pod_events else self.deliver_job()
        floor = self.stored.sequence if self.stored is not None else 0
        self.tracker = SequenceTracker(floor)
        self.counted = {number for number in self.dispatches.sequences() if number > floor}

    # What is true.

    def free(self) -> list[int]:
        """Cores that no pod holds, by machine."""
        left = list(self.has)
        for sent in self.sent:
            for machine in sent.bound.values():
                left[machine] -= sent.cores
        return left

    def owed(self) -> list[Sent]:
        """Dispatches with pods that are still to have room: what was sent, or may have been."""
        return [sent for sent in self.sent if sent.unbound]

    # What the hub does.

    def place(self) -> None:
        """A job comes, and is sent where it fits."""
        cores, width = self.draw.choice(self.sizes), self.draw.randint(1, 3)
        wanted = job_demand(cores, width)
        if place(self.fleet.snapshot(BEGIN), [wanted]).assignments:
            self.placed += 1
            number = self.fleet.next_sequence(NODE)
            self.fleet.assume(NODE, number, wanted, width, NOTHING)
            self.sent.append(Sent(f"d{self.placed}", cores, width, {number: self.clock}, self._held_up()))

    def _held_up(self) -> float:
        """Until when the hub's API carries out no create of a Dispatch; mostly it does at once."""
        return self.clock + self.draw.choice((0, 0, 0, 0, 30, 90))

    def land(self) -> None:
        """A create is carried out, under the number that one of its tries had."""
        sent = self.draw.choice([s for s in self.sent if not s.landed and self.clock >= s.held_up_until])
        newest = max(sent.numbers)
        likely = [number for number, given in sent.numbers.items() if self.clock - given < GAP_SECONDS / 2]
        sent.landed = self.draw.choice(sorted({newest, *likely}))

    def never_written(self) -> None:
        """A create is refused for good."""
        sent = self.draw.choice([s for s in self.sent if not s.landed])
        self.fleet.forget(NODE, max(sent.numbers))
        self.sent.remove(sent)

    def show(self) -> None:
        """The answer of a create comes, or the watch shows it."""
        self._show(self.draw.choice([s for s in self.sent if s.landed and not s.shown]))

    def _show(self, sent: Sent) -> None:
        sent.shown = True
        if sent.landed != max(sent.numbers):
            self.fleet.forget(NODE, max(sent.numbers))
            self.fleet.assume(NODE, sent.landed, job_demand(sent.cores, sent.width), sent.width, NOTHING)
        self._put(sent)

    def _put(self, sent: Sent) -> None:
        dispatch = dispatch_of(sent.name, sent.landed, sent.cores, sent.width)
        self.dispatches.put(dispatch)
        if sent.over:
            self._ended(sent, "Refused" if sent.refused else "Succeeded")

    def _ended(self, sent: Sent, state: str) -> None:
        ended = dispatch_of(sent.name, sent.landed, sent.cores, sent.width)
        ended.metadata["resourceVersion"] = "2"
        self.dispatches.put(ended.model_copy(update={"status": ended.status.model_copy(update={"state": state})}))
        self.fleet.forget(NODE, sent.landed)

    def restart(self) -> None:
        """The hub is killed; creates under way land before it is back, or never."""
        for sent in [s for s in self.sent if not s.landed]:
            if self.draw.random() < 0.5:
                sent.landed = max(sent.numbers)
            else:
                self.sent.remove(sent)
        self._begin()

    def wait(self) -> None:
        """Time goes by; a create that is not known to be carried out gets another number meanwhile."""
        for sent in self.sent:
            if sent.landed and not sent.shown and self.clock - sent.numbers[sent.landed] > GAP_SECONDS / 3:
                self._show(sent)
        self.clock += self.draw.choice((1, 5, 20))
        for sent in self.sent:
            number = max(sent.numbers)
            if not sent.landed and self.clock - sent.numbers[number] > RENUMBER_SECONDS:
                fresh = self.fleet.renumber(NODE, number, job_demand(sent.cores, sent.width), sent.width, NOTHING)
                sent.numbers = {number: sent.numbers[number], fresh: self.clock}

    # What the member's controllers do.

    def bind(self) -> None:
        """The member's scheduler binds a pod somewhere."""
        sent = self.draw.choice([s for s in self.sent if s.shown and s.unbound])
        open_machines = [place for place, left in enumerate(self.free()) if left >= sent.cores]
        if open_machines:
            self._bind(sent, self.draw.choice(open_machines))

    def _bind(self, sent: Sent, machine: int) -> None:
        sent.bound[sent.begun] = machine
        self._pod(sent, sent.begun, machine, "Running")
        sent.begun += 1

    def finish(self) -> None:
        """A pod ends."""
        sent = self.draw.choice([s for s in self.sent if s.bound])
        pod = self.draw.choice(sorted(sent.bound))
        machine = sent.bound.pop(pod)
        sent.succeeded += 1
        self._pod(sent, pod, machine, "Succeeded")
        self._job(sent)

    def _pod(self, sent: Sent, pod: int, machine: int, phase: str) -> None:
        container = {"name": "main", "resources": {"requests": {CPU: str(sent.cores)}}}
        manifest: dict[str, Any] = {
            "metadata": {"name": f"{sent.name}-{pod}", "uid": f"{sent.name}-{pod}"},
            "spec": {"nodeName": f"m{machine}", "containers": [container]},
            "status": {"phase": phase},
        }
        self.pod_events.append((sent.name, f"{sent.name}-{pod}", msgspec.convert(manifest, Pod)))

    def _job(self, sent: Sent) -> None:
        done = [{"type": "Complete", "status": "True"}] if sent.succeeded == sent.width else []
        spec = {"completions": sent.width, "parallelism": sent.width}
        manifest = {
            "metadata": {"name": sent.name},
            "spec": spec,
            "status": {"succeeded": sent.succeeded, "conditions": done},
        }
        self.job_events.append((sent.name, msgspec.convert(manifest, Job)))

    # What the agent does.

    def deliver_pod(self) -> None:
        """The agent hears of a pod."""
        name, uid, pod = self.pod_events.pop(0)
        self.table.upsert_pod(pod)
        self.view.of.setdefault(name, {})[uid] = pod

    def deliver_job(self) -> None:
        """The agent hears of a Job."""
        name, job = self.job_events.pop(0)
        self.view.jobs[name] = job

    def refuse(self) -> None:
        """The agent refuses a Dispatch, and the hub hears of it."""
        sent = self.draw.choice([s for s in self.sent if s.shown and not s.begun and not s.over])
        sent.refused = sent.over = True
        self._ended(sent, "Refused")

    def report(self) -> None:
        """The agent ends what it has seen complete, and the hub hears of it."""
        for sent in self.sent:
            job = self.view.jobs.get(sent.name)
            if sent.shown and not sent.over and job is not None and job.status.conditions:
                sent.over = True
                self._ended(sent, "Succeeded")

    def publish(self) -> None:
        """The agent makes a profile."""
        live = [dispatch for dispatch in self.dispatches.live() if dispatch.status.state not in TERMINAL]
        self.counted |= {number for number in self.dispatches.sequences() if number > self.tracker.floor}
        visible = self.tracker.visible(self.counted, self.clock)
        self.counted = {number for number in self.counted if number > visible.sequence}
        expected = self.expectations.of(live, self.view)  # type: ignore[arg-type]  # as much of a view as it reads
        self.profiles.append(
            self.table.profile(now=BEGIN, expected=expected, sequence=visible.sequence, visible_beyond=visible.beyond)
        )

    def observe(self) -> None:
        """The hub hears of a profile, perhaps not of those before it, perhaps twice."""
        passed_over = self.draw.randrange(len(self.profiles))
        self.stored = self.profiles[passed_over]
        self.profiles = self.profiles[passed_over + (not self.draw.random() < 0.5) :]
        self.fleet.observed(NODE, self.stored)

    # What must hold.

    def never_over_committed(self) -> None:
        """Of what the hub takes for free, all is free and promised to nobody."""
        (node,) = self.fleet.snapshot(BEGIN).nodes
        if node.profile is None:
            return
        room = room_of_profile(node.profile)
        subtract(room, node.assumed, None)
        axis = room.axes[CPU]
        seen = [vector[axis] // 1000 for (_, vector), count in room.parts.items() for _ in range(count)]
        if not room.overdrawn and len(self.sizes) == 1:  # of several sizes the binding decides how many fit
            (size,) = self.sizes
            true = sum(left // size for left in self.free()) - sum(sent.unbound for sent in self.owed())
            assert sum(left // size for left in seen) <= true

    def quiet(self) -> None:
        """Once all has come through, the hub's view is the truth, and no pod waits for room."""
        for sent in self.sent:
            sent.landed = sent.landed or max(sent.numbers)
            if not sent.shown:
                self._show(sent)
        if len(self.sizes) == 1:
            for sent in self.owed():
                while sent.unbound:
                    self._bind(sent, next(place for place, left in enumerate(self.free()) if left >= sent.cores))
        while self.pod_events or self.job_events:
            self.deliver_pod() if self.pod_events else self.deliver_job()
        self.report()
        self.publish()
        if self.tracker.seconds_left(self.clock) is not None:
            self.clock += self.tracker.seconds_left(self.clock) or 0.0
            self.publish()
        self.stored = self.profiles[-1]
        self.profiles = []
        self.fleet.observed(NODE, self.stored)
        (node,) = self.fleet.snapshot(BEGIN).nodes
        assert node.assumed == ()
        if not self.owed():
            room = room_of_profile(node.profile)
            axis = room.axes[CPU]
            seen = [vector[axis] // 1000 for (_, vector), count in room.parts.items() for _ in range(count)]
            assert sorted(seen) == sorted(self.free())


@settings(UNHURRIED, max_examples=60)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 2))
def test_jobs_of_one_size(seed: int, size: int) -> None:
    """What the hub takes for free is free, and all of it once all is quiet; every pod it sent finds room."""
    Interleaving(seed, size).run(150)


@settings(UNHURRIED, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_jobs_of_several_sizes(seed: int) -> None:
    """All room that no pod has is the hub's to give once all is quiet, whatever sizes the pods before had."""
    Interleaving(seed, 1, 2, 3).run(150)


def test_jobs_are_sent() -> None:
    """The interleavings above are of many jobs, not of idle nodes."""
    runs = [Interleaving(seed, 1) for seed in range(20)]
    for each in runs:
        each.run(150)
    assert sum(each.placed for each in runs) > 200


def test_create_that_is_held_up() -> None:
    """What is written only after the agent gave its number up is subtracted all the while."""
    world = next(world for seed in range(100) if sum((world := Interleaving(seed, 1)).has) > 8)
    world.publish()
    world.observe()
    world.place()
    world.place()
    first, second = world.sent
    second.landed = max(second.numbers)
    world.show()
    while world.clock < 3 * GAP_SECONDS:
        world.wait()
        world.publish()
        world.observe()
        world.never_over_committed()
    first.landed = max(first.numbers)
    world.quiet()
