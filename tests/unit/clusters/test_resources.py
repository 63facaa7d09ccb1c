import pytest

from isthmus.clusters import COMPUTENODES, DISPATCHES, JOBS, NAMESPACES, PODS, Resource


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "subresource", "path"),
    [
        pytest.param(PODS, None, None, None, "/api/v1/pods", id="all namespaces"),
        pytest.param(PODS, "a", None, None, "/api/v1/namespaces/a/pods", id="one namespace"),
        pytest.param(PODS, "a", "p", "log", "/api/v1/namespaces/a/pods/p/log", id="subresource"),
        pytest.param(JOBS, "a", "j", None, "/apis/batch/v1/namespaces/a/jobs/j", id="group"),
        pytest.param(NAMESPACES, None, "a", None, "/api/v1/namespaces/a", id="cluster-scoped"),
        pytest.param(
            COMPUTENODES, None, "n", "status", "/apis/isthmus.dev/v1alpha1/computenodes/n/status", id="own kind"
        ),
        pytest.param(
            PODS, "a", "../nodes/x", None, "/api/v1/namespaces/a/pods/..%2Fnodes%2Fx", id="a name can't escape"
        ),
    ],
)
def test_path(resource: Resource, namespace: str | None, name: str | None, subresource: str | None, path: str) -> None:
    """A resource's path is the API's, and no part of it can reach beyond its place."""
    assert resource.path(namespace, name, subresource) == path


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "subresource"),
    [
        pytest.param(NAMESPACES, "a", "b", None, id="a namespace for a cluster-scoped kind"),
        pytest.param(DISPATCHES, None, "d", None, id="a namespaced object without namespace"),
        pytest.param(DISPATCHES, "", "d", None, id="an empty namespace would mean all"),
        pytest.param(DISPATCHES, "a", "", None, id="an empty name would mean the collection"),
        pytest.param(DISPATCHES, "a", None, "status", id="a subresource of a collection"),
    ],
)
def test_refuses_parts_that_do_not_fit(
    resource: Resource, namespace: str | None, name: str | None, subresource: str | None
) -> None:
    """A path that would mean something else than asked is never made."""
    with pytest.raises(ValueError, match=resource.plural):
        resource.path(namespace, name, subresource)
