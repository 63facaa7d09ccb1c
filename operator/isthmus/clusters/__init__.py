"""The thin Kubernetes client: requests, watches, credentials. Does I/O; knows no kopf.

What keeps caches up to date, and the fake cluster, are loaded when they are first named: a command line needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .api import KubernetesApi, Listing, Undecodable, WatchEvent
from .client import Client
from .credentials import Credentials
from .decoding import identity_of
from .errors import (
    AlreadyExists,
    ApiError,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    InvalidCredentials,
    NotFound,
    ServerFailure,
    TimedOut,
    TLSFailure,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)
from .resources import (
    APISERVICES,
    COMPUTEJOBS,
    COMPUTENODES,
    CONFIGMAPS,
    DEVICECLASSES,
    DISPATCHES,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    NETWORKPOLICIES,
    NODES,
    PODS,
    RESOURCECLAIMS,
    RESOURCEQUOTAS,
    RESOURCESLICES,
    ROLEBINDINGS,
    SECRETS,
    SELFSUBJECTACCESSREVIEWS,
    SELFSUBJECTREVIEWS,
    SERVICEACCOUNTS,
    SETTLEMENTS,
    SUBJECTACCESSREVIEWS,
    WORKLOADS,
    WORKLOADS_FORMERLY,
    Resource,
)
from .traffic import Traffic

if TYPE_CHECKING:
    from .fake import FakeCluster
    from .informer import Informer
    from .workqueue import WorkQueue, earliest

_LATER = {"FakeCluster": ".fake", "Informer": ".informer", "WorkQueue": ".workqueue", "earliest": ".workqueue"}


def __getattr__(name: str) -> Any:
    """A part that is loaded when it is first named."""
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(module, __name__), name)
    return found


__all__ = [
    "APISERVICES",
    "COMPUTEJOBS",
    "COMPUTENODES",
    "CONFIGMAPS",
    "DEVICECLASSES",
    "DISPATCHES",
    "EVENTS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "NETWORKPOLICIES",
    "NODES",
    "PODS",
    "RESOURCECLAIMS",
    "RESOURCEQUOTAS",
    "RESOURCESLICES",
    "ROLEBINDINGS",
    "SECRETS",
    "SELFSUBJECTACCESSREVIEWS",
    "SELFSUBJECTREVIEWS",
    "SERVICEACCOUNTS",
    "SETTLEMENTS",
    "SUBJECTACCESSREVIEWS",
    "WORKLOADS",
    "WORKLOADS_FORMERLY",
    "AlreadyExists",
    "ApiError",
    "Client",
    "ClusterError",
    "Conflict",
    "Credentials",
    "Expired",
    "FakeCluster",
    "Forbidden",
    "Informer",
    "Invalid",
    "InvalidCredentials",
    "KubernetesApi",
    "Listing",
    "NotFound",
    "Resource",
    "ServerFailure",
    "TLSFailure",
    "TimedOut",
    "TooManyRequests",
    "Traffic",
    "Unauthorized",
    "Undecodable",
    "UnexpectedAnswer",
    "Unreachable",
    "WatchEvent",
    "WorkQueue",
    "earliest",
    "identity_of",
]
