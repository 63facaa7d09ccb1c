"""One kubeconfig for several clusters of the testbed, as people have them."""

from collections.abc import Mapping
from typing import Any

import yaml

from testbed import Cluster


def contexts(clusters: Mapping[str, Cluster], current: str = "hub") -> str:
    """The text of a kubeconfig with a context for each cluster, of its name, for its administrator."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": current}
    for name, cluster in clusters.items():
        config = yaml.safe_load(cluster.kubeconfig().read_text())
        context = {"cluster": name, "user": f"{name}-admin"}
        merged.setdefault("clusters", []).append({**config["clusters"][0], "name": name})
        merged.setdefault("users", []).append({**config["users"][0], "name": f"{name}-admin"})
        merged.setdefault("contexts", []).append({"name": name, "context": context})
    text: str = yaml.safe_dump(merged)
    return text
