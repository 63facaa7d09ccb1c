"""What a job's template and its last placement say for its status. Pure."""

from collections.abc import Sequence

import msgspec

from isthmus.api.computejob import Explanation, Money
from isthmus.api.core import JobSpec, Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_PLACEMENT
from isthmus.capacity import effective_request
from isthmus.placement import Unplaced, width_of


def size_of(template: Manifest) -> tuple[int | None, int]:
    """Completions, and the accelerators that all pods at once ask for."""
    spec = msgspec.convert(template, JobSpec, strict=False)
    request = effective_request(spec.template.spec)
    gpus = sum(count for name, count in request.items() if "/" in name and not name.startswith("hugepages-"))
    completions = spec.completions
    if completions is None and spec.parallelism in (None, 1):
        completions = 1  # as the API server's defaults say
    return completions, gpus * width_of(spec)


def placement_of(
    dispatches: Sequence[tuple[str, Dispatch]], unplaced: Unplaced | None
) -> tuple[Explanation | None, Money | None]:
    """What placement said: with the last Dispatch where there is one, else the last cycle's word."""
    if dispatches:
        text = (dispatches[-1][1].metadata.get("annotations") or {}).get(ANNOTATION_PLACEMENT)
        if text:
            stored = msgspec.json.decode(text)
            estimate = stored.get("estimate")
            return (
                Explanation.model_validate(stored["explanation"]),
                Money.model_validate(estimate) if estimate else None,
            )
        return None, None
    return (unplaced.explanation if unplaced else None), None
