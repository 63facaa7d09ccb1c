"""The podFailurePolicy rule that keeps an evicted pod from counting as the job's own failure."""

from typing import Any

from .reading import mapping, sequence

RULE_LIMIT = 20
"""The API server's limit on podFailurePolicy.rules."""

_CONDITION = "DisruptionTarget"


def fits(template: dict[str, Any]) -> bool:
    """Whether the rule can be put first, or stands there already, or does not apply."""
    return not _needed(template) or len(_rules(template)) < RULE_LIMIT


def with_rule(template: dict[str, Any]) -> dict[str, Any]:
    """The JobSpec with the rule first, where its restartPolicy is Never; the argument stays as it is.

    The API server takes a podFailurePolicy with restartPolicy Never only: under OnFailure an eviction is counted.
    """
    if not _needed(template):
        return template
    rule = {"action": "Ignore", "onPodConditions": [{"type": _CONDITION, "status": "True"}]}
    return template | {"podFailurePolicy": {"rules": [rule, *_rules(template)]}}


def _needed(template: dict[str, Any]) -> bool:
    pod = mapping(mapping(template.get("template")).get("spec"))
    rules = _rules(template)
    return pod.get("restartPolicy") == "Never" and not (rules and _ignores(mapping(rules[0])))


def _rules(template: dict[str, Any]) -> list[Any]:
    return sequence(mapping(template.get("podFailurePolicy")).get("rules"))


def _ignores(rule: dict[str, Any]) -> bool:
    conditions = [mapping(c) for c in sequence(rule.get("onPodConditions"))]
    return rule.get("action") == "Ignore" and any(
        c.get("type") == _CONDITION and c.get("status", "True") == "True" for c in conditions
    )
