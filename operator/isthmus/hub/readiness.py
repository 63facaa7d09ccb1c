"""Whether the hub acts: what keeps it from that, each reason in one line for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from isthmus.clusters import Informer

from .permissions import in_words

if TYPE_CHECKING:  # the hub makes what is looked at here
    from .hub import Hub

# Watches are cut and stand again all the time; one that does not for so long shows what was, not what is.
BROKEN_SECONDS = 15.0


def reasons(hub: "Hub") -> Iterator[str]:
    """Why the hub is not ready; none where it is."""
    yield from ended(hub)
    if not hub.began:
        yield "the hub is beginning: its lists are being read"
    for what, informer in hub.informers():
        yield from _watched(what, informer)
    unseen = hub.fleet.unseen()
    if unseen:
        yield f"{unseen} ComputeNodes are not seen yet"
    for missing in in_words(hub.permissions.missing):
        yield f"the hub is not permitted to {missing}"
    for vital in hub.vitals:
        trouble = vital.trouble()
        if trouble is not None:
            yield trouble
    if hub.booking.trouble:
        yield f"booking fails: {hub.booking.trouble}"
    if hub.scheduler.trouble:
        yield f"scheduling cycles fail: {hub.scheduler.trouble}"
    if hub.query is not None and hub.query.problem:
        yield f"the query API can't be asked: {hub.query.problem}"


def ended(hub: "Hub") -> Iterator[str]:
    """Which of the hub's loops have ended, though none may while the process lives."""
    for task in hub.tasks:
        if task.done():
            yield f"{task.get_name()} has ended"


def _watched(what: str, informer: Informer[Any]) -> Iterator[str]:
    words = str(informer.error) if informer.error is not None else "no answer yet"
    if not informer.synced.is_set():
        yield f"{what} are not listed yet: {words}"
        return
    broken = informer.broken_seconds()
    if broken is not None and broken >= BROKEN_SECONDS:
        yield f"the watch on {what} has been broken for {broken:.0f} s: {words}"
