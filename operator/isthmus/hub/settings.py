"""What the hub is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from isthmus.api.names import SYSTEM_NAMESPACE

from .address import Address


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Settings of one hub process; `kubeconfig` None means the pod's own ServiceAccount."""

    kubeconfig: Path | None
    context: str | None
    ledger: str
    currency: str
    system_namespace: str = SYSTEM_NAMESPACE
    allow_exec: bool = False
    http: Address | None = None
    """Where health, readiness and metrics are served; None is nowhere."""
    query: Address | None = None
    """Where the query API is served; None serves none."""
    query_service: str = "isthmus-query"
    """Name of its Service in the system namespace."""
    accounts: Path | None = None
    """The accounts' file; None has every account weigh the same, and none limited."""
    accelerators: list[dict[str, object]] = field(default_factory=list)
