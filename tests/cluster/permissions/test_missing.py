"""A hub that lacks any one permission of the chart's says which, under real RBAC and by a real token."""

import copy
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from federation import Federation
from federation.chart import NAMESPACE, one, render
from federation.federation import SYSTEM
from federation.usage import Permission, permissions_in
from isthmus.clusters import Client, Credentials
from isthmus.hub.permissions import QUERY_RULES, RULES, Permissions, in_words, permissions_of
from testbed import wait_for

HUB = "isthmus-hub"
# Binds a role of the cluster's own, which no verb is taken out of.
READER = f"{HUB}-auth-reader"
RENDERED = render()
GIVEN = [
    obj
    for obj in RENDERED
    if obj["metadata"]["name"] == HUB and obj["kind"] in {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
]
PERMISSIONS = list(permissions_in(GIVEN))
WHOLE = "lacks-nothing"


def place(permission: Permission) -> str:
    """What it is on, in the hub's words."""
    plural, _, subresource = permission.resource.partition("/")
    group = f".{permission.api_group}" if permission.api_group else ""
    within = f" in namespace {SYSTEM}" if permission.role.startswith("Role/") else ""
    name = f" {permission.name}" if permission.name else ""
    return f"{plural}{group}{subresource and '/'}{subresource}{name}{within}"


def said(permission: Permission) -> str:
    """The hub's words for it."""
    return f"{permission.verb} {place(permission)}"


def account_of(permission: Permission) -> str:
    """The ServiceAccount that has all but this."""
    return f"lacks-{PERMISSIONS.index(permission)}"


def lacking(permission: Permission | None) -> list[dict[str, Any]]:
    """A ServiceAccount with the chart's roles but for one permission."""
    name = WHOLE if permission is None else account_of(permission)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
    objects = copy.deepcopy(GIVEN)
    for obj in objects:
        obj["metadata"]["name"] = name
        if "rules" in obj:
            obj["rules"] = [
                {
                    "apiGroups": [each.api_group],
                    "resources": [each.resource],
                    "verbs": [each.verb],
                    **({"resourceNames": [each.name]} if each.name else {}),
                }
                for each in PERMISSIONS
                if each.role == f"{obj['kind']}/{HUB}" and each != permission
            ]
        else:
            obj["roleRef"]["name"] = name
    reader = copy.deepcopy(one(RENDERED, "RoleBinding", READER))
    reader["metadata"]["name"] = f"{name}-auth-reader"
    for obj in (*objects, reader):
        if "subjects" in obj:
            obj["subjects"] = [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}]
    return [account, *objects, reader]


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub that does not run yet, and one identity for each permission that has all others."""
    with Federation({}, query=True) as federation:
        federation.hub.apply([obj for each in (None, *PERMISSIONS) for obj in lacking(each)])
        yield federation


async def missing(fed: Federation, account: str) -> tuple[str, ...]:
    """What the hub's own review finds under that identity."""
    credentials = Credentials.from_kubeconfig_path(fed.hub.token_kubeconfig(NAMESPACE, account))
    async with await Client.connect(credentials, name="hub") as client:
        return in_words(await Permissions(client, permissions_of((*RULES, *QUERY_RULES), SYSTEM)).review())


async def test_the_chart_gives_all_that_the_hub_asks_for(fed: Federation) -> None:
    """With what the chart renders nothing is missing."""
    assert await missing(fed, WHOLE) == ()
    assert await missing(fed, "isthmus") == ()


@pytest.mark.parametrize("permission", PERMISSIONS, ids=str)
async def test_each_missing_permission_is_named(fed: Federation, permission: Permission) -> None:
    """With one verb taken out of the chart's roles, the hub's review names that one and no other."""
    assert await missing(fed, account_of(permission)) == (said(permission),)


def ready(fed: Federation) -> tuple[int, str]:
    """Status and body of /readyz."""
    try:
        with urllib.request.urlopen(f"{fed.process.served_at()}/readyz", timeout=10) as answer:  # noqa: S310 - http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_hub_without_its_roles_names_every_permission(fed: Federation) -> None:
    """The hub's process, started while its bindings are gone, names each of them in /readyz, and is ready with them."""
    for kind in ("clusterrolebinding", "rolebinding"):
        fed.hub.kubectl("delete", kind, HUB, f"--namespace={NAMESPACE}")
    fed.process.launch()
    wait_for(lambda: "not permitted" in ready(fed)[1], 60, "the missing permissions to be named")
    code, body = ready(fed)
    assert code == 503
    by_place: dict[str, list[str]] = {}
    for each in PERMISSIONS:
        by_place.setdefault(place(each), []).append(each.verb)
    words = [f"{', '.join(verbs)} {what}" for what, verbs in by_place.items()]
    assert sorted(body.splitlines()) == sorted(f"the hub is not permitted to {each}" for each in words)
    fed.release.upgrade(fed.values)
    wait_for(lambda: ready(fed) == (200, "ok\n"), 60, "the hub to be ready")
