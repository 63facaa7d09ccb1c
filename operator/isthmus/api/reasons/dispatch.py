"""Why an attempt of a ComputeJob, or a part of it, came to nothing on its node."""

from .reason import Reason, ReasonTable

SHARDS = ReasonTable(
    "Dispatch",
    "lost and refused shards",
    "Why a shard is Lost or Refused, in the status of its Dispatch; its message also stands in `status.shards` of the "
    "ComputeJob. What is missing runs again by itself, as another attempt.",
    (
        Reason(
            "MemberInvalid",
            "Refused: the member's API server finds the Job malformed.",
            "Read the message: its Kubernetes may be older than the hub's, or its admission policies want more.",
        ),
        Reason(
            "MemberForbidden",
            "Refused: the member does not allow the Job: its admission, a quota, or the hub's rights there.",
            "Ask who runs the member, with the message.",
        ),
        Reason(
            "MemberNamespaceTaken",
            "Refused: somebody else has a namespace of the tenant's name in the member.",
            "Ask who runs the member to remove it.",
        ),
        Reason(
            "JobVanished",
            "Lost: the Job is gone from the member, and Isthmus did not delete it.",
            "Look in the member for who deletes Jobs in the namespaces `iwt-*`.",
        ),
        Reason("NeverCreated", "Lost: the hub stopped before the Job was made; nothing of it ever ran."),
        Reason("NeverAccepted", "Lost: the node was out of reach before it took it; nothing of it ever ran."),
        Reason(
            "Fenced",
            "Lost: the node is out of reach, and the member has stopped the work by itself.",
            "See why the node is out of reach.",
            see="jobs.md#when-a-node-is-lost",
        ),
        Reason(
            "Unfenced",
            "Lost: the node has been silent for its `fenceAfterSeconds`, and the job has `RerunUnfenced`.",
            "See why the node is out of reach.",
            see="jobs.md#when-a-node-is-lost",
        ),
        Reason(
            "Forgotten",
            "Lost: the annotation `isthmus.dev/forget-before` says that it has stopped.",
            see="nodes.md#a-node-that-does-not-come-back",
        ),
        Reason(
            "StoppedByPause",
            "Lost: pods were stopped for a pause or a drain, and a FailJob rule of the template matches that.",
            "Have the rule of `podFailurePolicy` match what the program itself ends with, and not SIGTERM.",
            see="jobs.md#suspend-cancel-delete",
        ),
    ),
)
