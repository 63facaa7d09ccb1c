from tests.unit.placement.fleets import A100, GPU, demand, profile, shape

from isthmus.capacity import Profile
from isthmus.hub.hinting import Hinting

TORN = profile(shape(accelerator=A100, free={GPU: 4}), shape(accelerator=A100, free={GPU: 3}))
WHOLE = profile(shape(2, accelerator=A100))


def free(hinting: Hinting, name: str, figures: Profile = TORN) -> int | None:
    """The GPUs that are free on the machine in mind for a pod of one."""
    hint = hinting.hint(name, figures, demand(gpus=1))
    return None if hint is None else hint.free[GPU]


def test_what_jobs_ask_for_decides() -> None:
    """A hint goes by the jobs that have come by then, on every node, and by the node's latest figures."""
    hinting = Hinting()
    assert free(hinting, "a") == 3
    for number in range(64):
        hinting.asked.note(demand(str(number), gpus=3))
    assert free(hinting, "a") == free(hinting, "b") == 4
    assert free(hinting, "a", WHOLE) == 8
    assert free(hinting, "a", profile(shape(accelerator=A100, free={GPU: 4}))) == 4
    assert free(hinting, "a", profile()) is None
    assert free(hinting, "a", TORN) == 4


def test_measured_anew_only_where_something_changed() -> None:
    """New figures of the same kinds of machine keep what was worked out; other kinds and other jobs do not."""
    hinting = Hinting()
    free(hinting, "a", TORN)
    before = hinting._figures["a"].losses
    free(hinting, "a", WHOLE)
    assert hinting._figures["a"].losses is before
    free(hinting, "a", profile(shape(3, accelerator=A100)))
    other = hinting._figures["a"].losses
    assert other is not before
    hinting.asked.note(demand("new", gpus=2))
    free(hinting, "a", profile(shape(3, accelerator=A100)))
    assert hinting._figures["a"].losses is not other
    hinting.drop("a")
    assert not hinting._figures
