"""Pods that a node's shards are still to have: promised room, which the figures must not show as free."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from isthmus.api.core import JobSpec, Manifest, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.capacity import ExpectedPods, effective_request

from .observe import job_verdict, pod_ended
from .queued import rests
from .view import MemberView


@dataclass(frozen=True, slots=True)
class Template:
    """What of a shard's Job stays the same; `request` is one pod's, `labels` what its machine must have."""

    spec: JobSpec
    request: dict[str, int]
    labels: dict[str, tuple[str, ...]]

    @property
    def width(self) -> int:
        """How many of its pods run at once."""
        parallelism = 1 if self.spec.parallelism is None else self.spec.parallelism
        return parallelism if self.spec.completions is None else min(parallelism, self.spec.completions)


class Expectations:
    """Remembers the parsed template of each Dispatch, since figures are summed up ten times a second."""

    def __init__(self) -> None:
        self._templates: dict[str, Template] = {}

    def of(self, dispatches: Iterable[Dispatch], view: MemberView) -> list[ExpectedPods]:
        """What the unended `dispatches` are still to have bound."""
        expected: list[ExpectedPods] = []
        templates: dict[str, Template] = {}
        for dispatch in dispatches:
            uid, name = dispatch.metadata["uid"], dispatch.metadata["name"]
            template = templates[uid] = self._templates.get(uid) or parse_template(dispatch.spec.manifest)
            count = _unbound(template.spec, dispatch, view, name)
            if count > 0:
                expected.append(
                    ExpectedPods(
                        request=template.request,
                        count=count,
                        labels=template.labels,
                        tolerations=tuple(template.spec.template.spec.tolerations),
                    )
                )
        self._templates = templates
        return expected


def _unbound(spec: JobSpec, dispatch: Dispatch, view: MemberView, name: str) -> int:
    job = view.job(name)
    if job is None:
        suspended, succeeded = dispatch.spec.desired_state != "Running", 0
    elif job_verdict(job) is not None:
        return 0
    else:
        # One that waits in a queue of the member may begin at any moment.
        suspended, succeeded = rests(job), job.status.succeeded
    if suspended:
        return 0
    width = spec.parallelism if spec.parallelism is not None else 1
    if spec.completions is not None:
        width = min(width, max(spec.completions - succeeded, 0))
    return width - sum(1 for pod in view.pods(name) if _bound(pod))


def _bound(pod: Pod) -> bool:
    return bool(pod.spec.node_name) and not pod_ended(pod)


def parse_template(manifest: Manifest) -> Template:
    """Read the Job of a Dispatch."""
    spec = msgspec.convert(manifest["spec"], JobSpec, strict=False)
    pod = manifest["spec"]["template"]["spec"]
    labels: dict[str, tuple[str, ...]] = {key: (value,) for key, value in (pod.get("nodeSelector") or {}).items()}
    required = ((pod.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    # Terms are alternatives; what the renderer requires stands in each of them, so the first one will do.
    for term in (required.get("nodeSelectorTerms") or [])[:1]:
        for expression in term.get("matchExpressions") or []:
            if expression.get("operator") == "In":
                labels[expression["key"]] = tuple(expression["values"])
    return Template(spec, effective_request(spec.template.spec), labels)
