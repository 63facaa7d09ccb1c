import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.hub.authorizer import Authorizer
from tests.waiting import eventually

from isthmus.clusters import Unreachable
from isthmus.errors import MissingPermissionError
from isthmus.hub import permissions as module
from isthmus.hub.permissions import QUERY_RULES, RULES, Permission, Permissions, Rule, in_words, permissions_of

ROOT = Path(__file__).resolve().parents[3]
SYSTEM = "isthmus-system"
# Every cluster has it; of its verbs `get` is not used.
BUILT_IN = {
    "extension-apiserver-authentication-reader": Rule(
        "", "configmaps", ("list", "watch"), names=("extension-apiserver-authentication",), namespace="kube-system"
    )
}


def _roles() -> list[dict[str, Any]]:
    """The chart's roles of a hub; its template is plain but for conditions, names and labels."""
    text = (ROOT / "charts" / "isthmus" / "templates" / "hub-roles.yaml").read_text()
    text = re.sub(r"^ *\{\{-.*\}\}\n", "", text, flags=re.MULTILINE)
    text = text.replace("{{ .Release.Namespace }}", SYSTEM).replace('{{ include "isthmus.fullname" . }}', "isthmus")
    return list(yaml.safe_load_all(text.replace('{{ include "isthmus.serviceAccountName" . }}', "isthmus")))


def _granted() -> set[Permission]:
    """What these roles grant."""
    found = set()
    for document in _roles():
        if document["kind"] in {"Role", "ClusterRole"}:
            for rule in document["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        names = tuple(rule.get("resourceNames", ()))
                        asked = Rule(group, resource, tuple(rule["verbs"]), document["kind"] == "Role", names)
                        found |= set(permissions_of((asked,), document["metadata"].get("namespace", "")))
        elif document["roleRef"]["name"] in BUILT_IN:
            builtin = BUILT_IN[document["roleRef"]["name"]]
            assert document["metadata"]["namespace"] == builtin.namespace
            found |= set(permissions_of((builtin,), ""))
    return found


def test_roles_grant_exactly_what_is_needed() -> None:
    """What the hub asks for at its start is what its roles grant, no more and no less."""
    assert set(permissions_of(RULES + QUERY_RULES, SYSTEM)) == _granted()


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        (Permission("patch", "isthmus.dev", "computejobs/status"), "patch computejobs.isthmus.dev/status"),
        (Permission("create", "batch", "jobs", SYSTEM), "create jobs.batch in namespace isthmus-system"),
        (Permission("list", "", "namespaces"), "list namespaces"),
        (Permission("get", "", "configmaps", "kube-system", "ca"), "get configmaps ca in namespace kube-system"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_permission_in_words(permission: Permission, words: str) -> None:
    """Verb, resource and namespace stand in the line, as kubectl names them."""
    assert in_words([permission]) == (words,)


def test_permissions_of_one_resource_in_one_text() -> None:
    """The verbs that are missing on a resource stand together; the same resource elsewhere stands apart."""
    missing = [Permission(verb, "", "secrets", SYSTEM) for verb in ("list", "watch")]
    missing += [Permission("get", "", "secrets"), Permission("get", "", "secrets", SYSTEM)]
    assert in_words(missing) == ("list, watch, get secrets in namespace isthmus-system", "get secrets")


def test_rules_of_another_namespace() -> None:
    """A rule may be of a namespace that is not the hub's own, and of single objects in it."""
    rule = Rule("", "configmaps", ("get",), names=("a", "b"), namespace="kube-system")
    expected = tuple(Permission("get", "", "configmaps", "kube-system", name) for name in ("a", "b"))
    assert permissions_of((rule,), SYSTEM) == expected


async def test_all_that_is_missing_is_told_at_once() -> None:
    """A hub that begins names every permission that it lacks in one error, a line for each resource."""
    hub = Authorizer()
    hub.denied = {"patch computejobs/status", "watch secrets"}
    permissions = Permissions(hub, permissions_of(RULES, SYSTEM))
    with pytest.raises(MissingPermissionError) as caught:
        await permissions.require()
    assert caught.value.lines == (
        "the hub is not permitted to patch computejobs.isthmus.dev/status",
        "the hub is not permitted to watch secrets in namespace isthmus-system",
    )
    assert str(caught.value).startswith("the hub is not permitted to patch computejobs.isthmus.dev/status; to watch ")
    hub.denied.clear()
    await permissions.require()


async def test_a_refusal_leads_to_a_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken away is found once something is refused, and what is given back soon after; not in a storm."""
    monkeypatch.setattr(module, "MISSING_SECONDS", 0.05)
    hub = Authorizer()
    permissions = Permissions(hub, permissions_of(RULES, SYSTEM))
    running = asyncio.create_task(permissions.run())
    try:
        hub.denied = {"create dispatches"}
        for _ in range(100):
            permissions.doubt()
        await eventually(lambda: permissions.missing)
        assert [*in_words(permissions.missing)] == ["create dispatches.isthmus.dev"]
        assert hub.reviews <= 3 * len(permissions_of(RULES, SYSTEM))
        hub.denied.clear()
        await eventually(lambda: not permissions.missing)
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.simulated_time
async def test_refusals_for_another_reason_are_not_reviewed_for_ever() -> None:
    """While reviews find nothing missing they become rare; a permission that is found missing is looked at often."""
    hub = Authorizer()
    permissions = Permissions(hub, permissions_of(RULES[:1], SYSTEM)[:1])

    async def refusals() -> None:
        while True:
            permissions.doubt()
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(refusals()), asyncio.create_task(permissions.run())]
    await asyncio.sleep(3600)
    assert 30 <= hub.reviews <= 40
    hub.denied = {"get settlements"}
    await asyncio.sleep(module.REVIEW_SECONDS + 1)
    assert permissions.missing
    hub.denied.clear()
    await asyncio.sleep(module.MISSING_SECONDS + 1)
    assert not permissions.missing
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_review_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the API is away, what was found out before still stands."""
    monkeypatch.setattr(module, "MISSING_SECONDS", 0.01)
    hub = Authorizer()
    hub.denied = {"create events"}
    permissions = Permissions(hub, permissions_of(RULES, SYSTEM))
    await permissions.review()
    asked: list[Any] = []
    monkeypatch.setattr(hub, "create", _failing(asked))
    running = asyncio.create_task(permissions.run())
    try:
        await eventually(lambda: len(asked) >= 2)
        assert [*in_words(permissions.missing)] == ["create events"]
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_review_that_fails_ends_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling ends the reviews, at whatever step of one that fails it comes."""
    hub = Authorizer()
    permissions = Permissions(hub, permissions_of(RULES, SYSTEM))
    monkeypatch.setattr(hub, "create", _failing([]))
    for steps in range(20):
        permissions.doubt()
        running = asyncio.create_task(permissions.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        done, _pending = await asyncio.wait({running}, timeout=2)
        running.cancel()
        assert (steps, len(done)) == (steps, 1)


def _failing(asked: list[Any]) -> Any:
    async def create(*arguments: Any) -> Any:
        asked.append(arguments)
        await asyncio.sleep(0)
        raise Unreachable("hub: connection refused")

    return create
