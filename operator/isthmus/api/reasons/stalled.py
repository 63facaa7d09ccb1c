"""Why a ComputeJob does not get on."""

from .reason import Reason, ReasonTable

STALLED = ReasonTable(
    "ComputeJob",
    "Stalled",
    "There only when the job does not get on, and False again as soon as it does.",
    (
        Reason(
            "NodeUnreachable",
            "The member has been out of reach for 5 s or more, or its node was removed. The message says what the job "
            "waits for.",
            "Wait, or delete the job.",
            see="jobs.md#when-a-node-is-lost",
        ),
        Reason(
            "Unschedulable",
            "Pods find no machine in the member.",
            "Read the message, which is the member's scheduler's; wait for room, or change what the pods ask for.",
        ),
        Reason(
            "NoScheduler",
            "No scheduler of the member has said anything of pods that are a minute old.",
            "Ask who runs the member: the scheduler that the template or the node's `spec.offer.schedulerName` names "
            "does not run there, or is far behind.",
            see="members-queue.md#volcano-or-another-scheduler",
        ),
        Reason(
            "NoPods",
            "The Job is in the member and no pod of it was made for 30 s or more.",
            "Read the Job's events in the member: a quota, PodSecurity, an admission policy, or controllers that are "
            "down.",
        ),
        Reason(
            "QueuedInMember",
            "The Job has waited for 5 s or more in a queue of the member's own (Kueue), be it that it never began or "
            "that it was preempted there; or it is to be suspended or to go on, and the queue has yet to be told. The "
            "message says why, in the queue's words, asked for once a minute, or in those of the member's API.",
            "Wait, or ask who runs the member. To have it run elsewhere, cordon the node and make the job anew.",
            see="members-queue.md#what-users-are-told",
        ),
        Reason(
            "SuspendedByMember",
            "Somebody in the member suspends the Job whenever it is resumed. It is resumed again, once a minute in the "
            "end.",
            "Ask who runs the member: where a queue does it that takes Jobs without its label, such as Kueue with "
            "`manageJobsWithoutQueueName`, the label belongs into the node's `spec.offer.labels`.",
            see="members-queue.md#what-happens-then",
        ),
        Reason(
            "ControllersSilent",
            "For 30 s or more the member's Job controller has not done what nothing else can do: count pods that "
            "ended, stop those of a suspended Job, or go on with a resumed one. The message says which, and what else "
            "shows that it is silent.",
            "Ask who runs the member: its `kube-controller-manager` is down, or far behind.",
        ),
        Reason(
            "Terminating",
            "Pods were to have ended a minute ago or more, and have not. What waits for them waits: a drain, a pause, "
            "cancelling, deletion.",
            "Ask who runs the member: as a rule the machine is down; once its Node object is gone, so are they.",
        ),
        Reason(
            "DeletionOverdue",
            "The job was deleted a minute ago or more, and nodes within reach have not cleared away their part.",
            "Look at its pods in the member, or ask who runs the hub.",
        ),
        Reason(
            "ErrImagePull",
            "The image can't be pulled; soon `ImagePullBackOff`.",
            "Check the image's name, and that the member can pull it without a secret.",
        ),
        Reason("ImagePullBackOff", "As `ErrImagePull`, for longer.", "See `ErrImagePull`."),
        Reason("InvalidImageName", "The image's name is none.", "Make a new job with the name mended."),
        Reason(
            "ErrImageNeverPull", "The image is not on the machine, and must not be pulled.", "Check `imagePullPolicy`."
        ),
        Reason("ImageInspectError", "The machine can't read the image.", "Ask who runs the member."),
        Reason(
            "CreateContainerConfigError",
            "The container's configuration can't be made.",
            "The message says what is missing.",
        ),
        Reason("CreateContainerError", "The container can't be made.", "The message says why."),
        Reason("RunContainerError", "The container can't be started.", "Often the command is wrong."),
        Reason(
            "CrashLoopBackOff",
            "With `restartPolicy: OnFailure`, the container fails again and again.",
            "See its logs in the member.",
        ),
        Reason("Progressing", "The condition is False: it gets on again."),
    ),
)
