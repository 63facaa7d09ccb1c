"""What a ComputeJob's template must not hold, told before the API server is asked about the rest."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from isthmus.api import names
from isthmus.api.conditions import truncated

from . import disruption
from .reading import mapping, sequence
from .references import Reference, references
from .resources import wrong_quantities

SIZE_LIMIT = 256 * 1024
DEPTH_LIMIT = 64
_PATH = "spec.template"
_RESERVED = f"{names.GROUP}/"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a template is not run: a CamelCase reason, and a message that names the field and the mend."""

    reason: str
    message: str


def canonical(template: dict[str, Any]) -> bytes:
    """The template as JSON with sorted keys and no spaces: equal templates give equal bytes."""
    return json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def template_digest(template: dict[str, Any]) -> str:
    """SHA-256 of the canonical form, in hexadecimal: the key under which a dry run's answer is kept."""
    return hashlib.sha256(canonical(template)).hexdigest()


def check_template(template: dict[str, Any]) -> Refusal | None:
    """The first thing in the template that Isthmus does not run, or None where it finds nothing.

    What is wrong with it as a JobSpec (types, unknown fields, restartPolicy Always) is left to the API server's
    dry run; whatever the types are, this neither raises nor recurses deeper than `DEPTH_LIMIT`.
    """
    return (
        _check_size(template)
        or _check_shape(template)
        or _check_owned(template)
        or _check_pod_metadata(template)
        or _check_failure_policy(template)
        or _check_quantities(template)
        or _check_references(template)
    )


def _check_size(template: dict[str, Any]) -> Refusal | None:
    if _deeper_than(template, DEPTH_LIMIT):
        return Refusal(
            "TemplateTooDeep",
            f"{_PATH} is nested more than {DEPTH_LIMIT} levels deep, which no JobSpec is; take out the field that is",
        )
    size = len(canonical(template))
    if size > SIZE_LIMIT:
        return Refusal(
            "TemplateTooLarge",
            f"{_PATH} is {size} bytes long, at most {SIZE_LIMIT} are allowed; move scripts and data into the image",
        )
    return None


def _check_shape(template: dict[str, Any]) -> Refusal | None:
    pod = template.get("template")
    if not isinstance(pod, dict):
        hint = "put the whole JobSpec into spec.template, so that the pod template stands in spec.template.template"
        return Refusal("TemplateInvalid", f"{_PATH}.template must be a pod template; {hint}")
    containers = mapping(pod.get("spec")).get("containers")
    if not isinstance(containers, list) or not containers:
        return Refusal("TemplateInvalid", f"{_PATH}.template.spec.containers must name at least one container")
    return None


def _check_owned(template: dict[str, Any]) -> Refusal | None:
    for field, mend in (
        ("selector", "the member's Job controller makes it"),
        ("manualSelector", "the member's Job controller selects by its own labels"),
        ("managedBy", "the member's Job controller runs the Job"),
    ):
        if template.get(field):
            return Refusal("FieldNotAllowed", f"{_PATH}.{field} must not be set: {mend}; remove it")
    return None


def _check_pod_metadata(template: dict[str, Any]) -> Refusal | None:
    metadata = mapping(mapping(template["template"]).get("metadata"))
    path = f"{_PATH}.template.metadata"
    if metadata.get("finalizers"):
        return Refusal("FieldNotAllowed", f"{path}.finalizers must be empty: Isthmus meters by its own; remove them")
    for field in ("labels", "annotations"):
        for key in mapping(metadata.get(field)):
            if str(key).startswith(_RESERVED):
                return Refusal(
                    "ReservedKey",
                    f"{path}.{field}[{key}] is reserved for Isthmus itself; take a key of your own domain",
                )
    for i, gate in enumerate(sequence(mapping(mapping(template["template"]).get("spec")).get("schedulingGates"))):
        if str(mapping(gate).get("name")).startswith(_RESERVED):
            return Refusal(
                "ReservedKey",
                f"{_PATH}.template.spec.schedulingGates[{i}].name is reserved for Isthmus itself; take another gate",
            )
    return None


def _check_failure_policy(template: dict[str, Any]) -> Refusal | None:
    if disruption.fits(template):
        return None
    return Refusal(
        "TooManyPodFailureRules",
        f"{_PATH}.podFailurePolicy.rules has {disruption.RULE_LIMIT} rules, and Isthmus must put one before them that "
        f"ignores DisruptionTarget; leave at most {disruption.RULE_LIMIT - 1}, or write that rule first yourself",
    )


def _check_quantities(template: dict[str, Any]) -> Refusal | None:
    # The API server refuses these as well, but without a word of where they stand.
    for path, value in wrong_quantities(template):
        mend = "write one of Kubernetes, such as 500m or 16Gi"
        return Refusal(
            "TemplateInvalid", f"{_PATH}.{path} is {truncated(repr(value), 64)}, which is no quantity; {mend}"
        )
    return None


def _check_references(template: dict[str, Any]) -> Refusal | None:
    missing = tuple(r for r in references(template) if not r.optional)
    if not missing:
        return None
    first = missing[0]
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return Refusal("MissingReference", f"{_PATH}.{first.path} names {_named(first)}{more}, {_MENDS[first.kind]}")


def _named(reference: Reference) -> str:
    return f"the {reference.kind} {reference.name!r}"


_ELSEWHERE = "which does not exist in the member where the job will run"
_BY_RESOURCE = "ask for accelerators as container resources (nvidia.com/gpu), which the member's scheduler claims"
_MENDS = {
    "ConfigMap": f"{_ELSEWHERE}; put the values into the template or the image, or mark the reference optional",
    "Secret": f"{_ELSEWHERE}; take out the reference, or mark it optional where that is allowed",
    "ServiceAccount": f"{_ELSEWHERE}; take it out to run under the ServiceAccount default",
    "PersistentVolumeClaim": f"{_ELSEWHERE}; use an ephemeral volume, or storage that the image reaches by itself",
    "ResourceClaim": f"{_ELSEWHERE}; {_BY_RESOURCE}",
    "ResourceClaimTemplate": f"{_ELSEWHERE}; {_BY_RESOURCE}",
}


def _deeper_than(value: Any, limit: int) -> bool:  # noqa: ANN401  # JSON
    """Whether the JSON value is nested deeper; in a loop, as a hostile one would exhaust the stack."""
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict | list)]
    return [child for child in sequence(value) if isinstance(child, dict | list)]
