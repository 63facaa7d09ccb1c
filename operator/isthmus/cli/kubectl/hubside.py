"""The hub's half of `node add`: the Secret with the member's kubeconfig, and the ComputeNode."""

import asyncio
import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from isthmus.clusters.errors import NotFound
from isthmus.clusters.resources import COMPUTENODES, SECRETS

from .applying import MANAGER, apply, outcome, present
from .complaint import Complaint
from .kinds import condition
from .memberobjects import Applied
from .nodemanifest import Wanted, new_node, patch_of

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

Object = dict[str, Any]
Say = Callable[[str], None]
LABEL_NODE = "isthmus.dev/node"
_PAUSE = 0.3


async def known_node(hub: "Client", name: str) -> Object | None:
    """The ComputeNode of that name."""
    try:
        found: Object = await hub.get(COMPUTENODES, name)
    except NotFound:
        return None
    return found


async def check_free(hub: "Client", name: str, uid: str) -> None:
    """Complaint where the node stands for another cluster, or another node for this one."""
    nodes: list[Object] = (await hub.list(COMPUTENODES)).items
    for node in nodes:
        other, stands_for = node["metadata"]["name"], (node.get("status") or {}).get("clusterUid") or ""
        if other == name and stands_for not in {"", uid}:
            raise Complaint(
                f"computenode/{name} stands for another cluster; delete it first, or take another name for this one"
            )
        if other != name and stands_for == uid:
            raise Complaint(f"this cluster is computenode/{other} already")


def secret_of(node: Object | None, name: str) -> tuple[str, str]:
    """The Secret, and the key in it, that the node names; of a new one, its own name."""
    access = ((node or {}).get("spec") or {}).get("access") or {}
    reference = (access.get("kubeConfig") or {}).get("secretRef") or {}
    return str(reference.get("name") or name), str(reference.get("key") or "kubeconfig")


async def try_node(hub: "Client", wanted: Wanted, node: Object | None) -> None:
    """Have the API server say what is wrong with the node before anything is written anywhere."""
    path, params = COMPUTENODES.path(), {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": MANAGER}
    if node is None:
        body = msgspec.json.encode(new_node(wanted, wanted.name))
        await hub.raw("POST", path, params=params, body=body)
    else:
        body = msgspec.json.encode(patch_of(wanted))
        kind = "application/merge-patch+json"
        await hub.raw("PATCH", f"{path}/{wanted.name}", params=params, body=body, content_type=kind)


async def put_secret(
    hub: "Client", wanted: Wanted, node: Object | None, kubeconfig: tuple[str, str], say: Say, *, dry_run: bool
) -> None:
    """Write a `kubeconfig`, of namespace and text, as Secret. Complaint where one is there for something else."""
    namespace, text = kubeconfig
    name, key = secret_of(node, wanted.name)
    data = {key: base64.b64encode(text.encode()).decode()}
    metadata = {"name": name, "namespace": namespace, "labels": {LABEL_NODE: wanted.name}}
    secret = Applied(SECRETS, {"metadata": metadata, "type": "Opaque", "data": data})
    there = await present(hub, secret)
    labels = ((there or {}).get("metadata") or {}).get("labels") or {}
    if there is not None and node is None and labels.get(LABEL_NODE) != wanted.name:
        raise Complaint(f"hub: {secret} is there and is no node's; delete it, or take another name for the node")
    try:
        done = await apply(hub, secret, dry_run=dry_run)
    except NotFound:
        raise Complaint(
            f"hub: the namespace {namespace} is not there; install the hub first, or give its --system-namespace"
        ) from None
    say(f"{secret} {done}")


async def put_node(hub: "Client", wanted: Wanted, node: Object | None, say: Say, *, dry_run: bool) -> None:
    """Make the node, or change in it what was said."""
    what = f"computenode/{wanted.name}"
    if dry_run:
        say(f"{what} " + ("would be created" if node is None else "is there, and would be patched"))
        return
    after: Object
    if node is None:
        after = await hub.create(COMPUTENODES, new_node(wanted, wanted.name), strict=True)
        spec = after["spec"]
        what += f" of tier {spec['tier']} in region {spec['region']['code']} with identity {spec['identity']['code']}"
    else:
        after = await hub.patch(COMPUTENODES, wanted.name, None, patch_of(wanted))
    say(f"{what} {outcome(node, after)}")


async def wait_schedulable(hub: "Client", name: str, seconds: float) -> tuple[bool, str]:
    """Whether the node takes work before the time is up, and what its condition says."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        node: Object = await hub.get(COMPUTENODES, name)
        found = condition(node, "Schedulable")
        current = found.get("observedGeneration", 0) >= node["metadata"]["generation"]
        if current and found.get("status") == "True":
            return True, str(found.get("message", ""))
        if asyncio.get_running_loop().time() > deadline:
            said = f"{found.get('reason')}: {found.get('message')}" if found else "the hub has not looked at it"
            return False, said
        await asyncio.sleep(_PAUSE)
