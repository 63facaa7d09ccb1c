from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import demand

from isthmus.api.dispatch import Dispatch
from isthmus.hub.holdings import Holdings
from isthmus.placement import Assumption


def dispatch(
    sequence: int, cores: int = 1, *, parallelism: int = 1, state: str = "Running", succeeded: int = 0, **job: Any
) -> Dispatch:
    """A shard of pods of so many cores."""
    container = {"name": "main", "image": "i", "resources": {"requests": {"cpu": str(cores)}}}
    manifest = {"spec": {"parallelism": parallelism, "template": {"spec": {"containers": [container]}}, **job}}
    spec = {
        "job": {"namespace": "team", "name": "job", "uid": "u"},
        "account": "team",
        "shard": 0,
        "attempt": 1,
        "sequence": sequence,
        "manifest": manifest,
    }
    metadata = {"name": f"d-{sequence}", "uid": f"u-{sequence}", "resourceVersion": "1"}
    return Dispatch.model_validate(
        {"metadata": metadata, "spec": spec, "status": {"state": state, "succeeded": succeeded}}
    )


def sums(holdings: Holdings, *live: Dispatch, assumed: tuple[Assumption, ...] = ()) -> dict[str, int]:
    """What is held, zeros left out."""
    return {name: amount for name, amount in holdings.sums(live, assumed).items() if amount}


def test_all_pods_of_what_has_not_ended() -> None:
    """What is held is what all pods of a shard ask for at once, whether they run yet or are suspended."""
    first, second = dispatch(1, 2, parallelism=3), dispatch(2, state="Suspended")
    assert sums(Holdings(), first, second) == {"cpu": 7000, "pods": 4}


def test_kept_up() -> None:
    """Once asked, it follows each change; a tail holds what it has yet to do, and what has ended nothing."""
    holdings = Holdings()
    assert sums(holdings) == {}
    holdings.put(dispatch(1, parallelism=4, completions=5))
    holdings.put(dispatch(2))
    assert sums(holdings) == {"cpu": 5000, "pods": 5}
    holdings.put(dispatch(1, parallelism=4, completions=5, succeeded=3))
    assert sums(holdings) == {"cpu": 3000, "pods": 3}
    holdings.put(dispatch(2, state="Failed"))
    assert sums(holdings) == {"cpu": 2000, "pods": 2}
    holdings.drop("d-1")
    holdings.drop("d-1")
    assert sums(holdings) == {}


def test_what_is_not_written_yet_counts_once() -> None:
    """What is about to be written is held too, and once it is written is not counted again."""
    holdings, coming = Holdings(), (Assumption(1, demand(), 2), Assumption(2, demand(), 1))
    assert sums(holdings, assumed=coming)["cpu"] == 3000
    holdings.put(dispatch(1, parallelism=2))
    assert sums(holdings, assumed=coming)["cpu"] == 3000
    holdings.put(dispatch(2))
    assert sums(holdings, assumed=coming)["cpu"] == 3000
    assert sums(holdings, assumed=())["cpu"] == 3000


_STATES = st.sampled_from(("Running", "Succeeded", None))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), _STATES), max_size=12))
def test_as_if_summed_up_anew(changes: list[tuple[int, int, str | None]]) -> None:
    """After any changes it says what one says that is asked first now."""
    holdings = Holdings()
    there: dict[int, Dispatch] = {}
    holdings.sums((), ())
    for number, width, state in changes:
        if state is None:
            there.pop(number, None)
            holdings.drop(f"d-{number}")
        else:
            there[number] = dispatch(number, number, parallelism=4, completions=4, succeeded=width, state=state)
            holdings.put(there[number])
    assert sums(holdings) == sums(Holdings(), *there.values())
