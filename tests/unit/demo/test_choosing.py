from typing import Any

from demo.choosing import choose_explained
from isthmus.api.computejob import ComputeJob


def job(name: str, *, scored: int, reasons: tuple[str, ...], winner: bool = True) -> ComputeJob:
    """A job on which nodes were judged."""
    nodes: list[dict[str, Any]] = [
        {"node": f"n{n}", "score": 90 - n, "parts": {"price": 90 - n}} for n in range(scored)
    ]
    nodes += [{"node": f"r{n}", "reason": reason, "message": "why"} for n, reason in enumerate(reasons)]
    explanation = {"winner": "n0" if winner else None, "nodes": nodes}
    manifest = {"metadata": {"name": name}, "spec": {"template": {}}, "status": {"explanation": explanation}}
    return ComputeJob.model_validate(manifest)


def test_the_fullest_explanation_is_chosen() -> None:
    """Competing nodes and different reasons go before many nodes of one sort; among equals the first name."""
    plain = job("a-plain", scored=4, reasons=())
    forced = job("b-forced", scored=1, reasons=("TierMismatch", "NeverFits", "NeverFits"))
    best = job("d-best", scored=2, reasons=("TierMismatch", "InsufficientCapacity"))
    equal = job("e-equal", scored=2, reasons=("TierMismatch", "InsufficientCapacity"))

    assert choose_explained([plain, equal, forced, best]) is best
    assert choose_explained([forced, plain]) is forced


def test_nothing_is_chosen_where_nothing_was_placed() -> None:
    """Pending jobs explain why not, and that is not what is shown."""
    pending = job("pending", scored=0, reasons=("NeverFits",), winner=False)
    bare = ComputeJob.model_validate({"metadata": {"name": "bare"}, "spec": {"template": {}}})
    assert choose_explained([pending, bare]) is None
