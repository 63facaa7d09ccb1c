"""Judges each template once: our own rules, then a strict dry run, so that a wrong one fails with the API's words."""

from collections import OrderedDict

from isthmus.api.computejob import ComputeJob
from isthmus.api.core import Manifest
from isthmus.clusters import JOBS, Invalid, KubernetesApi
from isthmus.manifests import (
    Refusal,
    check_template,
    check_variants,
    dry_run_manifest,
    dry_run_refusal,
    forms,
    of_variant,
    template_digest,
)

_REMEMBERED = 10_000


class TemplateJudge:
    """Remembers its verdicts by the template's digest: a thousand equal jobs cost one dry run."""

    def __init__(self, hub: KubernetesApi, namespace: str) -> None:
        self._hub = hub
        self._namespace = namespace
        self._verdicts: OrderedDict[str, Refusal | None] = OrderedDict()

    async def judge(self, job: ComputeJob) -> Refusal | None:
        """Why the template is refused, or None where it is good, in each of its forms where it has several.

        Raises ClusterError where the API server could not be asked: that says nothing of the template.
        """
        refusal = check_variants(job.spec.template, job.spec.variants)
        for variant, template in forms(job) if refusal is None else ():
            refusal = of_variant(check_template(template) or await self._asked(job, template), variant)
            if refusal is not None:
                break
        return refusal

    async def _asked(self, job: ComputeJob, template: Manifest) -> Refusal | None:
        """What the API server says of the template, or has said of an equal one."""
        digest = template_digest(template)
        if digest in self._verdicts:
            self._verdicts.move_to_end(digest)
            return self._verdicts[digest]
        verdict: Refusal | None = None
        try:
            await self._hub.create(
                JOBS, dry_run_manifest(job, self._namespace, template), self._namespace, dry_run=True, strict=True
            )
        except Invalid as error:
            verdict = dry_run_refusal({"message": error.message, "details": error.details})
        self._verdicts[digest] = verdict
        if len(self._verdicts) > _REMEMBERED:
            self._verdicts.popitem(last=False)
        return verdict
