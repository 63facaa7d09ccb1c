"""What a job's template and its last placement say for its status. Pure."""

from collections.abc import Sequence

import msgspec

from isthmus.api.computejob import ComputeJob, Explanation, Money
from isthmus.api.core import JobSpec, Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.api.form import is_extended
from isthmus.api.names import ANNOTATION_PLACEMENT
from isthmus.capacity import effective_request
from isthmus.manifests import forms
from isthmus.placement import Unplaced, width_of


def size_of(
    job: ComputeJob, dispatches: Sequence[tuple[str, Dispatch]] = (), live: Sequence[tuple[str, Dispatch]] = ()
) -> tuple[int | None, int]:
    """Completions, and the accelerators that all pods at once ask for.

    Of a job with variants, those that its `live` shards ask for, else the last of its `dispatches`; before there is
    one, what the most demanding variant would.
    """
    completions, gpus = _size_of(job.spec.template)
    if job.spec.variants:
        placed = [_size_of(dispatch.spec.manifest["spec"])[1] for _, dispatch in live or dispatches[-1:]]
        gpus = sum(placed) if placed else max(_size_of(template)[1] for _, template in forms(job))
    return completions, gpus


def _size_of(template: Manifest) -> tuple[int | None, int]:
    spec = msgspec.convert(template, JobSpec, strict=False)
    request = effective_request(spec.template.spec)
    gpus = sum(count for name, count in request.items() if is_extended(name))
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
