"""A whole hub over an API in memory, but for kopf and members: what its probes and metrics are made from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.hub.authorizer import Authorizer
from tests.waiting import eventually

from isthmus.agent import Clocks
from isthmus.clusters import NAMESPACES, Client
from isthmus.hub.figures import Figures
from isthmus.hub.hub import Hub
from isthmus.hub.instruments import Instruments
from isthmus.hub.metrics import METRICS
from isthmus.hub.permissions import RULES, Permissions, permissions_of
from isthmus.hub.settings import HubSettings
from isthmus.hub.standing import Standing
from isthmus.ledger import Ledger

SYSTEM = "isthmus-system"
Labels = dict[str, str]


class StandingHub:
    """The hub, its API, and what it shows."""

    def __init__(self, ledger: Ledger) -> None:
        self.api = Authorizer()
        self.api.put(NAMESPACES, {"metadata": {"name": SYSTEM}})
        self.registry = CollectorRegistry()
        self.ledger = ledger
        self.standing = Standing()
        permissions = Permissions(self.api, permissions_of(RULES, SYSTEM))
        self.api.traffic.on_refused = lambda _: permissions.doubt()
        self.hub = Hub(
            HubSettings(kubeconfig=None, context=None, ledger="", currency="CNY"),
            cast("Client", self.api),
            "hub-uid",
            ledger=ledger,
            permissions=permissions,
            clocks=Clocks.system(),
            instruments=Instruments(self.registry),
        )
        self.registry.register(Figures(self.standing))

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """The values of a metric by those of its labels, in the order in which `METRICS` names them."""
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        labels = {metric.name: metric.labels for metric in METRICS}[name.removesuffix("_count")]
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for family in families
            for sample in family.samples
            if sample.name == name
        }


@asynccontextmanager
async def standing_hub(folder: Path) -> AsyncIterator[StandingHub]:
    """A hub that has begun."""
    world = StandingHub(Ledger.open(f"sqlite:///{folder / 'ledger.db'}"))
    ready = asyncio.Event()
    running = asyncio.create_task(world.hub.run(ready))
    world.standing.hub = world.hub
    try:
        await eventually(lambda: ready.is_set() or running.done(), "the hub's beginning")
        yield world
    finally:
        running.cancel()
        await asyncio.wait({running})
