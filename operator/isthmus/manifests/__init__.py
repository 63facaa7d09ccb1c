"""A shard to the Job that runs it in a member. Pure: no I/O, no clock."""

from .affinity import Requirement
from .dryrun import dry_run_manifest, dry_run_refusal
from .job import job_labels, render
from .placeholder import is_placeholder, placeholder
from .references import Reference, references
from .template import Refusal, check_template, template_digest
from .tenant import PodSecurity, tenant_objects

__all__ = [
    "PodSecurity",
    "Reference",
    "Refusal",
    "Requirement",
    "check_template",
    "dry_run_manifest",
    "dry_run_refusal",
    "is_placeholder",
    "job_labels",
    "placeholder",
    "references",
    "render",
    "template_digest",
    "tenant_objects",
]
