"""Why a node can't take a ComputeJob, or could not now."""

from .reason import Reason, ReasonTable

VERDICTS = ReasonTable(
    "ComputeJob",
    "verdicts on nodes",
    "Why one node does not take the job, in `status.explanation`. Where a node is not Ready or its prices are not in "
    "force, the reason is the node's own.",
    (
        Reason("TierMismatch", "It is of another tier.", "Change `placement.tiers`."),
        Reason("RegionMismatch", "It stands in another region.", "Change `placement.regions`."),
        Reason("NodeSelectorMismatch", "It lacks a label, or has another value.", "Change `placement.nodeSelector`."),
        Reason("UntoleratedTaint", "It has a taint that the job does not tolerate.", "Change `placement.tolerations`."),
        Reason(
            "StopAllowanceTooShort",
            "The job has `onNodeLost: Rerun`, and its pods may take longer to stop than is waited for there before "
            "they are run again.",
            "Lower `terminationGracePeriodSeconds` in the pod template, or ask who runs the hub for a longer "
            "`spec.timing.stopAllowanceSeconds`.",
        ),
        Reason(
            "NotCleared",
            "It is not cleared for the class of the job's data.",
            "Change `placement.data.classification`, or ask who runs the hub for a clearance.",
            see="placement.md#filters",
        ),
        Reason(
            "ResidencyMismatch",
            "It is cleared for none of the jurisdictions where the job's data may be.",
            "Change `placement.data.residency`, or ask who runs the hub for a clearance.",
            see="placement.md#filters",
        ),
        Reason(
            "LatencyTooHigh",
            "It is farther from a region than the job allows.",
            "Change `placement.maxLatencyMilliseconds`.",
        ),
        Reason(
            "LatencyUnknown",
            "It states no latency to a region that the job must be near, or none that is in force.",
            "Ask who runs the hub to state it in `spec.network.latencies`.",
            see="placement.md#validity",
        ),
        Reason("Avoided", "It refused an earlier attempt of the job.", "See the attempt's message in `status.shards`."),
        Reason(
            "ModelNotOffered",
            "It has no accelerators of these models; the message names what it has, and the nearest model anywhere.",
            "Change `placement.accelerator.models`.",
        ),
        Reason(
            "AcceleratorMemoryTooSmall",
            "Its accelerators have less memory, or nothing tells how much.",
            "Change `placement.accelerator.minimumMemory`.",
        ),
        Reason(
            "PartitionNotOffered",
            "It does not offer that partition.",
            "Change `placement.accelerator.partitionProfile`.",
        ),
        Reason(
            "AcceleratorsNotLabelled",
            "No label tells the machines that would do from others with the same resource.",
            "Who runs the member labels its machines, for NVIDIA with GPU feature discovery.",
        ),
        Reason(
            "ResourceNotOffered",
            "None of its machines has a resource that the pods ask for.",
            "Check the resource's name.",
        ),
        Reason(
            "NeverFits",
            "Its machines could not hold the pods even if they were empty; the message names the largest.",
            "Ask for less on one machine, or lower `parallelism`.",
        ),
        Reason(
            "UntoleratedMachineTaints",
            "The pods do not tolerate the taints of its machines.",
            "Change `tolerations` in the pod template.",
        ),
        Reason(
            "MachineLabelMismatch",
            "No machine that would do has the labels of the pods' `nodeSelector`.",
            "Change `nodeSelector` in the pod template.",
        ),
        Reason(
            "InsufficientCapacity",
            "No room for all pods now, or of a split job for as many as are worth a shard; the message says for how "
            "many there is, and what is short.",
            "Wait.",
        ),
        Reason(
            "AccountNotAdmitted",
            "Its offer does not admit the account that pays.",
            "Ask who runs the hub.",
            see="placement.md#offers",
        ),
        Reason(
            "ShareTooSmall",
            "It lends less than the job needs at once, whoever else works there.",
            "Lower `parallelism`, or ask for less.",
            see="placement.md#offers",
        ),
        Reason(
            "ShareExhausted",
            "Its machines have room, but what it lends is held by other work; the message says what is left of it.",
            "Wait.",
            see="placement.md#offers",
        ),
        Reason(
            "NotOfferedNow",
            "It lends nothing at this hour; the message says when it does again.",
            "Wait.",
            see="placement.md#offers",
        ),
        Reason(
            "QueuedByMember",
            "A queue of the member's own decides when its Jobs begin, and the job has `onNodeLost: Rerun`.",
            "Use `Wait`, or let it go elsewhere.",
            see="placement.md#offers",
        ),
        Reason(
            "QuotaExceeded",
            "What the job would hold there is more than its account's quota leaves.",
            "Wait, or ask who runs the hub.",
            see="placement.md#quotas-and-ceilings",
        ),
        Reason(
            "SpendCeilingReached",
            "At its prices the job would take its account over its ceiling.",
            "Wait, or ask who runs the hub.",
            see="placement.md#quotas-and-ceilings",
        ),
        Reason(
            "Reserved",
            "It would have room, but keeps that for a job that comes before this one.",
            "Wait.",
            see="placement.md#gangs-reservations-and-preemption",
        ),
        Reason("NoMachines", "None of its machines takes pods at the moment.", "Wait; ask who runs the member."),
        Reason(
            "ModelUnpriced",
            "Its tariff has no price for its accelerators.",
            "Ask who runs the hub.",
            see="nodes.md#tariff",
        ),
        Reason("Cordoned", "It takes no new work.", "Ask who runs the hub."),
        Reason("Drained", "Its work is moved away, and it takes no new.", "Ask who runs the hub."),
        Reason("Deleting", "It is being removed."),
        Reason("Other", "In the counts: the rarest reasons together."),
    ),
)
