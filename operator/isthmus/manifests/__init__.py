"""A shard to the Job that runs it in a member. Pure: no I/O, no clock."""

from .affinity import Requirement, with_preferences
from .dryrun import dry_run_manifest, dry_run_refusal
from .job import job_labels, render
from .piece import SEGMENT_LIMIT, Piece, index_map
from .placeholder import is_placeholder, placeholder
from .references import Reference, references
from .splitting import NOT_SPLITTABLE, not_splittable
from .template import Refusal, check_template, template_digest
from .tenant import PodSecurity, tenant_objects
from .variants import check_variants, form_of, forms, of_variant

__all__ = [
    "NOT_SPLITTABLE",
    "SEGMENT_LIMIT",
    "Piece",
    "PodSecurity",
    "Reference",
    "Refusal",
    "Requirement",
    "check_template",
    "check_variants",
    "dry_run_manifest",
    "dry_run_refusal",
    "form_of",
    "forms",
    "index_map",
    "is_placeholder",
    "job_labels",
    "not_splittable",
    "of_variant",
    "placeholder",
    "references",
    "render",
    "template_digest",
    "tenant_objects",
    "with_preferences",
]
