from typing import Any

import pytest

from isthmus.api.computejob import ComputeJob
from isthmus.clusters import JOBS, NAMESPACES, FakeCluster, Forbidden, Invalid, TimedOut
from isthmus.clusters.fake import Call, matching
from isthmus.hub import admission
from isthmus.hub.admission import TemplateJudge
from isthmus.manifests import Refusal

SYSTEM = "isthmus-system"
INVALID = Invalid(
    422,
    "Invalid",
    "Job is invalid",
    details={"causes": [{"field": "spec.template.spec.restartPolicy", "message": "Required value"}]},
)
REFUSED = Refusal("TemplateInvalid", "spec.template.template.spec.restartPolicy: Required value")


def job(name: str = "train", image: str = "work", **template: Any) -> ComputeJob:
    """A job of its own name."""
    containers = [{"name": "main", "image": image}]
    spec = {"template": {"template": {"spec": {"containers": containers}}, **template}}
    return ComputeJob.model_validate(
        {"metadata": {"namespace": "team-a", "name": name, "uid": f"uid-{name}"}, "spec": spec}
    )


@pytest.fixture
def hub() -> FakeCluster:
    """A hub with its own namespace."""
    cluster = FakeCluster("hub")
    cluster.put(NAMESPACES, {"metadata": {"name": SYSTEM}})
    return cluster


def asked(hub: FakeCluster) -> int:
    """How many dry runs there were."""
    return sum(call.resource == JOBS for call in hub.calls)


async def test_one_dry_run_for_equal_templates(hub: FakeCluster) -> None:
    """A thousand equal jobs cost one dry run; another template costs its own; nothing is stored."""
    judge = TemplateJudge(hub, SYSTEM)
    assert {await judge.judge(job(f"job-{number}")) for number in range(1000)} == {None}
    assert asked(hub) == 1
    assert await judge.judge(job(image="other")) is None
    assert asked(hub) == 2
    assert hub.objects(JOBS) == []


async def test_an_invalid_template_is_remembered(hub: FakeCluster) -> None:
    """The API server's refusal is told in the user's fields, and not asked for again."""
    hub.fail(matching("create", JOBS), INVALID)
    judge = TemplateJudge(hub, SYSTEM)
    assert [await judge.judge(job(name)) for name in ("a", "b")] == [REFUSED, REFUSED]
    assert asked(hub) == 1


@pytest.mark.parametrize(
    "error", [TimedOut("no answer"), Forbidden(403, "Forbidden", "no")], ids=["timed-out", "forbidden"]
)
async def test_other_errors_say_nothing_of_the_template(hub: FakeCluster, error: TimedOut | Forbidden) -> None:
    """Where the API server could not be asked, the job is not refused, and it is asked again."""
    hub.fail(matching("create", JOBS), error)
    judge = TemplateJudge(hub, SYSTEM)
    with pytest.raises(type(error)):
        await judge.judge(job())
    assert await judge.judge(job()) is None
    assert asked(hub) == 2


async def test_our_own_rules_ask_nobody(hub: FakeCluster) -> None:
    """What Isthmus itself does not run is refused without a dry run."""
    refusal = await TemplateJudge(hub, SYSTEM).judge(job(template={}))
    assert refusal is not None
    assert asked(hub) == 0


async def test_the_verdict_used_longest_ago_is_forgotten(hub: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: beyond it the template that was not met for the longest time is judged anew."""
    monkeypatch.setattr(admission, "_REMEMBERED", 2)
    judge = TemplateJudge(hub, SYSTEM)
    images: list[str] = []
    hub.before("create", JOBS, lambda call: images.append(_image(call)), times=None)
    for image in ("a", "b", "a", "c", "a", "b"):
        await judge.judge(job(image=image))
    assert images == ["a", "b", "c", "b"]


def _image(call: Call) -> str:
    assert isinstance(call.body, dict)
    return str(call.body["spec"]["template"]["spec"]["containers"][0]["image"])


def with_variants(*variants: dict[str, Any]) -> ComputeJob:
    """A job in these forms."""
    plain = job()
    return ComputeJob.model_validate(
        {"metadata": plain.metadata, "spec": {"template": plain.spec.template, "variants": list(variants)}}
    )


async def test_each_form_is_judged(hub: FakeCluster) -> None:
    """Of a job with variants every form is tried in a dry run; the template itself, which never runs, is not."""
    judge = TemplateJudge(hub, SYSTEM)
    assert await judge.judge(with_variants({"name": "a", "image": "one"}, {"name": "b", "image": "two"})) is None
    bodies: list[Any] = [call.body for call in hub.calls if call.resource == JOBS]
    tried = [body["spec"]["template"]["spec"]["containers"][0]["image"] for body in bodies]
    assert tried == ["one", "two"]


async def test_a_wrong_form_is_named(hub: FakeCluster) -> None:
    """What the API server says against a form is told of the variant, and equal forms are not asked for again."""
    judge = TemplateJudge(hub, SYSTEM)
    good, wrong = {"name": "good", "image": "work"}, {"name": "wrong", "image": "other"}
    assert await judge.judge(with_variants(good)) is None
    hub.fail(matching("create", JOBS), INVALID)
    refused = Refusal("TemplateInvalid", f"in variant wrong: {REFUSED.message}")
    assert [await judge.judge(with_variants(good, wrong)) for _ in range(2)] == [refused, refused]
    assert asked(hub) == 2


async def test_a_form_of_a_container_that_is_not_there(hub: FakeCluster) -> None:
    """A variant that changes a container which the template does not have is refused without asking anybody."""
    refusal = await TemplateJudge(hub, SYSTEM).judge(with_variants({"name": "a", "container": "mian"}))
    assert refusal == Refusal(
        "VariantInvalid", "spec.variants[0].container is 'mian'; name one of the template's: main"
    )
    assert asked(hub) == 0
