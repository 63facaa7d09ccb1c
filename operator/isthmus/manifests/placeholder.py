"""The Job that holds the name of one that must never be created again."""

from collections.abc import Mapping

from isthmus.api import names
from isthmus.api.core import Manifest


def placeholder(dispatch_name: str, namespace: str, labels: Mapping[str, str]) -> Manifest:
    """A suspended Job without pods under the name of the Dispatch's Job.

    Where it can be created, the real Job is not there, and a creation still under way can no longer succeed. Its own
    label tells it from the real one, for an agent that stopped between creating it and reporting the shard lost.
    """
    container = {
        "name": "placeholder",
        "image": "placeholder:1",  # never pulled: the Job has no pods
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": dispatch_name,
            "namespace": namespace,
            "labels": {**labels, names.LABEL_PLACEHOLDER: "true"},
        },
        "spec": {
            "suspend": True,
            "parallelism": 0,
            "completions": 1,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [container],
                }
            },
        },
    }


def is_placeholder(labels: Mapping[str, str]) -> bool:
    """Whether the labels are those of a placeholder."""
    return names.LABEL_PLACEHOLDER in labels
