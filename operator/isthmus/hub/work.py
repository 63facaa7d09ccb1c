"""What a job's template says of its run as a whole: how much there is to do, and the limits that it sets. Pure."""

from dataclasses import dataclass
from typing import Any

from isthmus.api.core import Manifest
from isthmus.api.indexes import INDEX_LIMIT
from isthmus.manifests import Refusal, not_splittable

_DEFAULT_BACKOFF_LIMIT = 6


@dataclass(frozen=True, slots=True)
class Work:
    """The fields of a JobSpec that hold for all shards and attempts together."""

    indexed: bool
    completions: int | None
    """None is a work queue: its pods know by themselves when all is done."""
    parallelism: int
    backoff_limit: int | None
    """Pods that may fail; None is no limit."""
    restarts_count: bool
    """Whether restarts of containers count against the backoff limit, as failed pods do."""
    backoff_limit_per_index: int | None
    max_failed_indexes: int | None
    active_deadline_seconds: int | None
    success_policy: bool
    unsplittable: Refusal | None
    """Why indexes can't be run apart from each other."""

    @property
    def numbered(self) -> bool:
        """Whether it is told which indexes are done; of more than can be told, only how many pods succeeded."""
        return self.indexed and (self.completions or 0) <= INDEX_LIMIT

    @property
    def by_index(self) -> bool:
        """Whether any set of its indexes can be run by itself."""
        return self.unsplittable is None

    @property
    def by_count(self) -> bool:
        """Whether all that counts is how many pods succeed."""
        return not self.indexed and self.completions is not None


def work_of(template: Manifest) -> Work:
    """Read a template that the API server would take; defaults are its own."""
    completions, parallelism = _number(template, "completions"), _number(template, "parallelism")
    indexed = template.get("completionMode") == "Indexed"
    if completions is None and parallelism in (None, 1):
        completions = 1
    per_index = _number(template, "backoffLimitPerIndex")
    limit = _number(template, "backoffLimit")
    pod: Manifest = (template.get("template") or {}).get("spec") or {}
    return Work(
        indexed=indexed,
        completions=completions,
        parallelism=1 if parallelism is None else parallelism,
        backoff_limit=_DEFAULT_BACKOFF_LIMIT if limit is None and per_index is None else limit,
        restarts_count=pod.get("restartPolicy") == "OnFailure",
        backoff_limit_per_index=per_index,
        max_failed_indexes=_number(template, "maxFailedIndexes"),
        active_deadline_seconds=_number(template, "activeDeadlineSeconds"),
        success_policy=bool(template.get("successPolicy")),
        unsplittable=not_splittable(template),
    )


def _number(template: dict[str, Any], field: str) -> int | None:
    value = template.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
