"""One node's connection: finds its credentials, reaches the member, runs the agent, and keeps watch over both."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from isthmus.agent import Agent, Clocks
from isthmus.agent.contact import Contacts
from isthmus.agent.fence import lease_stale
from isthmus.api.computenode import ComputeNode
from isthmus.api.core import Lease
from isthmus.api.dispatch import Dispatch
from isthmus.api.reference import reference
from isthmus.capacity import AcceleratorTable, Profile
from isthmus.clusters import (
    LEASES,
    NAMESPACES,
    Client,
    ClusterError,
    Credentials,
    Forbidden,
    InvalidCredentials,
    KubernetesApi,
    NotFound,
    Traffic,
)

from .dispatches import DispatchStore
from .nodenamespace import ensure_node_namespace
from .nodestatus import NodeFacts, Problem

logger = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
RETRY_LIMIT_SECONDS = 30.0
# The Lease that the controller manager renews; there is none where it runs alone.
CONTROLLERS = "kube-controller-manager"


class SecretMissing(InvalidCredentials):
    """The Secret with the kubeconfig, or its key, is not there."""

    reason = "SecretNotFound"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all sessions share."""

    hub: KubernetesApi
    hub_uid: str
    credentials: Credentials
    system_namespace: str
    dispatches: DispatchStore
    accelerators: AcceleratorTable
    clocks: Clocks
    allow_exec: bool
    secret: Callable[[str], Mapping[str, bytes] | None]
    """A Secret of the system namespace by name, decoded."""
    has_namespace: Callable[[str], bool]
    """Whether the node's namespace in the hub is known to stand."""
    misfit: Callable[[str, str], Problem | None]
    """Why the cluster of that UID can't be the named node's member."""
    contacts: Contacts
    changed: Callable[[str], None]
    profiled: Callable[[str, Profile], None]
    created: Callable[[Dispatch], None]
    """The Job of a Dispatch was created in the member."""
    hinted: Callable[[bool], None]
    """A pod was bound that was asked to go to certain machines; whether it is on one of them."""
    lost_sight: Callable[[str], None]
    """The node's figures are no longer followed."""


class NodeSession:
    """Runs until cancelled; `restart` has it connect anew, with what the node and its Secret say now."""

    def __init__(self, node: ComputeNode, facts: NodeFacts, shared: Surroundings, floor: int) -> None:
        self.node = node
        self.agent: Agent | None = None
        self.member: Client | None = None
        """The member's API, while it is connected and is the node's own."""
        self.traffic = Traffic()
        self._name: str = node.metadata["name"]
        self._facts = facts
        self._shared = shared
        self._floor = floor
        self._contact = shared.contacts.of(self._name)
        self._again = asyncio.Event()
        self._now = asyncio.Event()

    def look(self) -> None:
        """Try the member now, be it within a connection or by a new one."""
        self._now.set()

    def restart(self) -> None:
        """Connect anew."""
        self._again.set()

    def restart_if_misfit(self) -> None:
        """Connect anew where another node stood in the way, which may be gone now."""
        if self._facts.misfit is not None:
            self._again.set()

    async def run(self) -> None:
        """Connect, run the agent, and begin again whenever that ends."""
        pause = RETRY_SECONDS
        while True:
            self._again.clear()
            began = self._contact.clock()
            inner = asyncio.create_task(self._connected(), name=f"session/{self._name}")
            again = asyncio.create_task(self._again.wait())
            try:
                await asyncio.wait({inner, again}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (inner, again):
                    task.cancel()
                results = await asyncio.gather(inner, again, return_exceptions=True)
                self.agent = self.member = None
                self._facts.observed = False
                self._shared.lost_sight(self._name)
            if self._facts.connected:
                pause = RETRY_SECONDS
            if not isinstance(results[0], asyncio.CancelledError):
                self._contact.failed(began)
            self._settle(results[0])
            if not self._again.is_set():
                await self._pause(pause)
                pause = min(pause * 2, RETRY_LIMIT_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the member is to be tried now."""
        waits = [asyncio.create_task(event.wait()) for event in (self._again, self._now)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._now.clear()

    def _settle(self, result: object) -> None:
        self._facts.connected = False
        error: object = result
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, ClusterError):
            self._troubled((error.reason, str(error)))
        elif isinstance(error, Exception):
            logger.error("session failed", **reference("ComputeNode", self.node.metadata), exc_info=error)
            self._troubled(("InternalError", f"the hub failed on this node: {error!r}; see its log"))

    def _troubled(self, problem: Problem | None) -> None:
        clocks = self._shared.clocks
        if self._facts.troubled(problem, clocks.now(), clocks.monotonic()):
            self._shared.changed(self._name)

    async def _connected(self) -> None:
        client = await Client.connect(self._credentials(), name=self._name, timeout_seconds=10, traffic=self.traffic)
        async with client as member:
            await self._identify(member)
            while self._facts.misfit is not None:
                await asyncio.sleep(RETRY_LIMIT_SECONDS)
                await self._identify(member)
            if not self._shared.has_namespace(self._name):
                await ensure_node_namespace(self._shared.hub, self._name)
            agent = Agent(
                self._name,
                self._shared.hub_uid,
                hub=self._shared.hub,
                member=member,
                dispatches=self._shared.dispatches.node(self._name),
                accelerators=self._shared.accelerators,
                clocks=self._shared.clocks,
                contact=self._contact,
                floor=self._floor,
                on_profile=self._profiled,
                on_created=self._shared.created,
                on_hinted=self._shared.hinted,
                on_connection=self._linked,
            )
            self.agent, self.member = agent, member
            async with asyncio.TaskGroup() as group:
                group.create_task(agent.run())
                group.create_task(self._heartbeat(member, agent))

    async def _identify(self, member: Client) -> None:
        """Who is there: reached at all, of which version, and nobody whom we know already."""
        began = self._contact.clock()
        version = await member.probe()
        namespace = await member.get(NAMESPACES, "kube-system")
        self._facts.connected = True
        self._facts.version = str(version.get("gitVersion", ""))
        uid, clocks = namespace["metadata"]["uid"], self._shared.clocks
        self._facts.identified(uid, self._shared.misfit(self._name, uid), clocks.now(), clocks.monotonic())
        if self._facts.misfit:  # whoever that is, the member itself was not heard
            self._contact.failed(began)
        else:
            self._contact.heard()
        self._shared.changed(self._name)

    async def _heartbeat(self, member: Client, agent: Agent) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), self.node.spec.timing.heartbeat_seconds)
            self._now.clear()
            began = self._contact.clock()
            try:
                await member.probe()
            except ClusterError as error:
                self._contact.failed(began)
                self._troubled((error.reason, str(error)))
            else:
                self._contact.heard()
                now = member.server_time()
                if now is not None and self._contact.told_time(now):
                    agent.look_at_all()  # limits that were made before are too long by that
                await self._look_at_controllers(member, agent)
                self._measure()
                await self._unhinder()
                broken = agent.link_error()
                self._troubled((broken.reason, str(broken)) if broken else None)

    async def _look_at_controllers(self, member: Client, agent: Agent) -> None:
        """Whether the member's controller manager is alive, where there is a Lease of it that we may read."""
        try:
            lease = await member.get(LEASES, CONTROLLERS, "kube-system", type=Lease)
        except NotFound:
            news = self._contact.judge_lease("")  # what our own Jobs show is all there is
        except Forbidden:
            news = self._contact.lease_denied()
        except ClusterError:
            return
        else:
            now = member.server_time()
            news = now is not None and self._contact.judge_lease(lease_stale(lease, now))
        if news:
            agent.look_at_all()

    def _measure(self) -> None:
        """Tell of a new figure for how fast the member stops pods."""
        if self._facts.stop_rate != self._contact.stop_rate:
            self._facts.stop_rate = self._contact.stop_rate
            self._shared.changed(self._name)

    async def _unhinder(self) -> None:
        """Where no Dispatch could be written for the node, see whether one can be now."""
        if self._facts.hindrance is None:
            return
        with suppress(ClusterError):
            await ensure_node_namespace(self._shared.hub, self._name)
            self._facts.hindrance = None
            self._shared.changed(self._name)

    def _linked(self, error: ClusterError | None) -> None:
        """A watch was lost, or all watches stand again."""
        self._troubled((error.reason, str(error)) if error else None)

    def _profiled(self, profile: Profile) -> None:
        self._floor = max(self._floor, profile.sequence)
        if not self._facts.observed:
            self._facts.observed = True
            self._shared.changed(self._name)
        self._shared.profiled(self._name, profile)

    def _credentials(self) -> Credentials:
        access = self.node.spec.access
        if access.kube_config is None:
            return self._shared.credentials
        reference = access.kube_config.secret_ref
        where = f"Secret {self._shared.system_namespace}/{reference.name}"
        secret = self._shared.secret(reference.name)
        if secret is None:
            raise SecretMissing(f"{where} is not there; create it with the member's kubeconfig under {reference.key}")
        text = secret.get(reference.key)
        if text is None:
            keys = ", ".join(sorted(secret)) or "nothing"
            raise SecretMissing(
                f"{where} has no key {reference.key} (it has {keys}); see access.kubeConfig.secretRef.key"
            )
        try:
            return Credentials.from_kubeconfig(text, allow_exec=self._shared.allow_exec)
        except InvalidCredentials as error:
            raise InvalidCredentials(f"{where}, key {reference.key}: {error}") from error
