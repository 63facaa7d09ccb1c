"""What of a role is used, by an audit log."""

import json
from pathlib import Path
from typing import Any

import pytest

from federation.usage import Permission, Usage, permissions_in
from testbed.audit import Access, accesses

USER = "system:serviceaccount:a:hub"
ROLE = {
    "kind": "ClusterRole",
    "metadata": {"name": "hub"},
    "rules": [
        {"apiGroups": ["isthmus.dev"], "resources": ["computejobs", "computejobs/status"], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["leases"], "resourceNames": ["one", "two"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["clusterroles"], "resourceNames": ["logs"], "verbs": ["bind"]},
    ],
}


def event(verb: str, reference: dict[str, str], *, user: str = USER, decision: str = "allow") -> dict[str, Any]:
    """An entry of an audit log."""
    reason = f'RBAC: allowed by ClusterRoleBinding "any" of ClusterRole "hub" to ServiceAccount "hub/a" {verb}'
    notes = {"authorization.k8s.io/decision": decision, "authorization.k8s.io/reason": reason}
    return {
        "stageTimestamp": "2026-01-01T00:00:00.000000Z",
        "user": {"username": user},
        "verb": verb,
        "objectRef": reference,
        "annotations": notes,
        "responseStatus": {"code": 200},
    }


def test_accesses_are_those_that_a_role_allowed(tmp_path: Path) -> None:
    """Only what this user was allowed counts, by the role that the API server names; half a line is left out."""
    job = {"apiGroup": "isthmus.dev", "resource": "computejobs", "name": "x", "namespace": "n"}
    events = [
        event("get", job),
        event("patch", {**job, "subresource": "status"}),
        event("delete", job, user="somebody"),
        event("create", job, decision="forbid"),
        {**event("list", job), "annotations": {"authorization.k8s.io/decision": "allow"}},
    ]
    path = tmp_path / "audit.jsonl"
    text = "".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in events)
    path.write_text(text + json.dumps(event("watch", job), separators=(",", ":"))[:-4])
    assert accesses(path, USER) == {
        Access("ClusterRole/hub", "get", "isthmus.dev", "computejobs", "x"),
        Access("ClusterRole/hub", "patch", "isthmus.dev", "computejobs/status", "x"),
    }


@pytest.mark.parametrize(
    ("access", "used"),
    [
        (("ClusterRole/hub", "get", "isthmus.dev", "computejobs", "x"), {"get computejobs.isthmus.dev"}),
        (
            ("ClusterRole/hub", "patch", "isthmus.dev", "computejobs/status", ""),
            {"patch computejobs/status.isthmus.dev"},
        ),
        (("ClusterRole/other", "get", "isthmus.dev", "computejobs", "x"), set()),
        (("Role/hub", "get", "isthmus.dev", "computejobs", "x"), set()),
        (("ClusterRole/hub", "get", "", "computejobs", "x"), set()),
        (("ClusterRole/hub", "get", "", "leases", "one"), {"get leases one"}),
        (("ClusterRole/hub", "get", "", "leases", "three"), set()),
        (("ClusterRole/hub", "create", "rbac.authorization.k8s.io", "rolebindings", "x"), {"bind clusterroles logs"}),
    ],
    ids=str,
)
def test_used_and_unused(access: tuple[str, str, str, str, str], used: set[str]) -> None:
    """A permission is used by the access that needs just it."""
    usage = Usage(USER)
    usage.accesses.add(Access(*access))
    everything: list[Permission] = list(permissions_in([ROLE, {"kind": "ServiceAccount"}]))
    assert len(everything) == 7
    unused = set(usage.unused(everything))
    assert {str(each).partition(": ")[2] for each in set(everything) - unused} == used
