"""Every metric of the hub: name, kind, labels and meaning, in one place. The reference page is rendered from it.

Names follow Prometheus: base units, a counter ends in `_total`. No label names a job or a namespace, and accounts are
those that the accounts' file names, all others being summed up, so the number of series is bounded by that of nodes,
resources, reasons and lines of that file. Pure.
"""

from dataclasses import dataclass
from typing import Literal

# A cycle over a few nodes takes well under a millisecond, one of thousands of jobs over a hundred nodes a tenth second.
STEP_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# From a job that finds room at once to one that waits for it for hours.
LATENCY_BUCKETS = (0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds, of a histogram."""


BUILD_INFO = Metric("isthmus_build_info", "gauge", "Always 1; the labels say what runs.", ("version", "python_version"))
READY = Metric("isthmus_ready", "gauge", "Whether /readyz answers 200: 1 or 0.")
PERMISSIONS_MISSING = Metric(
    "isthmus_permissions_missing", "gauge", "Permissions that the hub needs in its own cluster and has not."
)

PLACEMENT_ATTEMPTS = Metric(
    "isthmus_placement_attempts_total",
    "counter",
    "Jobs looked at by scheduling cycles, by result: Placed (whole or in part), Unplaced (it waits for room or for a "
    "node), Impossible (no node could ever run it), Error.",
    ("result",),
)
PLACEMENT_STEP = Metric(
    "isthmus_placement_step_seconds",
    "histogram",
    "Time that a step of a scheduling cycle took: Snapshot (of the fleet), Decide (which job goes where), Commit (room "
    "is set aside, and the dispatcher told).",
    ("step",),
    STEP_BUCKETS,
)
PREEMPTIONS = Metric(
    "isthmus_preemptions_total",
    "counter",
    "Shards of preemptible jobs that were chosen to be stopped for a job of higher priority.",
)
DISPATCH_LATENCY = Metric(
    "isthmus_dispatch_latency_seconds",
    "histogram",
    "Time from a ComputeJob's creation to its first attempt's Dispatches being written (DispatchWritten), and to each "
    "of that attempt's Jobs standing in a member (JobCreated). Jobs that begin suspended are left out.",
    ("until",),
    LATENCY_BUCKETS,
)
HINTS = Metric(
    "isthmus_hints_total",
    "counter",
    "Pods bound in members that were asked to go to certain machines, by whether the member's scheduler put them on "
    "one of these: true or false.",
    ("followed",),
)
JOBS = Metric("isthmus_jobs", "gauge", "ComputeJobs by phase.", ("phase",))
PENDING_JOBS = Metric(
    "isthmus_pending_jobs",
    "gauge",
    "ComputeJobs in phase Pending, by why they are: the reason of their condition Placed or Admitted, or Queued where "
    "no cycle has looked at them yet.",
    ("reason",),
)

NODES = Metric("isthmus_nodes", "gauge", "ComputeNodes by tier and schedulingState.", ("tier", "scheduling_state"))
NODE_CONDITION = Metric(
    "isthmus_node_condition",
    "gauge",
    "A ComputeNode's conditions (Ready, Reachable, Schedulable, PriceCurrent, FiguresCurrent): 1 for the status that "
    "it has, else 0.",
    ("node", "condition", "status"),
)
NODE_ALLOCATABLE = Metric(
    "isthmus_node_allocatable",
    "gauge",
    "What a node's machines that take pods have, by resource, in the unit of the label: core, byte or integer. Absent "
    "while the member is not followed; accelerators stand apart.",
    ("node", "resource", "unit"),
)
NODE_FREE = Metric(
    "isthmus_node_free",
    "gauge",
    "What of isthmus_node_allocatable no pod and no Dispatch on its way holds.",
    ("node", "resource", "unit"),
)
NODE_ACCELERATORS = Metric(
    "isthmus_node_accelerators",
    "gauge",
    "Accelerators of a node's machines that take pods; model with its partition, as meters and tariffs name it.",
    ("node", "vendor", "resource", "model"),
)
NODE_ACCELERATORS_FREE = Metric(
    "isthmus_node_accelerators_free",
    "gauge",
    "Accelerators that no pod and no Dispatch on its way holds.",
    ("node", "vendor", "resource", "model"),
)
NODE_MACHINES = Metric("isthmus_node_machines", "gauge", "Machines of a node that take pods.", ("node",))
NODE_SHARDS = Metric("isthmus_node_shards", "gauge", "Shards that stand on a node.", ("node",))
NODE_SILENCE = Metric("isthmus_node_silence_seconds", "gauge", "Time since a node's member last answered.", ("node",))

ACCOUNTS_CURRENT = Metric(
    "isthmus_accounts_current",
    "gauge",
    "Whether the accounts' file is in force as it is now: 1, or 0 where it is wrong and what it said before counts. "
    "Absent without such a file.",
)
ACCOUNT_SHARE = Metric(
    "isthmus_account_share",
    "gauge",
    "An account's dominant share of the fleet on average of late, 0 to 1, not divided by its weight. Accounts that the "
    "file names each have a series; all others are summed up in the one whose account is empty.",
    ("account",),
)
ACCOUNT_WEIGHT = Metric("isthmus_account_weight", "gauge", "The weight of an account that is named.", ("account",))
ACCOUNT_HOLDING = Metric(
    "isthmus_account_holding",
    "gauge",
    "What an account's shards hold now, by resource, in the unit of the label: core, byte or integer.",
    ("account", "resource", "unit"),
)
ACCOUNT_SPEND = Metric(
    "isthmus_account_spend_per_hour",
    "gauge",
    "What an account's shards cost by the hour, in the currency that the hub bills in.",
    ("account",),
)

LEDGER_LAG = Metric(
    "isthmus_ledger_lag_seconds", "gauge", "Age of the oldest meter reading that is not booked yet; 0 where all are."
)
LEDGER_READINGS = Metric(
    "isthmus_ledger_readings_total",
    "counter",
    "Meter readings offered to the ledger, by what became of them: Booked, Replayed (it was there) or Conflict.",
    ("outcome",),
)
LEDGER_LINES = Metric("isthmus_ledger_lines_total", "counter", "Lines of statements booked: one a reading and meter.")
LEDGER_FAILURES = Metric(
    "isthmus_ledger_failures_total", "counter", "Transactions that the ledger failed on; they are repeated."
)

API_REQUESTS = Metric(
    "isthmus_api_requests_total",
    "counter",
    "Requests to the hub's API (cluster is empty) or to a node's member, by verb; kopf's own are not counted.",
    ("cluster", "verb"),
)
API_FAILURES = Metric(
    "isthmus_api_failures_total",
    "counter",
    "Requests and watches that failed, by verb and reason; among them answers that are expected, such as NotFound.",
    ("cluster", "verb", "reason"),
)
WATCH_RESTARTS = Metric(
    "isthmus_watch_restarts_total",
    "counter",
    "Watches and their lists that broke and were begun again; cluster is empty for the hub's API, and kopf's are not "
    "counted.",
    ("cluster", "resource"),
)
WORKQUEUE_DEPTH = Metric("isthmus_workqueue_depth", "gauge", "Keys of a work queue that wait for a worker.", ("name",))
WORKQUEUE_RETRIES = Metric(
    "isthmus_workqueue_retries_total",
    "counter",
    "Runs of a work queue's handler that failed and are repeated.",
    ("name",),
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
