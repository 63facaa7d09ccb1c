"""What the conditions of a ComputeJob give as their reasons, but for where it can run and why it stands still."""

from .reason import Reason, ReasonTable

ADMITTED = ReasonTable(
    "ComputeJob",
    "Admitted",
    "Whether the template is one that can run. A job that is not Admitted is Failed, with the same reason.",
    (
        Reason("TemplateValid", "It can."),
        Reason(
            "NotSplittable",
            "It can, on one node at a time: `placement.split` is ByIndex, and the message says why it can't be split.",
            "Change what is named, or leave it so.",
            see="jobs.md#split-over-nodes",
        ),
        Reason(
            "TemplateInvalid",
            "The API server refuses it, in its own words, or it is no JobSpec at all.",
            "Mend the field that is named.",
        ),
        Reason(
            "FieldNotAllowed",
            "It sets `selector`, `manualSelector`, `managedBy` or pod finalizers.",
            "Remove the field.",
        ),
        Reason(
            "VariantInvalid",
            "One of its variants changes a container that the template does not have.",
            "Name one that it has, or leave `container` out.",
            see="placement.md#variants",
        ),
        Reason(
            "ReservedKey",
            "A label, annotation or scheduling gate of the pods begins with `isthmus.dev/`.",
            "Take a key of your own domain.",
        ),
        Reason(
            "MissingReference",
            "It names an object that is not in the member.",
            "Put the values into the template or the image, or mark the reference optional.",
        ),
        Reason(
            "TooManyPodFailureRules",
            "Its `podFailurePolicy` has 20 rules, and Isthmus must put one before them.",
            "Leave at most 19, or write the rule that ignores DisruptionTarget first yourself.",
        ),
        Reason("TemplateTooLarge", "It is longer than 256 KiB.", "Move scripts and data into the image."),
        Reason("TemplateTooDeep", "It is nested more than 64 levels deep.", "Take out the field that is."),
    ),
)
PLACED = ReasonTable(
    "ComputeJob",
    "Placed",
    "Whether the job was given to a node. Where it was not, the reason is that of all nodes where they share one (see "
    "the verdicts on nodes), and one of these where they do not. Where the hub's own API server can't be asked about "
    "the template, it is that error's, as under Reachable; the hub asks again.",
    (
        Reason("Dispatched", "It was; the message names the node."),
        Reason(
            "Draining",
            "It was placed, can't be run in part, and its node is being drained. The message says whether it is "
            "stopped there to be moved, or stays because part of it is done.",
        ),
        Reason(
            "Preempting",
            "No node has room now; on one of them work of lower priority is being stopped, and its room is kept for "
            "the job. The message names it.",
            "Wait.",
            see="placement.md#gangs-reservations-and-preemption",
        ),
        Reason(
            "Reserved",
            "Some nodes have room now, but it is kept for jobs that come before it; the message names them where the "
            "same account pays.",
            "Wait.",
            see="placement.md#gangs-reservations-and-preemption",
        ),
        Reason("Suspended", "It waits for `spec.suspend`.", "Set it to false."),
        Reason("NoNodes", "The hub has no ComputeNodes.", "Ask who runs the hub."),
        Reason(
            "NoSuitableNode",
            "No node could ever run it, for several reasons; the message counts them.",
            "Change the placement or the requests.",
        ),
        Reason(
            "ContradictoryConstraints",
            "No node could ever run it, as two of its constraints can't be met together; the message names both.",
            "Change one of the two.",
            see="placement.md#contradictions",
        ),
        Reason(
            "InsufficientCapacity",
            "Some nodes could, and have no room now.",
            "Wait; it starts within a second of room appearing.",
        ),
        Reason(
            "QuotaExceeded",
            "With it, its account would hold more than its quota allows; the message has all figures.",
            "Wait; it starts as soon as there is room under the quota. Or ask who runs the hub for a larger one.",
            see="placement.md#quotas-and-ceilings",
        ),
        Reason(
            "SpendCeilingReached",
            "With it, what runs of its account would cost more an hour than its ceiling allows.",
            "Wait, or ask who runs the hub.",
            see="placement.md#quotas-and-ceilings",
        ),
        Reason(
            "NodesUnavailable",
            "Some nodes could, and are away, cordoned or without prices in force.",
            "Wait, or ask who runs the hub.",
        ),
        Reason(
            "DispatchFailed",
            "The hub could not write the Dispatch; it tries again.",
            "The message says what the API server refused.",
        ),
        Reason("InternalError", "Placement failed on this job.", "See the hub's log, and report it."),
    ),
)
LATE = ReasonTable(
    "ComputeJob",
    "Late",
    "There only once `spec.deadline` has passed before the job was done, and False again if it is moved.",
    (
        Reason(
            "DeadlinePassed",
            "It has; the job goes on.",
            "Cancel the job if it is of no use any more, or move the deadline.",
            see="placement.md#deadlines",
        ),
        Reason("InTime", "The condition is False: the deadline was moved or taken out."),
    ),
)
COMPLETE = ReasonTable(
    "ComputeJob",
    "Complete",
    "There and True once the job has succeeded, as on a Job.",
    (
        Reason("CompletionsReached", "As many pods as wanted succeeded."),
        Reason("SuccessPolicy", "The `successPolicy` was met."),
        Reason("PodsSucceeded", "The Job vanished from the member, but all its pods had succeeded."),
    ),
)
FAILED = ReasonTable(
    "ComputeJob",
    "Failed",
    "There and True once the job has failed, as on a Job, with a reason of the member's Job controller or one of "
    "Isthmus; or one of those under Admitted. Before that, while its last pods are still being stopped, the condition "
    "FailureTarget gives the same reason and message.",
    (
        Reason(
            "BackoffLimitExceeded",
            "More pods failed than `backoffLimit` allows, in one Job or over all nodes together.",
            "Find out why they fail: from the pods' logs, or their events. Then make a new job.",
        ),
        Reason(
            "DeadlineExceeded",
            "`activeDeadlineSeconds` of the template is over, over all attempts.",
            "Make a new job with a longer one.",
        ),
        Reason(
            "PodFailurePolicy",
            "A rule of `podFailurePolicy` failed the job.",
            "The message names the rule and the pod.",
        ),
        Reason("FailedIndexes", "Some indexes failed; `status.failedIndexes` has them.", "Make a new job for these."),
        Reason(
            "MaxFailedIndexesExceeded",
            "More indexes failed than `maxFailedIndexes` allows, in one Job or over all nodes together.",
            "Find out why they fail, then make a new job.",
        ),
        Reason("Cancelled", "`spec.cancel` was set."),
        Reason(
            "PartlyLost",
            "The Job vanished from the member when some of its pods had succeeded, and the rest can't run alone.",
            "Apply the job anew to run it as a whole again.",
        ),
        Reason(
            "TooManyAttempts",
            "64 attempts one after another were refused or lost before anything succeeded in them. While a shard from "
            "before them goes on, the job does too.",
            "See the messages in `status.shards`.",
        ),
    ),
)
EVENTS = ReasonTable(
    "ComputeJob",
    "events",
    "Each change of a condition is also an event with the same reason and message. These tell what is no condition:",
    (
        Reason("Suspended", "The job's pods are stopped."),
        Reason("Resumed", "They may run again."),
        Reason(
            "ShardRefused",
            "A node refused the job; another is looked for.",
            "See the attempt's message in `status.shards`.",
        ),
        Reason(
            "ShardLost",
            "The member's Job vanished, or never came to be, or its node was lost; another attempt is made.",
            see="jobs.md#when-a-node-is-lost",
        ),
    ),
)
