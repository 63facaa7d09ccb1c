"""The question to the hub's own API server, whether a template is a valid JobSpec, and its answer for people."""

import re
from typing import Any

from isthmus.api import names
from isthmus.api.computejob import ComputeJob
from isthmus.api.conditions import truncated
from isthmus.api.core import Manifest

from .reading import mapping, sequence
from .template import Refusal

# Where an answer without causes names a field: of strict decoding, and of a value of the wrong type.
_FIELD = re.compile(r'(?P<before>"|Go struct field \w+\.)spec\.')
_PREFIX = re.compile(r'^Job in version "v1" cannot be handled as a Job: ')


def dry_run_manifest(job: ComputeJob, namespace: str, template: dict[str, Any] | None = None) -> Manifest:
    """The Job to create in `namespace` with dryRun=All and fieldValidation=Strict.

    It is the user's template untouched, or a form of it that a variant makes, under the name that its first shard will
    have, so that the API server judges the length of `name-index` too and every field it names is one the user wrote.
    """
    name, uid = str(job.metadata["name"]), str(job.metadata["uid"])
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        # With labels of its own: a Job without any takes those of its pods, and answers for them in its metadata too.
        "metadata": {
            "name": names.dispatch_name(name, uid, 0, 1),
            "namespace": namespace,
            "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
        },
        "spec": job.spec.template if template is None else template,
    }


def dry_run_refusal(status: dict[str, Any]) -> Refusal:
    """The API server's answer (a v1 Status of code 400, 403 or 422) with its fields as the ComputeJob has them.

    The Job's `spec` is the ComputeJob's `spec.template`; the words stay the API server's.
    """
    causes = [mapping(c) for c in sequence(mapping(status.get("details")).get("causes"))]
    stated = [f"{_theirs(str(c['field']))}: {c.get('message', '')}" for c in causes if c.get("field")]
    text = "; ".join(stated) or _FIELD.sub(_named, _PREFIX.sub("", str(status.get("message", ""))))
    return Refusal("TemplateInvalid", truncated(text))


def _named(match: re.Match[str]) -> str:
    return '"spec.template.' if match["before"] == '"' else "field spec.template."


def _theirs(field: str) -> str:
    return f"spec.template{field.removeprefix('spec')}" if field.split(".", maxsplit=1)[0] == "spec" else field
