import base64
from datetime import UTC, datetime

import pytest

from demo.keeping import hello
from demo.members import MEMBERS, Member
from demo.objects import RUN_SECONDS, compute_job, compute_node, kubeconfig_secret, settlement, team_objects
from demo.plan import Plan
from demo.trace import TracePod
from demo.workload import TEAMS, DemoJob, Team
from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import ComputeNode
from isthmus.api.settlement import Settlement
from isthmus.manifests import check_template


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_a_node_is_a_valid_one(member: Member) -> None:
    """The ComputeNode's figures are the member's, under a tariff with a version and prices in CNY."""
    node = ComputeNode.model_validate(compute_node(member))
    tariff = node.spec.tariff
    assert tariff is not None
    assert (node.spec.tier, node.spec.parent, node.spec.region.code) == (member.tier, member.parent, member.region)
    assert (tariff.version, tariff.currency) == (member.tariff.version, "CNY")
    assert node.spec.access.kube_config is not None
    assert node.spec.access.kube_config.secret_ref.name == member.name


def test_tiers_have_different_prices() -> None:
    """No two members ask the same for a core."""
    assert len({member.tariff.core for member in MEMBERS}) == len(MEMBERS)


def test_a_secret_holds_the_kubeconfig() -> None:
    """The Secret that the node names has the kubeconfig under the expected key."""
    secret = kubeconfig_secret(MEMBERS[0], "apiVersion: v1\n")
    assert base64.b64decode(secret["data"]["kubeconfig"]) == b"apiVersion: v1\n"
    assert secret["metadata"] == {"name": "core-beijing", "namespace": "isthmus-system"}


def test_a_job_is_written_as_a_user_would() -> None:
    """Models become product names, tiers and the objective stand in the placement, and pods say how long they run."""
    pod = TracePod("openb-pod-0001", 11_300, 49_152, 1, 1000, ("V100M16", "V100M32"), 700)
    job = DemoJob(pod, TEAMS[1], "Indexed", 6, 3, 6, 1.5, ("Industry", "Edge"))

    assert compute_job(job) == {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeJob",
        "metadata": {"name": "openb-pod-0001", "namespace": "team-language"},
        "spec": {
            "template": {
                "completions": 6,
                "parallelism": 3,
                "completionMode": "Indexed",
                "template": {
                    "metadata": {"annotations": {RUN_SECONDS: "6"}},
                    "spec": {
                        "restartPolicy": "Never",
                        "containers": [
                            {
                                "name": "main",
                                "image": "busybox:1.37",
                                "command": ["sleep", "6"],
                                "resources": {
                                    "requests": {"cpu": "11300m", "memory": "49152Mi"},
                                    "limits": {"nvidia.com/gpu": "1"},
                                },
                            }
                        ],
                    },
                },
            },
            "placement": {
                "objective": "Cheapest",
                "accelerator": {"models": ["Tesla-V100-SXM2-16GB", "Tesla-V100-SXM2-32GB"]},
                "tiers": ["Industry", "Edge"],
            },
        },
    }


def test_every_job_passes_the_hubs_own_rules(plan: Plan) -> None:
    """No drawn job, nor the one left for the user to try, has a template that the hub refuses."""
    for manifest in [*(compute_job(job) for job in plan.jobs), hello()]:
        job = ComputeJob.model_validate(manifest)
        assert check_template(job.spec.template) is None


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.namespace)
def test_an_engineer_may_hand_in_work_at_home_only(team: Team) -> None:
    """A team's rights are a Role in its own namespace, bound to its engineer, and never write a Settlement."""
    space, role, binding = team_objects(team)
    name = space["metadata"]["name"]
    assert space["metadata"]["labels"] == {"isthmus.dev/account": name.removeprefix("team-")}
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == name
    rights = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert ("computejobs", "create") in rights
    assert {verb for resource, verb in rights if resource == "settlements"} == {"get", "list", "watch"}
    assert [subject["kind"] for subject in binding["subjects"]] == ["User"]


def test_a_settlement_is_a_valid_one() -> None:
    """The Settlement bills the namespace's account for the period, in CNY."""
    manifest = settlement(TEAMS[0], datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
    spec = Settlement.model_validate(manifest).spec
    assert (spec.party, spec.currency) == ("Account", "CNY")
    assert (spec.period.start, spec.period.end) == ("2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z")
