from typing import Any

import pytest

from isthmus.api.computejob import ComputeJob
from isthmus.manifests import Refusal, dry_run_manifest, dry_run_refusal


def test_manifest_is_the_users_own() -> None:
    """The question holds the template word for word, under the first shard's name."""
    template = {"suspend": True, "ttlSecondsAfterFinished": 5, "template": {"spec": {"restartPolicy": "Always"}}}
    metadata = {"name": "train", "namespace": "team", "uid": "7d9f1f8a-1111-4222-8333-000000000002"}
    job = ComputeJob.model_validate({"metadata": metadata, "spec": {"template": template}})
    assert dry_run_manifest(job, "isthmus-system") == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "train-89b3060496",
            "namespace": "isthmus-system",
            "labels": {"app.kubernetes.io/managed-by": "isthmus"},
        },
        "spec": template,
    }


ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "invalid": (
        {
            "message": 'Job.batch "a" is invalid: [spec.completions: Invalid value: -1: must be ...]',
            "details": {
                "causes": [
                    {"field": "spec.completions", "message": "Invalid value: -1: must be at least 0"},
                    {"field": "spec.template.spec.restartPolicy", "message": 'Unsupported value: "Always"'},
                ]
            },
        },
        (
            "spec.template.completions: Invalid value: -1: must be at least 0; "
            'spec.template.template.spec.restartPolicy: Unsupported value: "Always"'
        ),
    ),
    "unknown field": (
        {
            "message": 'Job in version "v1" cannot be handled as a Job: strict decoding error: '
            'unknown field "spec.template.spec.containers[0].imagge"'
        },
        'strict decoding error: unknown field "spec.template.template.spec.containers[0].imagge"',
    ),
    "wrong type": (
        {
            "message": 'Job in version "v1" cannot be handled as a Job: json: cannot unmarshal string into Go struct '
            "field Container.spec.template.spec.containers.command of type []string"
        },
        "json: cannot unmarshal string into field spec.template.template.spec.containers.command of type []string",
    ),
    "anything else": ({"message": "no"}, "no"),
    "no words": ({}, ""),
}


@pytest.mark.parametrize(("status", "message"), ANSWERS.values(), ids=ANSWERS)
def test_refusal_names_the_users_fields(status: dict[str, Any], message: str) -> None:
    """The API server's words stay; its fields become those of the ComputeJob."""
    assert dry_run_refusal(status) == Refusal("TemplateInvalid", message)


def test_long_answers_are_cut() -> None:
    """An answer of any length fits a condition."""
    assert len(dry_run_refusal({"message": "x" * 5000}).message) == 1024
