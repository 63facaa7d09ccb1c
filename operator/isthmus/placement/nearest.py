"""Which model a job may have meant that asks for one nobody has."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

_CUTOFF = 0.6
_SEPARATORS = re.compile(r"[-_\s/]+")


def nearest_models(wanted: Iterable[str], offered: Sequence[str]) -> tuple[str, ...]:
    """For each wanted model the offered one most like it, where any is like it at all.

    A model is compared by its words too: A100 is what is like H100 in NVIDIA-A100-SXM4-80GB.
    """
    found: dict[str, None] = {}
    for name in wanted:
        best = max(((_likeness(name, model), model) for model in offered), key=lambda pair: pair[0], default=(0.0, ""))
        if best[0] >= _CUTOFF:
            found[best[1]] = None
    return tuple(found)


def _likeness(wanted: str, model: str) -> float:
    """0..1, the best over the model and its words; at the last, models are told apart by the likeness of the whole."""
    name, whole = wanted.casefold(), model.casefold()
    words = [word for word in _SEPARATORS.split(whole) if word]
    entire = SequenceMatcher(None, name, whole).ratio()
    return max([entire, *(SequenceMatcher(None, name, word).ratio() for word in words)]) + entire / 1000
