"""How a hub begins: its API reached and found to be as it must be, its ledger opened, its parts put together."""

import asyncio
from functools import partial

from isthmus.agent import Clocks
from isthmus.clusters import (
    COMPUTEJOBS,
    DISPATCHES,
    NAMESPACES,
    SETTLEMENTS,
    Client,
    Credentials,
    NotFound,
    UnexpectedAnswer,
)
from isthmus.errors import HubError
from isthmus.ledger import Ledger

from .accountsfile import AccountsFile
from .hub import Hub, node_names
from .instruments import Instruments
from .nodenamespace import node_namespace_stands
from .permissions import QUERY_RULES, RULES, Permissions, permissions_of
from .session import Surroundings
from .settings import HubSettings

# No API server answers the sooner for more requests at once, and each of them holds a connection of its own.
CONCURRENCY = 48
# What users ask by the query API leads to requests beside these, and to so many at once.
QUERY_CONCURRENCY = 8


async def open_hub(settings: HubSettings, credentials: Credentials, instruments: Instruments) -> Hub:
    """Reach the hub's API, open the ledger, and make ready. Raises ClusterError, LedgerError, HubError."""
    accounts_file = AccountsFile.read(settings.accounts) if settings.accounts is not None else None
    client = await Client.connect(credentials, name="hub", concurrency=CONCURRENCY)
    asking: Client | None = None
    try:
        rules = RULES + (QUERY_RULES if settings.query is not None else ())
        permissions = Permissions(client, permissions_of(rules, settings.system_namespace))
        client.traffic.on_refused = lambda _: permissions.doubt()
        await client.probe()
        await permissions.require()
        hub_uid = (await client.get(NAMESPACES, "kube-system"))["metadata"]["uid"]
        await _kinds_served(client)
        nodes = await node_names(client)
        clocks = Clocks.system()
        if settings.query is not None:
            asking = await Client.connect(
                credentials, name="hub", concurrency=QUERY_CONCURRENCY, traffic=client.traffic
            )
        ledger = await asyncio.to_thread(Ledger.open, settings.ledger)
    except BaseException:
        if asking is not None:
            await asking.close()
        await client.close()
        raise
    hub = Hub(
        settings,
        client,
        hub_uid,
        ledger=ledger,
        permissions=permissions,
        clocks=clocks,
        instruments=instruments,
        asking=asking,
        accounts_file=accounts_file,
    )
    hub.fleet.expect(nodes)
    hub.nodes.begin(
        Surroundings(
            hub=client,
            hub_uid=hub_uid,
            credentials=credentials,
            system_namespace=settings.system_namespace,
            dispatches=hub.dispatches,
            accelerators=hub.accelerators,
            clocks=clocks,
            allow_exec=settings.allow_exec,
            secret=hub.secrets.get,
            has_namespace=partial(node_namespace_stands, hub.accounts.namespace),
            misfit=hub.nodes.misfit,
            contacts=hub.contacts,
            changed=hub.nodes.changed,
            profiled=hub.nodes.profiled,
            created=hub.jobs.latency.created,
            hinted=instruments.hinted,
            lost_sight=hub.fleet.lost_sight,
        )
    )
    return hub


async def _kinds_served(client: Client) -> None:
    """Return once the API serves our kinds. Just after installation it asks for patience, which kopf would log."""
    for resource in (COMPUTEJOBS, DISPATCHES, SETTLEMENTS):
        try:
            await client.get(resource, "none", "default")
        except NotFound:
            continue
        except UnexpectedAnswer as error:
            raise HubError(
                f"the hub's API serves no {resource.kind}s", "install the CRDs first: kubectl apply -f crds/"
            ) from error
