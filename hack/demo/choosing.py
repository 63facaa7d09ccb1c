"""Which job's explanation is worth showing: one with nodes that were refused and nodes that competed."""

from collections.abc import Iterable

from isthmus.api.computejob import ComputeJob, Explanation, NodeVerdict


def refused(explanation: Explanation) -> list[NodeVerdict]:
    """The nodes that would not do."""
    return [verdict for verdict in explanation.nodes if verdict.reason is not None]


def scored(explanation: Explanation) -> list[NodeVerdict]:
    """The nodes that would have done, the best first."""
    return [verdict for verdict in explanation.nodes if verdict.score is not None]


def choose_explained(jobs: Iterable[ComputeJob]) -> ComputeJob | None:
    """The job whose explanation tells most, the first by name among equals; None where no job has been placed."""
    placed = [job for job in jobs if job.status.explanation and job.status.explanation.winner]
    return min(placed, key=lambda job: ([-figure for figure in _worth(job)], job.metadata["name"]), default=None)


def _worth(job: ComputeJob) -> tuple[int, ...]:
    explanation = job.status.explanation
    if explanation is None:
        return (0,)
    reasons = {verdict.reason for verdict in refused(explanation)}
    competing = len(scored(explanation))
    return (min(len(reasons), competing - 1), len(reasons), competing, job.status.gpus)
