"""A hub with one node, whose shards are to be judged while the node is out of reach."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.hub.world import TARIFF

from isthmus.agent import Clocks
from isthmus.agent.contact import Contact, Contacts
from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import ComputeNode
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.clusters import DISPATCHES, NAMESPACES, FakeCluster
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.fencing import Fencing, GiveUp, Wait
from isthmus.hub.fleet import Fleet

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPACE = node_namespace("east")
AFTER, ALLOWANCE = 20, 40
DUE = AFTER + ALLOWANCE
TEMPLATE: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "main"}]}}}
DOWN = ("Timeout", "no answer in 10 s")


class Desk:
    """A hub with one node, of whose shard it has to judge; its clocks go when told to."""

    def __init__(self, lost: str = "Rerun", **status: Any) -> None:
        self.at, self.jumped = 1000.0, timedelta()
        self.looks = 0
        self.hub = FakeCluster("hub", clock=self.now)
        self.hub.put(NAMESPACES, {"metadata": {"name": SPACE}})
        self.store = DispatchStore(self.hub, lambda *_: None)
        self.fleet = Fleet("CNY", self.store.node)
        self.contacts = Contacts(lambda: self.at)
        self.contact: Contact = self.contacts.of("east")
        self.facts = self.fleet.put(self.node()).facts
        self.facts.problem = None
        self.fencing = Fencing(
            self.hub,
            dispatches=self.store,
            fleet=self.fleet,
            contacts=self.contacts,
            clocks=Clocks(lambda: self.at, self.now),
            look=self.look,
        )
        spec = {"template": TEMPLATE, "placement": {"onNodeLost": lost}}
        self.job = ComputeJob.model_validate({"metadata": {"name": "j", "namespace": "t"}, "spec": spec})
        told = {"armed": lost == "Rerun", "completedIndexes": "1", **status}
        self.uid = self.shard("d", fenced=lost == "Rerun", **told).metadata["uid"]

    def shard(
        self,
        name: str,
        *,
        fenced: bool = True,
        pods: int = 1,
        grace: int | None = None,
        allowance: int = ALLOWANCE,
        **status: Any,
    ) -> Dispatch:
        """Have a shard of so many pods stand on the node, as the hub's store knows it."""
        pod = {**TEMPLATE["template"]["spec"], "terminationGracePeriodSeconds": grace}
        spec = {"parallelism": pods, "template": {"spec": pod}}
        content = {
            "job": {"namespace": "t", "name": "j", "uid": "u"},
            "account": "t",
            "shard": 0,
            "attempt": 1,
            "sequence": 1,
            "manifest": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec},
            **({"fence": {"afterSeconds": AFTER, "stopAllowanceSeconds": allowance}} if fenced else {}),
        }
        told = {key: value for key, value in {"state": "Running", **status}.items() if value is not None}
        body = {"metadata": {"name": name, "namespace": SPACE}, "spec": content, "status": told}
        self.hub.put(DISPATCHES, body)
        return self.dispatch(name)

    def now(self) -> datetime:
        """The time of day, which may jump."""
        return NOON + timedelta(seconds=self.at - 1000) + self.jumped

    def node(self, forget: str | None = None) -> ComputeNode:
        """The node, with the operator's word."""
        spec = {
            "identity": {"code": "CN-1"},
            "tier": "Core",
            "region": {"code": "cn-east"},
            "access": {"local": {}},
            "timing": {"fenceAfterSeconds": AFTER, "stopAllowanceSeconds": ALLOWANCE},
            "tariff": TARIFF,
        }
        version = "2" if forget else "1"
        metadata: dict[str, Any] = {"name": "east", "uid": "n", "resourceVersion": version}
        if forget:
            metadata["annotations"] = {ANNOTATION_FORGET: forget}
        return ComputeNode.model_validate({"metadata": metadata, "spec": spec})

    def look(self, node: str) -> None:
        """The session tries the member."""
        assert node == "east"
        self.looks += 1

    def dispatch(self, name: str = "d") -> Dispatch:
        """The Dispatch as it stands, which the store learns of."""
        dispatch = Dispatch.model_validate(self.hub.object(DISPATCHES, name, SPACE))
        self.store.put("east", dispatch)
        return dispatch

    def lose(self) -> None:
        """The node is found to be out of reach, now."""
        self.facts.problem = DOWN
        self.contact.failed(self.at)

    def verdict(self) -> Wait | GiveUp | None:
        """What is to be done."""
        return self.fencing.verdict("east", self.dispatch(), self.job)

    async def give_up(self) -> bool:
        """Have it given up."""
        return await self.fencing.give_up("east", self.dispatch(), self.job)

    def reason(self) -> str:
        """The verdict in a word."""
        verdict = self.verdict()
        return verdict.reason if isinstance(verdict, GiveUp) else f"{type(verdict).__name__}"


def over(desk: Desk, seconds: float = DUE + 1) -> None:
    """So much time goes by, and the member is tried in vain once more."""
    desk.at += seconds
    desk.contact.failed(desk.at)
