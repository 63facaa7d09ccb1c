import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from federation import Federation, compute_job, compute_node, gpu_machine, job_spec
from testbed import wait_for

GPUS = 6
HALF_LIFE_SECONDS = 20
WINDOWS = 4
# More than can run in that time, whichever of the two has it all.
BACKLOG = {"team-a": 120, "team-b": 200}
ACCOUNTS = {
    "halfLifeSeconds": HALF_LIFE_SECONDS,
    "named": {
        "team-a": {"weight": 1},
        "team-b": {"weight": 3},
        "team-quota": {"quota": {"gpus": {"A100": 4}}},
        "team-ceiling": {"ceiling": "8"},
    },
}


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub with accounts, and one member with six A100."""
    members = {"east": [gpu_machine("g1", "NVIDIA-A100-SXM4-80GB", GPUS)]}
    with Federation(members, values={"accounts": ACCOUNTS}) as federation:
        for name in ("team-b", "team-quota", "team-ceiling"):
            federation.namespace(name)
        federation.process.start()
        federation.join("east")
        yield federation


def _cancel(fed: Federation, name: str, namespace: str) -> None:
    patch = ["--type=merge", "-p", '{"spec": {"cancel": true}}']
    fed.hub.kubectl("patch", "cjob", name, "-n", namespace, *patch)


def _times(state: dict[str, dict[str, str]]) -> tuple[datetime, datetime | None]:
    told = state.get("terminated") or state["running"]
    ended = told.get("finishedAt")
    return datetime.fromisoformat(told["startedAt"]), datetime.fromisoformat(ended) if ended else None


def _waits(fed: Federation, name: str, namespace: str, reason: str) -> str:
    """Wait until the job is not placed for that reason; its message."""
    found = fed.wait_condition("computejobs", name, "Placed", "False", reason=reason, namespace=namespace)
    return str(found["message"])


def _first_then_second(fed: Federation, namespace: str, first: int, second: int) -> None:
    """One job that holds so many GPUs for an hour, and once it is placed another that asks for so many."""
    fed.hub.apply([compute_job("first", job_spec(run_seconds="3600", gpus=first), namespace=namespace)])
    fed.wait_condition("computejobs", "first", "Placed", "True", namespace=namespace)
    fed.hub.apply([compute_job("second", job_spec(gpus=second), namespace=namespace)])


def _counts(fed: Federation, phase: str) -> dict[str, int]:
    """The jobs of that phase, by account."""
    jobs = [job for job in fed.items("computejobs") if (job.get("status") or {}).get("phase") == phase]
    return {account: sum(job["metadata"]["namespace"] == account for job in jobs) for account in BACKLOG}


def _runs(fed: Federation) -> list[tuple[str, datetime, datetime | None]]:
    """Account, begin and end of each pod of the two that has begun."""
    found: list[tuple[str, datetime, datetime | None]] = []
    for pod in fed.member_pods("east"):
        account = pod["metadata"]["name"][: len("team-a")]
        states = [status["state"] for status in pod["status"].get("containerStatuses", ())]
        found += [(account, *_times(state)) for state in states if account in BACKLOG and "waiting" not in state]
    return found


def test_over_its_quota_a_job_waits_for_the_earlier(fed: Federation) -> None:
    """The reason has all figures, also after the hub was killed; others go on; it starts once the earlier one ended."""
    space = "team-quota"
    _first_then_second(fed, space, 3, 2)
    said = "account team-quota may hold 4 x A100, holds 3, the job asks for 2"
    assert said in _waits(fed, "second", space, "QuotaExceeded")
    fed.process.kill()
    fed.process.start()
    fed.hub.apply([compute_job("third", job_spec(gpus=4), namespace=space)])
    assert "holds 3, the job asks for 4" in _waits(fed, "third", space, "QuotaExceeded")
    fed.hub.apply([compute_job("other", job_spec(gpus=3))])
    fed.wait_job("other")
    assert fed.job("first", space)["status"]["phase"] == "Running"
    assert [fed.job(name, space)["status"]["phase"] for name in ("second", "third")] == ["Pending"] * 2
    _cancel(fed, "first", space)
    fed.wait_job("second", namespace=space)
    fed.wait_job("third", namespace=space)


def test_a_larger_quota_is_read_while_the_hub_runs(fed: Federation) -> None:
    """A job that no quota allowed starts when the accounts' file, changed as a kubelet does, has a larger one."""
    space = "team-quota"
    fed.hub.apply([compute_job("large", job_spec(gpus=5), namespace=space)])
    assert "may hold 4 x A100, holds 0, the job asks for 5" in _waits(fed, "large", space, "QuotaExceeded")
    (option,) = (word for word in fed.process.command if word.startswith("--accounts="))
    path = Path(option.partition("=")[2])
    accounts = yaml.safe_load(path.read_text())
    accounts["named"][space]["quota"]["gpus"]["A100"] = 5
    path.write_text(yaml.safe_dump(accounts))
    fed.wait_job("large", namespace=space)


def test_over_its_ceiling_a_job_waits(fed: Federation) -> None:
    """What runs of an account may cost so much an hour; the reason has the figures."""
    space = "team-ceiling"
    _first_then_second(fed, space, 1, 1)
    said = "account team-ceiling may spend 8 CNY an hour, spends 7.398, the job would add 7.398"
    assert said in _waits(fed, "second", space, "SpendCeilingReached")
    _cancel(fed, "first", space)
    fed.wait_job("second", namespace=space)


def test_weights_share_gpu_time(fed: Federation) -> None:
    """Two accounts that always have jobs waiting, at weights 1 and 3, have 1:3 of the GPU time over four windows."""
    fed.hub.apply([compute_node("east", "east", schedulingState="Cordoned")])
    fed.wait_condition("computenodes", "east", "Schedulable", "False", reason="Cordoned")
    template = job_spec(run_seconds="2", gpus=1)
    fed.hub.apply(
        [
            compute_job(f"{account}-{n}", template, namespace=account)
            for n in range(max(BACKLOG.values()))
            for account in BACKLOG
            if n < BACKLOG[account]
        ]
    )
    wait_for(lambda: _counts(fed, "Pending") == BACKLOG, 120, "all jobs to wait")
    fed.hub.apply([compute_node("east", "east", schedulingState="Active")])
    wait_for(lambda: any(_runs(fed)), 60, "the first pod")
    begin = min(began for _, began, _ in _runs(fed))
    end = begin + timedelta(seconds=WINDOWS * HALF_LIFE_SECONDS)
    wait_for(lambda: max(began for _, began, _ in _runs(fed)) > end, 300, "four windows to be over")
    assert all(_counts(fed, "Pending")[account] > 0 for account in BACKLOG), "the backlog was too small to tell"
    seconds = dict.fromkeys(BACKLOG, 0.0)
    for account, began, ended in _runs(fed):
        seconds[account] += max((min(ended or end, end) - max(began, begin)).total_seconds(), 0.0)
    logging.getLogger(__name__).info("GPU-seconds over %d windows: %s", WINDOWS, seconds)
    assert seconds["team-b"] / seconds["team-a"] == pytest.approx(3, rel=0.05), seconds
