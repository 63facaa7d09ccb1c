"""Why a ComputeJob made room for another."""

from .reason import Reason, ReasonTable

PREEMPTED = ReasonTable(
    "ComputeJob",
    "Preempted",
    "There only when a job with `placement.preemptible` has to make room, and False again once all of it that is not "
    "done stands somewhere. Each time is also an event.",
    (
        Reason(
            "Preempted",
            "A job of higher priority found no room; shards of this one are stopped for it at the time that the "
            "message gives, or were. What they have not finished runs again elsewhere or later.",
            "Wait; leave out `placement.preemptible` in jobs that must not be stopped.",
            see="placement.md#gangs-reservations-and-preemption",
        ),
        Reason("Progressing", "The condition is False: what was stopped stands again, or was spared."),
    ),
)
