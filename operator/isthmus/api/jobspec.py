"""The schema of a ComputeJob's template: a batch/v1 JobSpec that is kept whole, whatever its version adds.

The API server's CEL can't tell an unknown field from another unknown field of the same object, so immutability of an
object that keeps unknown fields holds only as far as its fields are declared. Every field of a JobSpec is, with no
more of its type than that takes: what is wrong inside is the dry run's to say.
"""

from typing import Any

from .model import MAP_ATOMIC, PRESERVE_UNKNOWN, rules

_KEPT: dict[str, Any] = PRESERVE_UNKNOWN
_OBJECT: dict[str, Any] = {"type": "object", **PRESERVE_UNKNOWN}


def _integer(description: str, integer_format: str = "int32") -> dict[str, Any]:
    return {"type": "integer", "format": integer_format, "nullable": True, "description": description}


def _word(description: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": 64, "nullable": True, "description": description}


def _rules_only(description: str) -> dict[str, Any]:
    return {
        **_OBJECT,
        "nullable": True,
        "required": ["rules"],
        "maxProperties": 1,
        "properties": {"rules": {**_KEPT, "description": "As in a Job."}},
        "description": description,
    }


TEMPLATE_SCHEMA: dict[str, Any] = {
    **_OBJECT,
    **MAP_ATOMIC,
    "maxProperties": 32,
    "required": ["template"],
    "properties": {
        "activeDeadlineSeconds": _integer("Seconds after which the Job is stopped and has failed.", "int64"),
        "backoffLimit": _integer("How many pods may fail before the Job has."),
        "backoffLimitPerIndex": _integer("How many pods of one index may fail before the index has."),
        "completionMode": _word("NonIndexed or Indexed."),
        "completions": _integer("How many pods, or indexes, must succeed."),
        "managedBy": {"type": "string", "maxLength": 253, "description": "Must not be set."},
        "manualSelector": {"type": "boolean", "description": "Must not be set."},
        "maxFailedIndexes": _integer("How many indexes may fail before the Job has."),
        "parallelism": _integer("How many pods may run at once."),
        "podFailurePolicy": _rules_only("How failed pods are judged; at most 19 rules with restartPolicy Never."),
        "podReplacementPolicy": _word("Replaced by Failed in the member."),
        "selector": {**_OBJECT, "maxProperties": 2, "description": "Must not be set."},
        "successPolicy": _rules_only("When an Indexed Job has succeeded before all its indexes have."),
        "suspend": {"type": "boolean", "nullable": True, "description": "Has no effect: spec.suspend decides."},
        "template": {**_KEPT, "description": "The pod template, as in a Job."},
        "ttlSecondsAfterFinished": _integer("Has no effect: spec.ttlSecondsAfterFinished decides."),
    },
    **rules(
        ("self == oldSelf", "the template is immutable; make a new ComputeJob"),
        ("!has(self.selector)", "must not be set: the member's Job controller makes it; remove it", ".selector"),
        (
            "!has(self.manualSelector) || !self.manualSelector",
            "must not be set: the member's Job controller selects by its own labels; remove it",
            ".manualSelector",
        ),
        ("!has(self.managedBy)", "must not be set: the member's Job controller runs the Job; remove it", ".managedBy"),
    ),
}
