"""Names, labels, annotations and finalizers that Isthmus writes, in one place."""

import hashlib

GROUP = "isthmus.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
# The aggregated API that the hub serves itself.
QUERY_GROUP = f"query.{GROUP}"
QUERY_VERSION = "v1alpha1"
QUERY_API_VERSION = f"{QUERY_GROUP}/{QUERY_VERSION}"

# Labels on everything created in a member: only objects that carry both are ever deleted there.
LABEL_HUB = f"{GROUP}/hub"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "isthmus"
LABEL_NODE = f"{GROUP}/node"
LABEL_DISPATCH = f"{GROUP}/dispatch"
LABEL_JOB_NAMESPACE = f"{GROUP}/job-namespace"
LABEL_JOB_UID = f"{GROUP}/job-uid"
# A Job with it is suspended at its creation, and resumed, by Kueue, which some members run.
LABEL_QUEUE = "kueue.x-k8s.io/queue-name"
# On Kueue's Workload: the UID of the Job that it stands for.
LABEL_WORKLOAD_JOB = "kueue.x-k8s.io/job-uid"
# On a Job that only holds the name of one that must never be created again.
LABEL_PLACEHOLDER = f"{GROUP}/placeholder"
# On a hub namespace: the account that pays for its jobs.
LABEL_ACCOUNT = f"{GROUP}/account"
# In full where a label is too short for it (63 characters).
ANNOTATION_JOB_NAME = f"{GROUP}/job-name"
ANNOTATION_DISPATCH_UID = f"{GROUP}/dispatch-uid"
# On pods: their global completion index, and on pod templates the map that it is read from, LOCAL:GLOBAL for each row.
ANNOTATION_INDEX = f"{GROUP}/index"
ANNOTATION_INDEX_MAP = f"{GROUP}/index-map"
# On a member's pods: the machines that they are asked to go to, by name.
ANNOTATION_HINT = f"{GROUP}/hint"
# On a member's Job with a queue: the hub wants it stopped, and Kueue was told to leave it so.
ANNOTATION_HELD = f"{GROUP}/held"
# A pod scheduling gate: no pod runs before its global index is written on it.
GATE_INDEX = f"{GROUP}/index"
# On a ComputeNode: an instant; the operator's word that what was dispatched to it before then has stopped.
ANNOTATION_FORGET = f"{GROUP}/forget-before"
# On a ComputeJob: "ATTEMPT NODE", written with the finalizer before the Dispatch is, so that a hub that was killed
# between the two goes on with the same node and a create still under way can't make a second Dispatch elsewhere.
# An attempt in several shards names all their nodes, shard 0 first.
ANNOTATION_ASSIGNED = f"{GROUP}/assigned"
# On a Dispatch: the UID of the member's kube-system namespace, so that no other cluster is ever taken for it.
ANNOTATION_CLUSTER = f"{GROUP}/cluster"
# On a Dispatch: the placement's explanation and estimate as JSON, so that the ComputeJob's status can be made again.
ANNOTATION_PLACEMENT = f"{GROUP}/placement"
# On a Dispatch: what its pods hold by resource, model and price as JSON, so that it still counts after a restart.
ANNOTATION_HOLDING = f"{GROUP}/holding"
# On a Dispatch that is to make room: for which job, and from when it is stopped, as JSON.
ANNOTATION_PREEMPTION = f"{GROUP}/preemption"

FINALIZER_JOB = f"{GROUP}/dispatches"
FINALIZER_DISPATCH = f"{GROUP}/booking"
FINALIZER_NODE = f"{GROUP}/node"
FINALIZER_POD = f"{GROUP}/metering"

SYSTEM_NAMESPACE = "isthmus-system"
NODE_NAMESPACE_PREFIX = "isthmus-node-"
NODE_NAME_LIMIT = 50

# A pod of an Indexed Job is called NAME-INDEX-xxxxx, and NAME-INDEX is its hostname: a DNS label of at most 63
# characters. Completions are at most 10^9 (10 digits and a hyphen), so 52 is always safe.
_JOB_NAME_LIMIT = 52


def digest(*parts: str, length: int = 10) -> str:
    """Lower-case hexadecimal digest of the parts, `length` characters; parts can't run into each other."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


def node_namespace(node: str) -> str:
    """The hub namespace that holds the Dispatches of the ComputeNode `node`."""
    return NODE_NAMESPACE_PREFIX + node


def node_of_namespace(namespace: str) -> str | None:
    """The ComputeNode whose Dispatches stand in `namespace`, or None where it is another namespace."""
    return namespace.removeprefix(NODE_NAMESPACE_PREFIX) if namespace.startswith(NODE_NAMESPACE_PREFIX) else None


def tenant_namespace(hub_uid: str, namespace: str) -> str:
    """The member namespace of one tenant of one hub: two hubs, or two tenants, never share one."""
    return tenant_namespace_prefix(hub_uid) + digest(namespace, length=12)


def tenant_namespace_prefix(hub_uid: str) -> str:
    """How the names of all member namespaces of one hub begin."""
    return f"iwt-{digest(hub_uid, length=8)}-"


def dispatch_name(job_name: str, job_uid: str, shard: int, attempt: int) -> str:
    """Name of the Dispatch, and of its Job in the member: deterministic, and short enough for any index."""
    suffix = digest(job_uid, str(shard), str(attempt))
    prefix = job_name[: _JOB_NAME_LIMIT - len(suffix) - 1].replace(".", "-").rstrip("-")
    return f"{prefix}-{suffix}"
