"""The reading protocol against everything that can go wrong between a status write and a finalizer's removal.

The world is a shard's pods and its Dispatch status. Agents see the pods by a watch that lags, write the status under
optimistic locking, lose answers to their writes, and die anywhere; a new one may start while an old one still acts.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule
from tests.unit.metering.tally import Tally

from isthmus.api.dispatch import Reading
from isthmus.metering import MILLICORE_SECONDS, Advance, Meters, PodUse

START = datetime(2026, 11, 22, tzinfo=UTC)
MILLICORES = 100


@dataclass(frozen=True)
class WorldPod:
    """A pod as the member has it."""

    uid: str
    started: int
    finished: int | None = None
    held: bool = True


@dataclass
class Status:
    """The Dispatch's status, with the version that a write must name."""

    reading: Reading | None = None
    version: int = 0


@dataclass(eq=False)
class Agent:
    """One process: its tally, the version it read, the pods its watch has shown it, and what it is about to do."""

    tally: Tally
    version: int
    pods: dict[str, WorldPod]
    computed: Advance | None = None
    releasing: list[str] = field(default_factory=list)


def used(pods: dict[str, WorldPod], now: int) -> int:
    """Millicore-seconds of the pods up to now."""
    return sum(MILLICORES * ((now if p.finished is None else p.finished) - p.started) for p in pods.values())


class Protocol(RuleBasedStateMachine):
    """Pods start and finish, agents count them, and the status must tell the truth whatever happens."""

    agents = Bundle("agents")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.pods: dict[str, WorldPod] = {}
        self.history: dict[str, WorldPod] = {}
        self.status = Status()
        self.told = 0
        self.alive = 0
        self.rough = False
        self.torn: set[str] = set()

    def _put(self, pod: WorldPod) -> None:
        self.pods[pod.uid] = self.history[pod.uid] = pod

    @initialize(rough=st.booleans())
    def world(self, rough: bool) -> None:
        """In a rough one, pods are torn away from their finalizers."""
        self.rough = rough

    @rule(seconds=st.integers(1, 50))
    def time_passes(self, seconds: int) -> None:
        """Running pods use more."""
        self.now += seconds

    @rule()
    def pod_starts(self) -> None:
        """A Job's pod is created with our finalizer."""
        self._put(WorldPod(f"p{len(self.history)}", self.now))

    @precondition(lambda self: any(p.finished is None for p in self.pods.values()))
    @rule(data=st.data())
    def pod_finishes(self, data: st.DataObject) -> None:
        """It stays where it is, held."""
        uid = data.draw(st.sampled_from(sorted(u for u, p in self.pods.items() if p.finished is None)))
        self._put(replace(self.pods[uid], finished=self.now))

    @precondition(lambda self: any(not p.held for p in self.pods.values()))
    @rule(data=st.data())
    def pod_is_deleted(self, data: st.DataObject) -> None:
        """A pod that is let go may vanish at any time, or never."""
        del self.pods[data.draw(st.sampled_from(sorted(u for u, p in self.pods.items() if not p.held)))]

    @precondition(lambda self: self.rough and any(pod.held for pod in self.pods.values()))
    @rule(data=st.data())
    def pod_is_torn_away(self, data: st.DataObject) -> None:
        """Somebody strips its finalizer and deletes it: only what no agent knows of it is lost."""
        uid = data.draw(st.sampled_from(sorted(u for u, p in self.pods.items() if p.held)))
        pod = self.pods.pop(uid)
        self.history[uid] = replace(pod, finished=self.now if pod.finished is None else pod.finished, held=False)
        self.torn.add(uid)

    @precondition(lambda self: self.alive < 2)
    @rule(target=agents)
    def agent_starts(self) -> Agent:
        """It reads the status first and lists the pods after it."""
        self.alive += 1
        return self._new_agent()

    def _new_agent(self) -> Agent:
        return Agent(Tally(self.status.reading), self.status.version, dict(self.pods))

    @rule(agent=agents)
    def watch_catches_up(self, agent: Agent) -> None:
        """Everything that happened is seen at last."""
        agent.pods = dict(self.pods)

    @rule(agent=agents)
    def agent_computes(self, agent: Agent) -> None:
        """And comes to write it later."""
        self._compute(agent)

    @rule(agent=agents, seen=st.booleans(), answer_lost=st.booleans())
    def agent_reports(self, agent: Agent, seen: bool, answer_lost: bool) -> None:
        """It computes and writes at once, from what its watch has shown it."""
        if seen:
            agent.pods = dict(self.pods)
        self._compute(agent)
        self._write(agent, answer_lost=answer_lost)

    @rule(agent=agents, answer_lost=st.booleans())
    def agent_writes(self, agent: Agent, answer_lost: bool) -> None:
        """It writes what it computed a while ago."""
        self._write(agent, answer_lost=answer_lost)

    def _compute(self, agent: Agent) -> None:
        uses = [
            PodUse(
                pod.uid,
                Meters({(MILLICORE_SECONDS, ""): used({pod.uid: self._sure(pod)}, self.now)}),
                ended=pod.finished is not None,
                held=pod.held,
            )
            for pod in agent.pods.values()
        ]
        agent.computed = agent.tally.advance(uses, now=START + timedelta(seconds=self.now))
        if not agent.computed.changed:
            agent.releasing = list(agent.computed.release)

    def _sure(self, pod: WorldPod) -> WorldPod:
        """A pod that has finished unseen is not counted past its end: news is never later than the margin for it."""
        return pod if pod.finished is not None else replace(pod, finished=self.history[pod.uid].finished)

    def _write(self, agent: Agent, *, answer_lost: bool) -> None:
        """Refused where the status is another than was read; the answer may be lost though the write landed."""
        if agent.computed is None or not agent.computed.changed:
            return
        computed, agent.computed = agent.computed, None
        if agent.version == self.status.version:
            self.status = Status(computed.reading, self.status.version + 1)
            if not answer_lost:
                agent.version = self.status.version
                agent.tally.stands(computed.reading)
                agent.releasing = list(computed.release)
                return
        self._read_again(agent)

    @rule(agent=agents)
    def hub_touches_dispatch(self, agent: Agent) -> None:
        """Another field is written: the version moves, the reading stays."""
        self.status = Status(self.status.reading, self.status.version + 1)
        self._read_again(agent)

    def _read_again(self, agent: Agent) -> None:
        agent.version = self.status.version
        agent.computed = None
        agent.releasing = []
        if not agent.tally.stands(self.status.reading):
            agent.pods = dict(self.pods)

    @rule(agent=agents)
    def agent_lets_one_go(self, agent: Agent) -> None:
        """Finalizers are removed one by one, so the process can die between any two."""
        if agent.releasing:
            self._let_go(agent.releasing.pop())

    def _let_go(self, uid: str) -> None:
        if uid in self.pods:
            self._put(replace(self.pods[uid], held=False))

    @rule(agent=consumes(agents))
    def agent_dies(self, agent: Agent) -> None:
        """All that it knew is gone."""
        agent.releasing.clear()
        self.alive -= 1

    @invariant()
    def told_truly(self) -> None:
        """The total never falls and never passes what was used; a pod is let go only when its time is settled."""
        if self.status.reading is None:
            assert all(pod.held or uid in self.torn for uid, pod in self.history.items())
            return
        total, settled = (
            Meters.from_quantities(part)[MILLICORE_SECONDS, ""]
            for part in (self.status.reading.total, self.status.reading.settled)
        )
        assert self.told <= total <= used(self.history, self.now)
        self.told = total
        let_go = {uid: pod for uid, pod in self.history.items() if not pod.held and uid not in self.torn}
        assert used(let_go, self.now) <= settled <= total
        assert self.torn or not self.status.reading.estimated

    def teardown(self) -> None:
        """Left alone, an agent that starts at the end brings everything to rest: all counted, once, and let go."""
        for pod in self.pods.values():
            self._put(replace(pod, finished=self.now if pod.finished is None else pod.finished))
        agent = self._new_agent()
        for _ in range(5):
            self._compute(agent)
            self._write(agent, answer_lost=False)
            while agent.releasing:
                self._let_go(agent.releasing.pop())
            agent.pods = dict(self.pods)
        assert agent.computed is None or not agent.computed.changed
        self.told_truly()
        assert not any(pod.held for pod in self.history.values())
        reading = self.status.reading
        if reading is None:
            assert used(self.history, self.now) == 0 or self.torn
            return
        assert reading.settling == []
        total = Meters.from_quantities(reading.total)[MILLICORE_SECONDS, ""]
        least = {uid: pod for uid, pod in self.history.items() if uid not in self.torn}
        assert used(least, self.now) <= total <= used(self.history, self.now)
        if not self.torn:
            assert reading.settled == reading.total


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(max_examples=300, stateful_step_count=50)
