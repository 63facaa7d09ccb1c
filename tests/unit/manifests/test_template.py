from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.manifests import check_template, template_digest

GOOD: dict[str, Any] = {
    "parallelism": 2,
    "completions": 4,
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}},
}


def with_pod(**fields: Any) -> dict[str, Any]:
    """GOOD with further fields in its pod spec."""
    template = deepcopy(GOOD)
    template["template"]["spec"] |= fields
    return template


def with_metadata(**fields: Any) -> dict[str, Any]:
    """GOOD with pod metadata."""
    template = deepcopy(GOOD)
    template["template"]["metadata"] = fields
    return template


def nested(levels: int) -> dict[str, Any]:
    """An object in an object, `levels` deep."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


RULES = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [i + 1]}} for i in range(20)]
IGNORE = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}

REFUSED = {
    "selector": (GOOD | {"selector": {"matchLabels": {"a": "b"}}}, "FieldNotAllowed", "spec.template.selector"),
    "manual selector": (GOOD | {"manualSelector": True}, "FieldNotAllowed", "spec.template.manualSelector"),
    "managedBy": (GOOD | {"managedBy": "example.com/x"}, "FieldNotAllowed", "spec.template.managedBy"),
    "pod finalizers": (with_metadata(finalizers=["a/b"]), "FieldNotAllowed", "spec.template.template.metadata.finali"),
    "our label": (with_metadata(labels={"isthmus.dev/hub": "x"}), "ReservedKey", "metadata.labels[isthmus.dev/hub]"),
    "our annotation": (
        with_metadata(annotations={"isthmus.dev/index": "1"}),
        "ReservedKey",
        "metadata.annotations[isthmus.dev/index]",
    ),
    "a pod spec instead of a job spec": (GOOD["template"], "TemplateInvalid", "spec.template.template must be"),
    "empty": ({}, "TemplateInvalid", "spec.template.template must be"),
    "pod template a list": ({"template": []}, "TemplateInvalid", "spec.template.template must be"),
    "no pod spec": ({"template": {}}, "TemplateInvalid", "spec.template.template.spec.containers"),
    "no containers": (with_pod(containers=[]), "TemplateInvalid", "spec.template.template.spec.containers"),
    "containers an object": (with_pod(containers={"a": 1}), "TemplateInvalid", "template.spec.containers"),
    "too large": (with_metadata(annotations={"a": "x" * 262144}), "TemplateTooLarge", "spec.template is 26"),
    "too large in UTF-8": (with_metadata(annotations={"a": "算" * 88000}), "TemplateTooLarge", "spec.template is 26"),
    "too deep": (GOOD | {"x": nested(64)}, "TemplateTooDeep", "spec.template is nested"),
    "deep enough to overflow": (GOOD | {"x": nested(100_000)}, "TemplateTooDeep", "spec.template is nested"),
    "20 failure rules": (GOOD | {"podFailurePolicy": {"rules": RULES}}, "TooManyPodFailureRules", "podFailurePolicy.r"),
    "our gate": (
        with_pod(schedulingGates=[{"name": "example.com/quota"}, {"name": "isthmus.dev/index"}]),
        "ReservedKey",
        "spec.template.template.spec.schedulingGates[1].name",
    ),
    "a config map": (
        with_pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}]),
        "MissingReference",
        "spec.template.template.spec.volumes[0].configMap.name names the ConfigMap 'settings', which does not exist",
    ),
    "a service account": (
        with_pod(serviceAccountName="runner"),
        "MissingReference",
        "spec.template.template.spec.serviceAccountName names the ServiceAccount 'runner'",
    ),
    "two secrets": (
        with_pod(imagePullSecrets=[{"name": "a"}, {"name": "b"}]),
        "MissingReference",
        "imagePullSecrets[0].name names the Secret 'a' (and 1 more)",
    ),
}


@pytest.mark.parametrize(("template", "reason", "part"), REFUSED.values(), ids=REFUSED)
def test_refused(template: dict[str, Any], reason: str, part: str) -> None:
    """What Isthmus does not run is refused with a reason and a message that names the field."""
    refusal = check_template(template)
    assert refusal is not None
    assert refusal.reason == reason
    assert part in refusal.message
    assert refusal.message.startswith("spec.template")
    assert len(refusal.message) <= 1024


ACCEPTED = {
    "plain": GOOD,
    "as deep as allowed": GOOD | {"x": nested(63)},
    "own labels": with_metadata(labels={"app": "x", "example.com/isthmus.dev": "y"}, annotations={"a": "b"}),
    "null fields": GOOD | {"selector": None, "managedBy": None, "manualSelector": False},
    "19 failure rules": GOOD | {"podFailurePolicy": {"rules": RULES[:19]}},
    "20 failure rules of which ours is first": GOOD | {"podFailurePolicy": {"rules": [IGNORE, *RULES[:19]]}},
    "20 failure rules with OnFailure": with_pod(restartPolicy="OnFailure")
    | {"podFailurePolicy": {"rules": RULES}},  # the dry run's to refuse
    "optional reference": with_pod(volumes=[{"name": "v", "configMap": {"name": "c", "optional": True}}]),
    "default service account": with_pod(serviceAccountName="default"),
    "a gate of one's own": with_pod(schedulingGates=[{"name": "example.com/quota"}]),
    "an ephemeral volume": with_pod(volumes=[{"name": "v", "emptyDir": {}}]),
}


@pytest.mark.parametrize("template", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(template: dict[str, Any]) -> None:
    """What a Job may hold in the member passes."""
    assert check_template(template) is None


JSON = st.recursive(
    st.sampled_from([None, True, 7, "", "Never", "isthmus.dev/hub"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["template", "spec", "metadata", "labels", "containers", "env", "volumes", "valueFrom", "name"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)  # a shared machine may pause
@given(st.dictionaries(st.sampled_from(["template", "podFailurePolicy", "selector", "x"]), JSON))
def test_any_json(template: dict[str, Any]) -> None:
    """Whatever JSON a template is, checking it ends in an answer."""
    refusal = check_template(template)
    assert refusal is None or refusal.message.startswith("spec.template")


def test_digest() -> None:
    """The digest depends on what the template says, not on the order of its keys."""
    turned = dict(reversed(list(GOOD.items())))
    assert list(turned) != list(GOOD)
    assert template_digest(turned) == template_digest(GOOD)
    assert template_digest(GOOD | {"completions": 5}) != template_digest(GOOD)
