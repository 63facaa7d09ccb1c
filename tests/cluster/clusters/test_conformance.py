"""What holds for the API server must hold for the in-memory cluster: each test runs on both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from tests.cluster.clusters.conftest import Opener, ready_namespace

from isthmus.clusters import (
    CONFIGMAPS,
    DISPATCHES,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    KubernetesApi,
    NotFound,
    Resource,
)

Manifest = dict[str, Any]
FINALIZER = "example.org/hold"


def _name() -> str:
    return f"t-{uuid4().hex[:12]}"


def _map(name: str = "m", **metadata: Any) -> Manifest:
    return {"metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def _job(name: str = "j") -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": name}, "spec": {"suspend": True, "template": {"spec": pod}}}


def _pod(name: str = "p", **spec: Any) -> Manifest:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def _owner(obj: Manifest) -> Manifest:
    keys = {"apiVersion": "v1", "kind": "ConfigMap", "blockOwnerDeletion": True}
    return {**keys, "name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


async def _gone(api: KubernetesApi, resource: Resource, name: str, namespace: str | None) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await api.get(resource, name, namespace)
            except NotFound:
                return
            await asyncio.sleep(0.02)


async def test_a_new_object_gets_its_identity(opener: Opener) -> None:
    """Creation sets UID, version, time and generation, and takes no status."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        created = await api.create(DISPATCHES, {"metadata": {"name": "d"}, "spec": {"x": 1}, "status": {"y": 1}}, space)
        metadata = created["metadata"]
        assert (created["apiVersion"], created["kind"]) == ("isthmus.dev/v1alpha1", "Dispatch")
        assert (metadata["namespace"], metadata["generation"]) == (space, 1)
        assert metadata["uid"]
        assert metadata["resourceVersion"]
        assert metadata["creationTimestamp"].endswith("Z")
        assert (created["spec"], created.get("status")) == ({"x": 1}, None)
        assert await api.get(DISPATCHES, "d", space) == created


async def test_a_name_is_taken_once(opener: Opener) -> None:
    """A second object of the name is AlreadyExists, and generateName makes names that differ."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(CONFIGMAPS, _map(), space)
        with pytest.raises(AlreadyExists, match='configmaps "m" already exists'):
            await api.create(CONFIGMAPS, _map(), space)
        names = {
            (await api.create(CONFIGMAPS, {"metadata": {"generateName": "g-"}}, space))["metadata"]["name"]
            for _ in range(5)
        }
        assert len(names) == 5
        assert all(name.startswith("g-") for name in names)


@pytest.mark.parametrize(
    ("obj", "namespace", "kind"),
    [
        pytest.param({"metadata": {}}, None, Invalid, id="no name"),
        pytest.param(_map(namespace="other"), None, Invalid, id="another namespace"),
        pytest.param({**_map(), "kind": "Secret", "apiVersion": "v1"}, None, Invalid, id="another kind"),
        pytest.param(_map(), "no-such-namespace", NotFound, id="no such namespace"),
    ],
)
async def test_what_does_not_fit_its_path_is_refused(
    opener: Opener, obj: Manifest, namespace: str | None, kind: type[ClusterError]
) -> None:
    """An object without a name, of another place or kind, or for a namespace that isn't there, is refused."""
    async with opener() as api:
        space = namespace or await ready_namespace(api, _name())
        with pytest.raises(kind):
            await api.create(CONFIGMAPS, obj, space)


async def test_a_dry_run_stores_nothing(opener: Opener) -> None:
    """A dry run answers with the object as it would be and leaves no trace."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        assert (await api.create(CONFIGMAPS, _map(), space, dry_run=True))["metadata"]["uid"]
        with pytest.raises(NotFound, match='configmaps "m" not found'):
            await api.get(CONFIGMAPS, "m", space)
        await api.create(CONFIGMAPS, _map(), space)
        with pytest.raises(AlreadyExists):
            await api.create(CONFIGMAPS, _map(), space, dry_run=True)


async def test_a_stale_write_is_a_conflict(opener: Opener) -> None:
    """PUT and patch with an old version, and with another UID, fail and change nothing."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        first = await api.create(CONFIGMAPS, _map(), space)
        second = await api.replace(CONFIGMAPS, {**first, "data": {"a": "2"}}, space, "m")
        assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
        with pytest.raises(Conflict, match="the object has been modified"):
            await api.replace(CONFIGMAPS, {**first, "data": {"a": "3"}}, space, "m")
        version = first["metadata"]["resourceVersion"]
        with pytest.raises(Conflict, match="the object has been modified"):
            await api.patch(CONFIGMAPS, "m", space, {"metadata": {"resourceVersion": version}, "data": {"a": "4"}})
        with pytest.raises(Conflict, match="UID"):
            await api.replace(CONFIGMAPS, _map(uid="another"), space, "m")
        with pytest.raises(Invalid, match="field is immutable"):
            await api.patch(CONFIGMAPS, "m", space, {"metadata": {"uid": "another"}})
        assert await api.get(CONFIGMAPS, "m", space) == second


async def test_a_write_without_a_version(opener: Opener) -> None:
    """Built-in kinds may be replaced unconditionally, custom ones not; what isn't there can't be replaced."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(CONFIGMAPS, _map(), space)
        assert (await api.replace(CONFIGMAPS, {**_map(), "data": {"b": "2"}}, space, "m"))["data"] == {"b": "2"}
        await api.create(DISPATCHES, {"metadata": {"name": "d"}, "spec": {}}, space)
        with pytest.raises(Invalid, match="must be specified for an update"):
            await api.replace(DISPATCHES, {"metadata": {"name": "d"}, "spec": {"x": 1}}, space, "d")
        with pytest.raises(NotFound):
            await api.replace(DISPATCHES, {"metadata": {"name": "e", "resourceVersion": "1"}}, space, "e")


async def test_a_write_that_changes_nothing(opener: Opener) -> None:
    """The same content again makes no new version."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        created = await api.create(CONFIGMAPS, _map(labels={"a": "b"}), space)
        assert await api.replace(CONFIGMAPS, created, space, "m") == created
        assert await api.patch(CONFIGMAPS, "m", space, {"data": {"a": "1"}}) == created


async def test_the_status_stands_apart(opener: Opener) -> None:
    """The status is written by its subresource alone, which writes nothing else and leaves the generation."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        created = await api.create(DISPATCHES, {"metadata": {"name": "d"}, "spec": {"x": 1}}, space)
        wanted = {**created, "spec": {"x": 2}, "status": {"state": "Accepted"}}
        accepted = await api.replace(DISPATCHES, wanted, space, "d", subresource="status")
        assert (accepted["spec"], accepted["status"]) == ({"x": 1}, {"state": "Accepted"})
        assert accepted["metadata"]["generation"] == 1
        changed = await api.replace(DISPATCHES, {**accepted, "spec": {"x": 3}, "status": {}}, space, "d")
        assert (changed["spec"], changed["status"]) == ({"x": 3}, {"state": "Accepted"})
        assert changed["metadata"]["generation"] == 2
        with pytest.raises(Conflict):
            await api.replace(DISPATCHES, accepted, space, "d", subresource="status")
        body = {"spec": {"x": 4}, "status": {"more": 1}}
        patched = await api.patch(DISPATCHES, "d", space, body, subresource="status")
        assert (patched["spec"], patched["status"]) == ({"x": 3}, {"state": "Accepted", "more": 1})


async def test_the_generation_counts_changes_of_the_spec(opener: Opener) -> None:
    """Labels leave a Job's generation, its spec raises it."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(JOBS, _job(), space)
        labelled = await api.patch(JOBS, "j", space, {"metadata": {"labels": {"a": "b"}}})
        parallel = await api.patch(JOBS, "j", space, {"spec": {"parallelism": 3}})
        assert (labelled["metadata"]["generation"], parallel["metadata"]["generation"]) == (1, 2)


async def test_finalizers_hold_an_object(opener: Opener) -> None:
    """A deleted object stays, its name taken, until its last finalizer is removed; it takes no new ones."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(DISPATCHES, {"metadata": {"name": "d", "finalizers": [FINALIZER]}, "spec": {}}, space)
        assert await api.delete(DISPATCHES, "d", space, propagation="Background")
        held = await api.get(DISPATCHES, "d", space)
        assert held["metadata"]["deletionTimestamp"]
        assert (held["metadata"]["finalizers"], held["metadata"]["generation"]) == ([FINALIZER], 2)
        assert await api.delete(DISPATCHES, "d", space, propagation="Background")
        assert (await api.get(DISPATCHES, "d", space))["metadata"]["resourceVersion"] == held["metadata"][
            "resourceVersion"
        ]
        with pytest.raises(AlreadyExists):
            await api.create(DISPATCHES, {"metadata": {"name": "d"}, "spec": {}}, space)
        with pytest.raises(Invalid, match="no new finalizers can be added"):
            await api.patch(DISPATCHES, "d", space, {"metadata": {"finalizers": [FINALIZER, "example.org/more"]}})
        assert (await api.patch(DISPATCHES, "d", space, {"spec": {"x": 1}}))["spec"] == {"x": 1}
        await api.patch(DISPATCHES, "d", space, {"metadata": {"finalizers": None}})
        with pytest.raises(NotFound):
            await api.get(DISPATCHES, "d", space)
        assert not await api.delete(DISPATCHES, "d", space)


async def test_deletion_may_name_the_uid(opener: Opener) -> None:
    """With another object's UID nothing is deleted."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        created = await api.create(CONFIGMAPS, _map(), space)
        with pytest.raises(Conflict, match="UID"):
            await api.delete(CONFIGMAPS, "m", space, uid="another")
        assert await api.delete(CONFIGMAPS, "m", space, uid=created["metadata"]["uid"], propagation="Background")
        assert not await api.delete(CONFIGMAPS, "m", space, uid=created["metadata"]["uid"])


async def test_merge_and_json_patches(opener: Opener) -> None:
    """Null removes, maps merge; a JSON patch whose test fails changes nothing."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(CONFIGMAPS, _map(labels={"x": "1", "y": "2"}), space)
        patched = await api.patch(CONFIGMAPS, "m", space, {"data": {"a": None, "b": "2"}})
        assert patched["data"] == {"b": "2"}
        operations: list[Manifest] = [
            {"op": "test", "path": "/data/b", "value": "2"},
            {"op": "replace", "path": "/data/b", "value": "3"},
            {"op": "add", "path": "/metadata/labels/example.org~1z", "value": "4"},
            {"op": "remove", "path": "/metadata/labels/x"},
        ]
        patched = await api.patch(CONFIGMAPS, "m", space, operations, kind="json")
        assert (patched["data"], patched["metadata"]["labels"]) == ({"b": "3"}, {"y": "2", "example.org/z": "4"})
        for wrong in (
            {"op": "test", "path": "/data/b", "value": "9"},
            {"op": "remove", "path": "/data/none"},
            {"op": "replace", "path": "/none/b", "value": "9"},
        ):
            with pytest.raises(Invalid):
                await api.patch(CONFIGMAPS, "m", space, [{"op": "remove", "path": "/data/b"}, wrong], kind="json")
        with pytest.raises(NotFound):
            await api.patch(CONFIGMAPS, "none", space, {"data": {}})
        assert await api.get(CONFIGMAPS, "m", space) == patched


async def test_a_strategic_patch_merges_lists_by_their_key(opener: Opener) -> None:
    """Conditions merge by type, and an entry can be removed by its key."""
    async with opener() as api:
        node = _name()
        await api.create(NODES, {"metadata": {"name": node}})

        async def patch(*conditions: Manifest) -> list[tuple[str, str]]:
            body = {"status": {"conditions": [*conditions]}}
            patched = await api.patch(NODES, node, None, body, subresource="status", kind="strategic")
            return sorted((entry["type"], entry["status"]) for entry in patched["status"]["conditions"])

        assert await patch({"type": "A", "status": "True"}, {"type": "B", "status": "True"}) == [
            ("A", "True"),
            ("B", "True"),
        ]
        assert await patch({"type": "B", "status": "False"}) == [("A", "True"), ("B", "False")]
        assert await patch({"type": "A", "$patch": "delete"}) == [("B", "False")]
        assert await api.delete(NODES, node, propagation="Background")


async def test_apply_owns_what_it_wrote(opener: Opener) -> None:
    """Applying again without a field removes it; what others applied stays, and is a conflict without force."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        body = {"metadata": {"name": "m", "labels": {"x": "1"}}, "data": {"a": "1", "b": "1"}}
        created = await api.apply(CONFIGMAPS, body, space, manager="one")
        assert created["data"] == {"a": "1", "b": "1"}
        await api.apply(CONFIGMAPS, {"metadata": {"name": "m"}, "data": {"c": "2"}}, space, manager="two")
        again = await api.apply(CONFIGMAPS, {"metadata": {"name": "m"}, "data": {"a": "9"}}, space, manager="one")
        assert (again["data"], again["metadata"].get("labels")) == ({"a": "9", "c": "2"}, None)
        clash = {"metadata": {"name": "m"}, "data": {"c": "3"}}
        with pytest.raises(Conflict, match="two"):
            await api.apply(CONFIGMAPS, clash, space, manager="one", force=False)
        taken = await api.apply(CONFIGMAPS, clash, space, manager="one")
        assert taken["data"] == {"c": "3"}


async def test_apply_to_lists_and_status(opener: Opener) -> None:
    """Finalizers are owned one by one, and the status is applied by its subresource."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        mine = {"metadata": {"name": "m", "finalizers": [FINALIZER]}}
        await api.create(CONFIGMAPS, {"metadata": {"name": "m", "finalizers": ["example.org/other"]}}, space)
        both = await api.apply(CONFIGMAPS, mine, space)
        assert sorted(both["metadata"]["finalizers"]) == [FINALIZER, "example.org/other"]
        one = await api.apply(CONFIGMAPS, {"metadata": {"name": "m"}}, space)
        assert one["metadata"]["finalizers"] == ["example.org/other"]
        await api.patch(CONFIGMAPS, "m", space, {"metadata": {"finalizers": []}})
        status = {"metadata": {"name": "d"}, "status": {"state": "Running"}}
        with pytest.raises(NotFound):
            await api.apply(DISPATCHES, status, space, subresource="status")
        await api.create(DISPATCHES, {"metadata": {"name": "d"}, "spec": {"x": 1}}, space)
        applied = await api.apply(DISPATCHES, status, space, subresource="status")
        assert (applied["spec"], applied["status"]) == ({"x": 1}, {"state": "Running"})


@pytest.mark.parametrize(
    ("labels", "fields", "names"),
    [
        (None, None, ["a", "b", "c"]),
        ("app=x", None, ["a", "b"]),
        ("app==x,tier!=2", None, ["a"]),
        ("app!=x", None, ["c"]),
        ("tier in (1, 2)", None, ["a", "b"]),
        ("tier notin (1)", None, ["b", "c"]),
        ("tier", None, ["a", "b"]),
        ("!tier", None, ["c"]),
        ("app in (x),tier=1", None, ["a"]),
        (None, "metadata.name=b", ["b"]),
        ("app=x", "metadata.name!=b", ["a"]),
    ],
)
async def test_selectors(opener: Opener, labels: str | None, fields: str | None, names: list[str]) -> None:
    """Label and field selectors select alike, and lists come in the order of their names."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        for name, own in (("b", {"app": "x", "tier": "2"}), ("a", {"app": "x", "tier": "1"}), ("c", {"app": "y"})):
            await api.create(DISPATCHES, {"metadata": {"name": name, "labels": own}, "spec": {}}, space)
        listing = await api.list(DISPATCHES, space, labels=labels, fields=fields)
        assert [item["metadata"]["name"] for item in listing.items] == names


async def test_a_selector_that_cannot_be_read(opener: Opener) -> None:
    """A wrong selector is refused, not read as something else."""
    async with opener() as api:
        with pytest.raises(Invalid):
            await api.list(CONFIGMAPS, "default", labels="a b c")


async def _watched(
    api: KubernetesApi, space: str, version: str, count: int, labels: str | None = None
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(20):
        async for event in api.watch(DISPATCHES, space, resource_version=version, labels=labels):
            if event.object is not None:
                found.append((event.kind, event.object["metadata"]["name"]))
                assert event.resource_version == event.object["metadata"]["resourceVersion"]
            if len(found) == count:
                break
    return found


async def test_a_watch_from_a_list_misses_nothing(opener: Opener) -> None:
    """What happened after the list comes first, in order, then what happens next."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(DISPATCHES, {"metadata": {"name": "before"}, "spec": {}}, space)
        listing = await api.list(DISPATCHES, space)
        await api.create(DISPATCHES, {"metadata": {"name": "x", "labels": {"on": "1"}}, "spec": {}}, space)
        await api.patch(DISPATCHES, "x", space, {"spec": {"a": 1}})
        everything = asyncio.create_task(_watched(api, space, listing.resource_version, 4))
        selected = asyncio.create_task(_watched(api, space, listing.resource_version, 4, labels="on=1"))
        await asyncio.sleep(0)
        await api.patch(DISPATCHES, "x", space, {"metadata": {"labels": {"on": "0"}}})
        await api.patch(DISPATCHES, "before", space, {"metadata": {"labels": {"on": "1"}}})
        assert await everything == [("ADDED", "x"), ("MODIFIED", "x"), ("MODIFIED", "x"), ("MODIFIED", "before")]
        # Seen through a selector, what leaves it is DELETED and what enters it is ADDED.
        assert await selected == [("ADDED", "x"), ("MODIFIED", "x"), ("DELETED", "x"), ("ADDED", "before")]


@pytest.mark.parametrize("version", ["", "0"])
async def test_a_watch_without_a_version_begins_with_what_is_there(opener: Opener, version: str) -> None:
    """Without a version, all objects come as ADDED first."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        for name in ("a", "b"):
            await api.create(DISPATCHES, {"metadata": {"name": name}, "spec": {}}, space)
        assert sorted(await _watched(api, space, version, 2)) == [("ADDED", "a"), ("ADDED", "b")]


async def test_the_last_finalizer_ends_in_one_event(opener: Opener) -> None:
    """An object that goes with its last finalizer is seen as DELETED at a new version, without a change before."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        created = await api.create(
            DISPATCHES, {"metadata": {"name": "d", "finalizers": [FINALIZER]}, "spec": {}}, space
        )
        version = created["metadata"]["resourceVersion"]
        await api.delete(DISPATCHES, "d", space, propagation="Background")
        await api.patch(DISPATCHES, "d", space, {"metadata": {"finalizers": []}})
        assert await _watched(api, space, version, 2) == [("MODIFIED", "d"), ("DELETED", "d")]


async def _family(api: KubernetesApi, space: str) -> tuple[Manifest, Manifest]:
    owner = await api.create(CONFIGMAPS, _map("owner"), space)
    child = await api.create(CONFIGMAPS, _map("child", ownerReferences=[_owner(owner)], finalizers=[FINALIZER]), space)
    return owner, child


async def test_foreground_deletion_waits_for_dependents(opener: Opener) -> None:
    """The owner stays until its last dependent is gone."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await _family(api, space)
        assert await api.delete(CONFIGMAPS, "owner", space, propagation="Foreground")
        await _until(api, "child", space, lambda child: "deletionTimestamp" in child["metadata"])
        owner = await api.get(CONFIGMAPS, "owner", space)
        assert owner["metadata"]["finalizers"] == ["foregroundDeletion"]
        await api.patch(CONFIGMAPS, "child", space, {"metadata": {"finalizers": None}})
        await _gone(api, CONFIGMAPS, "owner", space)


async def test_background_deletion_goes_first(opener: Opener) -> None:
    """The owner goes at once, its dependents afterwards."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await _family(api, space)
        assert await api.delete(CONFIGMAPS, "owner", space, propagation="Background")
        with pytest.raises(NotFound):
            await api.get(CONFIGMAPS, "owner", space)
        await _until(api, "child", space, lambda child: "deletionTimestamp" in child["metadata"])
        await api.patch(CONFIGMAPS, "child", space, {"metadata": {"finalizers": None}})
        await _gone(api, CONFIGMAPS, "child", space)


async def test_orphans_stay(opener: Opener) -> None:
    """Dependents of an owner deleted with Orphan live on without it."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await _family(api, space)
        assert await api.delete(CONFIGMAPS, "owner", space, propagation="Orphan")
        await _gone(api, CONFIGMAPS, "owner", space)
        child = await api.get(CONFIGMAPS, "child", space)
        assert not child["metadata"].get("ownerReferences")
        assert "deletionTimestamp" not in child["metadata"]
        await api.patch(CONFIGMAPS, "child", space, {"metadata": {"finalizers": None}})


async def _until(api: KubernetesApi, name: str, space: str, holds: Callable[[Manifest], bool]) -> None:
    async with asyncio.timeout(30):
        listing = await api.list(CONFIGMAPS, space, fields=f"metadata.name={name}")
        if any(holds(item) for item in listing.items):
            return
        async for event in api.watch(CONFIGMAPS, space, resource_version=listing.resource_version):
            if event.object is not None and event.object["metadata"]["name"] == name and holds(event.object):
                return


async def test_a_pod_on_a_machine_is_given_time(opener: Opener) -> None:
    """A bound pod that runs stays until its kubelet confirms; an unbound or ended one goes at once."""
    async with opener() as api:
        space, node = await ready_namespace(api, _name()), _name()
        await api.create(NODES, {"metadata": {"name": node}})
        for name in ("running", "ended"):
            await api.create(PODS, _pod(name, nodeName=node), space)
        await api.patch(PODS, "ended", space, {"status": {"phase": "Succeeded"}}, subresource="status")
        await api.create(PODS, _pod("unbound"), space)
        for name in ("running", "ended", "unbound"):
            assert await api.delete(PODS, name, space, propagation="Background")
        left = await api.list(PODS, space)
        assert [item["metadata"]["name"] for item in left.items] == ["running"]
        assert left.items[0]["metadata"]["deletionGracePeriodSeconds"] == 30
        assert await api.delete(PODS, "running", space, propagation="Background", grace_seconds=0)
        await _gone(api, PODS, "running", space)
        await api.delete(NODES, node, propagation="Background")


async def test_a_namespace_takes_its_content_with_it(opener: Opener) -> None:
    """A deleted namespace is Terminating, takes nothing new, and goes when its last object is gone."""
    async with opener() as api:
        space = await ready_namespace(api, _name())
        await api.create(CONFIGMAPS, _map(finalizers=[FINALIZER]), space)
        assert await api.delete(NAMESPACES, space, propagation="Background")
        assert (await api.get(NAMESPACES, space))["status"]["phase"] == "Terminating"
        with pytest.raises(Forbidden, match="being terminated"):
            await api.create(CONFIGMAPS, _map("late"), space)
        await _until(api, "m", space, lambda found: "deletionTimestamp" in found["metadata"])
        await api.patch(CONFIGMAPS, "m", space, {"metadata": {"finalizers": None}})
        await _gone(api, NAMESPACES, space, None)


Call = Callable[[KubernetesApi], Awaitable[object]]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda api: api.get(NAMESPACES, "a", "b"), id="namespace for a cluster-scoped kind"),
        pytest.param(lambda api: api.get(PODS, "a"), id="namespaced object without namespace"),
        pytest.param(lambda api: api.delete(PODS, "", "default"), id="deletion of a whole collection"),
    ],
)
async def test_a_path_that_means_something_else_is_refused(opener: Opener, call: Call) -> None:
    """A call whose path would be another's never leaves the client."""
    async with opener() as api:
        with pytest.raises(ValueError, match="namespace"):
            await call(api)


async def test_probe_tells_the_version(opener: Opener) -> None:
    """The version of the API server can be read."""
    async with opener() as api:
        assert (await api.probe())["gitVersion"].startswith("v1.")
