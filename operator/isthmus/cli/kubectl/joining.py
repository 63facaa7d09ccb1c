"""A cluster becomes a member: what is looked at, what is made, in which order, and what is said of it."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .complaint import Complaint
from .flags import Flags
from .nodemanifest import NO_LOCAL_RIGHTS, NO_PRICES, Wanted

if TYPE_CHECKING:
    from isthmus.clusters.client import Client
    from isthmus.clusters.credentials import Credentials

    from .memberkubeconfig import Endpoint

_HUB = "hub"
_UNCHECKED = (
    "this kubeconfig does not check the member's certificate (insecure-skip-tls-verify), and the hub would send its "
    "token there unchecked too: give --certificate-authority FILE, or --insecure-skip-tls-verify if that is meant"
)
_LOOPBACK = "; that is this machine's own address: where the hub runs elsewhere, give --server"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do beside what is wanted of the node."""

    member: Flags
    hub: Flags
    system_namespace: str
    server: str | None
    authority: Path | None
    insecure: bool
    tls_server_name: str | None
    proxy: str | None
    ttl_seconds: int | None
    wait_seconds: float
    dry_run: bool


class Joining:
    """One cluster's way into the hub. All that can be refused is asked before anything is written."""

    def __init__(self, wanted: Wanted, plan: Plan) -> None:
        self._wanted = wanted
        self._plan = plan
        self._member = f"member {wanted.name}"
        self._where = _HUB
        self._node: dict[str, Any] | None = None

    async def run(self) -> bool:
        """Whether the node is as it should be. Complaint where it can't be made so."""
        from isthmus.clusters.errors import ClusterError

        from .connection import connected, credentials_of
        from .memberside import told

        plan = self._plan
        try:
            hub_credentials = credentials_of(plan.hub)
            self._where = self._member
            credentials = credentials_of(plan.member)
            endpoint = None if self._wanted.local else _endpoint(credentials, plan)
            async with AsyncExitStack() as stack:
                self._where = _HUB
                hub = await stack.enter_async_context(connected(hub_credentials, plan.hub, name=_HUB))
                await self._ask_hub(hub)
                self._where = self._member
                member = await stack.enter_async_context(connected(credentials, plan.member, name=self._member))
                await self._compare(hub, member)
                text = None if endpoint is None else await self._in_member(member, credentials, endpoint)
                self._where = _HUB
                return await self._in_hub(hub, text)
        except ClusterError as error:
            raise told(error, self._where) from None

    async def _ask_hub(self, hub: "Client") -> None:
        from .hubside import check_namespace, known_node, try_node

        if not self._wanted.local:
            await check_namespace(hub, self._plan.system_namespace)
        self._node = await known_node(hub, self._wanted.name)
        await try_node(hub, self._wanted, self._node)

    async def _compare(self, hub: "Client", member: "Client") -> None:
        from .hubside import check_free
        from .memberside import cluster_uid

        uid = await cluster_uid(member)
        if uid is None:
            return
        if not self._wanted.local and uid == await cluster_uid(hub):
            raise Complaint(f"{self._member} is the hub's own cluster; give --local if it is to lend its machines")
        await check_free(hub, self._wanted.name, uid)

    async def _in_member(self, member: "Client", credentials: "Credentials", endpoint: "Endpoint") -> str:
        """The kubeconfig for the hub."""
        from .memberkubeconfig import kubeconfig
        from .memberside import prepare, take_token, try_token
        from .output import yaml_text

        await prepare(member, self._say, dry_run=self._plan.dry_run)
        if self._plan.dry_run:
            return ""
        token = await take_token(member, self._say, ttl_seconds=self._plan.ttl_seconds)
        await try_token(member, _own(credentials), token)
        self._say(f"the hub will reach it at {endpoint.server}" + (_LOOPBACK if endpoint.of_one_machine else ""))
        return yaml_text(kubeconfig(self._wanted.name, endpoint, token.value))

    async def _in_hub(self, hub: "Client", text: str | None) -> bool:
        from .hubside import put_node, put_secret, wait_schedulable

        wanted, plan = self._wanted, self._plan
        if text is not None:
            secret = (plan.system_namespace, text)
            await put_secret(hub, wanted, self._node, secret, self._say, dry_run=plan.dry_run)
        await put_node(hub, wanted, self._node, self._say, dry_run=plan.dry_run)
        if wanted.local:
            await self._mind_rights(hub)
        if plan.dry_run:
            return True
        if not wanted.tariff and not ((self._node or {}).get("spec") or {}).get("tariff"):
            self._say(NO_PRICES)
            return True
        if not plan.wait_seconds:
            return True
        good, words = await wait_schedulable(hub, wanted.name, plan.wait_seconds)
        self._say(f"computenode/{wanted.name} " + ("takes work" if good else f"does not take work yet: {words}"))
        return good

    async def _mind_rights(self, hub: "Client") -> None:
        """Say what gives the hub a member's rights at home where it lacks them: its release alone can keep them."""
        from .hubside import may_run_jobs

        if await may_run_jobs(hub, self._plan.system_namespace) is False:
            self._say(NO_LOCAL_RIGHTS)

    def _say(self, text: str) -> None:
        print(f"{self._where}: {text}" + (" (dry run)" if self._plan.dry_run else ""), flush=True)


def _own(credentials: "Credentials") -> "Endpoint":
    """The member as we reach it ourselves."""
    from .memberkubeconfig import Endpoint

    tls = credentials.tls
    return Endpoint(credentials.server, tls.ca, tls.server_name, not tls.verify, credentials.proxy)


def _endpoint(credentials: "Credentials", plan: Plan) -> "Endpoint":
    """The member as the hub is to reach it. Our own proxy is none of its business."""
    own = _own(credentials)
    if own.insecure and plan.authority is None and not plan.insecure:
        raise Complaint(_UNCHECKED)
    authority = own.authority
    if plan.authority is not None:
        try:
            authority = plan.authority.read_bytes()
        except OSError as error:
            raise Complaint(f"--certificate-authority {plan.authority} can't be read: {error.strerror}") from None
    return replace(
        own,
        server=plan.server or own.server,
        authority=authority,
        tls_server_name=plan.tls_server_name or own.tls_server_name,
        insecure=plan.insecure,
        proxy=plan.proxy,
    )
