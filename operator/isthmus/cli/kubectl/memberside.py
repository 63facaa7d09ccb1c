"""The member's half of `node add`: an identity for the hub with no more rights than it needs, and a token of it."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isthmus.clusters.credentials import Credentials
from isthmus.clusters.errors import ApiError, ClusterError, Forbidden, NotFound, Unauthorized, UnexpectedAnswer
from isthmus.clusters.resources import NAMESPACES, NODES, SECRETS, SERVICEACCOUNTS

from .applying import apply
from .complaint import Complaint
from .memberkubeconfig import Endpoint, kubeconfig
from .memberobjects import ACCOUNT, NAMESPACE, TOKEN_SECRET, member_objects, served_plurals, token_secret

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

TOKEN_SECONDS = 30.0
_PAUSE = 0.2
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_CONFINES = "ValidatingAdmissionPolicy"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the hub's identity in the member, and until when it is good; None is for good."""

    value: str
    expires: str | None = None


async def cluster_uid(client: "Client") -> str | None:
    """What tells one cluster from another; None where we may not read it."""
    try:
        found: dict[str, Any] = await client.get(NAMESPACES, "kube-system")
    except Forbidden:
        return None
    return str(found["metadata"]["uid"])


async def prepare(member: "Client", say: Say, *, dry_run: bool) -> None:
    """Apply the package's manifests, those of policies only where the member serves such."""
    try:
        served = served_plurals(await member.probe(_ADMISSION))
    except (NotFound, UnexpectedAnswer):
        served = frozenset()
    objects, left_out = member_objects(served)
    for each in objects:
        say(f"{each} {await apply(member, each, dry_run=dry_run)}")
    for kind in left_out:
        if kind == _CONFINES:
            say(f"{kind} is not served (Kubernetes 1.30 has it): the hub is confined by its roles alone")
        elif kind == "MutatingAdmissionPolicy":
            say(f"{kind} is not served (Kubernetes 1.36 has it): the hub writes pods' indexes itself")


async def take_token(member: "Client", say: Say, *, ttl_seconds: int | None) -> Token:
    """A token that does not expire, kept in a Secret that revokes it by going; or one for so many seconds."""
    if ttl_seconds is not None:
        return await _short_token(member, say, ttl_seconds)
    wanted = token_secret()
    done = await apply(member, wanted)
    deadline = asyncio.get_running_loop().time() + TOKEN_SECONDS
    while True:
        found: dict[str, Any] = await member.get(SECRETS, TOKEN_SECRET, NAMESPACE)
        data = found.get("data") or {}
        if data.get("token"):
            say(f"{wanted} {done}: a token that does not expire; deleting it revokes the token")
            return Token(base64.b64decode(data["token"]).decode())
        if asyncio.get_running_loop().time() > deadline:
            raise Complaint(
                f"{member.name}: no token appeared in {wanted} within {TOKEN_SECONDS:.0f} s; does its controller "
                "manager run? Or give --token-ttl"
            )
        await asyncio.sleep(_PAUSE)


async def _short_token(member: "Client", say: Say, ttl_seconds: int) -> Token:
    import msgspec

    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": ttl_seconds},
    }
    path = SERVICEACCOUNTS.path(NAMESPACE, ACCOUNT, "token")
    answer = msgspec.json.decode(await member.raw("POST", path, body=msgspec.json.encode(body)))
    status = answer["status"]
    expires = str(status["expirationTimestamp"])
    say(f"a token of serviceaccount/{ACCOUNT} until {expires}; run this again before then")
    return Token(str(status["token"]), expires)


async def try_token(member: "Client", endpoint: Endpoint, token: Token) -> None:
    """See that the identity may read machines, by the address that we use ourselves. Complaint where it may not."""
    from isthmus.clusters.client import Client

    credentials = Credentials.from_kubeconfig(kubeconfig("member", endpoint, token.value))
    deadline = asyncio.get_running_loop().time() + TOKEN_SECONDS
    async with await Client.connect(credentials, name=member.name) as client:
        while True:
            try:
                await client.raw("GET", NODES.path(), params={"limit": "1"})
            except (Unauthorized, Forbidden) as error:  # what was just written is not known everywhere at once
                if asyncio.get_running_loop().time() > deadline:
                    raise Complaint(f"the token is not accepted: {error}") from None
                await asyncio.sleep(_PAUSE)
            else:
                return


def told(error: ClusterError, where: str) -> Complaint:
    """The error with the cluster that it is of."""
    said = f"{error.message} ({error.api_reason or error.reason})" if isinstance(error, ApiError) else str(error)
    return Complaint(f"{where}: {said.removeprefix(f'{where}: ')}")
