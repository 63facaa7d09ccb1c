"""The hub's half of `node add`: the Secret with the member's kubeconfig, and the ComputeNode."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from isthmus.api.names import LABEL_NODE
from isthmus.clusters.errors import Forbidden, NotFound
from isthmus.clusters.resources import COMPUTENODES, NAMESPACES, SECRETS, SERVICEACCOUNTS, SUBJECTACCESSREVIEWS

from .applying import MANAGER, apply, outcome, present
from .complaint import Complaint
from .kinds import condition
from .memberobjects import Applied
from .nodemanifest import Wanted, new_node, patch_of

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

Object = dict[str, Any]
Say = Callable[[str], None]
_RELEASED = "app.kubernetes.io/part-of=isthmus"
_PAUSE = 0.3


async def known_node(hub: "Client", name: str) -> Object | None:
    """The ComputeNode of that name."""
    try:
        found: Object = await hub.get(COMPUTENODES, name)
    except NotFound:
        return None
    return found


async def check_namespace(hub: "Client", name: str) -> None:
    """Complaint where the hub's own namespace is not there; that we may not look says nothing."""
    with contextlib.suppress(Forbidden):
        try:
            await hub.get(NAMESPACES, name)
        except NotFound:
            raise Complaint(_no_namespace(name)) from None


async def may_run_jobs(hub: "Client", namespace: str) -> bool | None:
    """Whether the hub that a chart installed in that namespace may make Jobs in its own cluster; None is not known."""
    allowed: list[bool] = []
    try:
        accounts: list[Object] = (
            await hub.list(SERVICEACCOUNTS, namespace, labels="app.kubernetes.io/part-of=isthmus")
        ).items
        for account in accounts:
            user = f"system:serviceaccount:{namespace}:{account['metadata']['name']}"
            asked = {"user": user, "resourceAttributes": {"group": "batch", "resource": "jobs", "verb": "create"}}
            answer: Object = await hub.create(SUBJECTACCESSREVIEWS, {"spec": asked})
            allowed.append(answer["status"].get("allowed") is True)
    except (Forbidden, NotFound):
        return None
    return any(allowed) if allowed else None


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
        raise Complaint(_no_namespace(namespace)) from None
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


def _no_namespace(name: str) -> str:
    return f"hub: the namespace {name} is not there; install the hub first, or give its --system-namespace"
