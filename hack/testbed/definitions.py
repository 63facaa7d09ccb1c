"""Taking CustomResourceDefinitions away, without the wait of minutes that an API server may fall into."""

from functools import partial
from typing import Any

from testbed.cluster import Cluster
from testbed.rest import ApiError
from testbed.waiting import DeadlineError, wait_for

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
READ_SECONDS = 30.0
GONE_SECONDS = 60.0


def remove_definitions(cluster: Cluster, selector: str, *, seconds: float = GONE_SECONDS) -> None:
    """Delete the definitions with these labels and all objects of them, and wait until they are gone.

    Raises DeadlineError, with what is left and the conditions of it, where they are not within `seconds`.
    """
    read_all(cluster, selector)
    cluster.kubectl("delete", "crd", f"--selector={selector}", "--ignore-not-found", "--wait=false")
    try:
        wait_for(lambda: not _definitions(cluster, selector), seconds, f"{cluster.name}: definitions to be gone")
    except DeadlineError as error:
        left = "; ".join(map(_told, _definitions(cluster, selector)))
        raise DeadlineError(f"{error}; left: {left or 'nothing any more'}") from None


def read_all(cluster: Cluster, selector: str) -> None:
    """Read all objects of each of the kinds, so that the API server has opened its storage before it is deleted.

    Else its finalizer is the first to ask for it. That fails ("storage is (re)initializing"), and is tried again 5 ms
    later: where the definition is then still seen as it was before the failure was told on it, the write is in
    conflict, and nothing is tried any more until the resync, for up to 5 minutes (Kubernetes 1.36,
    apiextensions-apiserver/pkg/controller/finalizer: a conflict is passed over, and a change of the condition
    Terminating alone wakes nobody). A list with a limit would not do: it goes past the storage's cache.
    """
    for definition in _definitions(cluster, selector):
        spec = definition["spec"]
        version = next(each["name"] for each in spec["versions"] if each["served"])
        path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
        wait_for(partial(cluster.rest.get, path), READ_SECONDS, f"an answer to {path}", tolerate=(ApiError,))


def _definitions(cluster: Cluster, selector: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.rest.get(f"{PATH}?labelSelector={selector}")["items"]
    return found


def _told(definition: dict[str, Any]) -> str:
    conditions = definition.get("status", {}).get("conditions", ())
    words = [f"{each['type']}={each['status']} {each['reason']}: {each['message']}" for each in conditions]
    return f"{definition['metadata']['name']} ({', '.join(words)})"
