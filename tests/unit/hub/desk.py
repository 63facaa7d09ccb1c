"""A hub with one node, whose shards are to be judged while the node is out of reach."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.hub.world import TARIFF

from isthmus.agent import Clocks
from isthmus.agent.contact import Contact, Contacts
from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import ComputeNode
from isthmus.api.conditions import find
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.clusters import DISPATCHES, NAMESPACES, FakeCluster, Resource
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.fencing import Fencing, GiveUp, Wait
from isthmus.hub.fleet import Fleet
from isthmus.hub.fleetnode import FleetNode
from isthmus.hub.nodestatus import LASTING_SECONDS, node_status
from isthmus.settlement.tariff import tariff_state

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
        self.fleet = Fleet("CNY", self.store.node, lambda: self.at)
        self.contacts = Contacts(lambda: self.at)
        self.contact: Contact = self.contacts.of("east")
        self.facts = self.fleet.put(self.node()).facts
        self.facts.troubled(None, self.now(), self.at)
        self.facts.observed = True
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
        desired: str = "Running",
        **status: Any,
    ) -> Dispatch:
        """Have a shard of so many pods stand on the node, as the hub's store knows it."""
        pod = {**TEMPLATE["template"]["spec"], "terminationGracePeriodSeconds": grace}
        spec = {"parallelism": pods, "template": {"spec": pod}}
        content = {
            "desiredState": desired,
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
        """The node as its owner declares it, with the operator's word."""
        spec = {
            "identity": {"code": "CN-1"},
            "tier": "Core",
            "region": {"code": "cn-east"},
            "access": {"local": {}},
            "timing": {"fenceAfterSeconds": AFTER, "stopAllowanceSeconds": ALLOWANCE},
            "tariff": TARIFF,
        }
        metadata: dict[str, Any] = {"name": "east", "uid": "n", "resourceVersion": "1"}
        if forget is not None:
            metadata["annotations"] = {ANNOTATION_FORGET: forget}
        return ComputeNode.model_validate({"metadata": metadata, "spec": spec})

    def known(self) -> FleetNode:
        """What the hub knows of the node."""
        known = self.fleet.get("east")
        assert known is not None
        return known

    def say(self, forget: str) -> None:
        """The operator gives a word."""
        known = self.known()
        known.node = self.node(forget).model_copy(update={"status": known.node.status})

    def tell(self) -> str:
        """The node's status is written; what Reachable says."""
        known = self.known()
        tariff = tariff_state(known.node.spec.tariff, self.now(), "CNY")
        status = node_status(known.node, known.facts, tariff=tariff, profile=None, jobs=1, now=self.now())
        known.node = known.node.model_copy(update={"status": status})
        condition = find(status.conditions, "Reachable")
        return condition.message if condition is not None else ""

    def restart(self) -> None:
        """Another process takes over; it has what was written."""
        node = self.known().node
        self.fleet.drop("east")
        self.facts = self.fleet.put(node).facts
        self.contacts = Contacts(lambda: self.at)
        self.contact = self.contacts.of("east")
        self.fencing._contacts = self.contacts

    @staticmethod
    def place() -> tuple[Resource, str, str]:
        """Where the Dispatch stands."""
        return DISPATCHES, "d", SPACE

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
        """The node was out of reach for just long enough, and that is written now."""
        self.facts.troubled(DOWN, self.now(), self.at - LASTING_SECONDS)
        self.contact.failed(self.at)
        self.tell()

    def back(self) -> None:
        """The node is reached again; that is yet to be written."""
        self.facts.troubled(None, self.now(), self.at)
        self.contact.heard()

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
