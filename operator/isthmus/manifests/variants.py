"""A job's template in each of its forms, as they are judged and run."""

from collections.abc import Iterator, Sequence
from typing import Any

from isthmus.api.computejob import ComputeJob
from isthmus.api.form import container_names, in_form
from isthmus.api.hardware import Variant

from .template import Refusal

VARIANT_INVALID = "VariantInvalid"


def forms(job: ComputeJob) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The variants' names, each with the JobSpec as it has it; of a job without, the template under no name."""
    if not job.spec.variants:
        yield None, job.spec.template
    for variant in job.spec.variants:
        yield variant.name, in_form(job.spec.template, variant)


def form_of(job: ComputeJob, name: str | None) -> dict[str, Any]:
    """The JobSpec as the variant of that name has it; None is the template as it is. Raises KeyError for no variant."""
    if name is None:
        return job.spec.template
    for variant in job.spec.variants:
        if variant.name == name:
            return in_form(job.spec.template, variant)
    raise KeyError(name)


def check_variants(template: dict[str, Any], variants: Sequence[Variant]) -> Refusal | None:
    """The first variant that names a container which the template has not."""
    there = container_names(template)
    for place, variant in enumerate(variants):
        if variant.container is not None and variant.container not in there:
            field = f"spec.variants[{place}].container"
            said = f"{field} is {variant.container!r}; name one of the template's: {', '.join(there)}"
            return Refusal(VARIANT_INVALID, said)
    return None


def of_variant(refusal: Refusal | None, name: str | None) -> Refusal | None:
    """What is said against a form of the template, said of the variant that makes it."""
    if refusal is None or name is None:
        return refusal
    return Refusal(refusal.reason, f"in variant {name}: {refusal.message}")
