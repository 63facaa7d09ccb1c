"""The garbage collector of processes that keep many objects and free nearly all others by counting references."""

import gc

# Reference counts free nearly all there is; a collector that walks through all jobs every 700 objects that are made
# would cost an eighth of the hub's time, and more with each job that is kept.
THRESHOLDS = (50_000, 20, 50)


def collect_seldom() -> None:
    """Look through what is made from now on seldom, and never again through what was imported until now."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
