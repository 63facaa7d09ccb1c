import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.testbed.workloads import job, pod, pods_of, seconds, terminated, wait_for_phase

from testbed import Cluster, wait_for


def _condition(cluster: Cluster, namespace: str, name: str, kind: str, deadline: str = "60s") -> None:
    cluster.kubectl(
        "wait", f"--namespace={namespace}", f"job/{name}", f"--for=condition={kind}", f"--timeout={deadline}"
    )


def test_indexed_job_with_gpus_completes(member: Cluster, namespace: str) -> None:
    """An Indexed Job of four indexes with two GPUs each fills the machines, completes, and ran as long as it said."""
    member.apply(job("train", namespace, {"run-seconds": "3"}, gpus=2, completions=4, parallelism=4))
    _condition(member, namespace, "train", "Complete")
    pods = pods_of(member, namespace)
    assert {pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in pods} == set("0123")
    assert {pod["spec"]["nodeName"] for pod in pods} == {"gpu-1", "gpu-2"}
    assert all(abs(seconds(terminated(pod)) - 3) <= 1 for pod in pods)
    assert all(pod["status"]["phase"] == "Succeeded" for pod in pods)


def test_more_than_the_machines_have_waits(member: Cluster, namespace: str) -> None:
    """A Pod that fits no machine stays Pending with the scheduler's reason, and no kubelet touches it."""
    resources = {"limits": {"nvidia.com/gpu": "5"}}
    member.apply(pod("big", namespace, {}, containers=[{"name": "main", "image": "work", "resources": resources}]))
    path = f"/api/v1/namespaces/{namespace}/pods/big"
    wait_for(lambda: member.get_json(path)["status"].get("conditions"), 20, "the scheduler's verdict")
    status = member.get_json(path)["status"]
    assert status["phase"] == "Pending"
    assert status["conditions"][0]["reason"] == "Unschedulable"
    assert "Insufficient nvidia.com/gpu" in status["conditions"][0]["message"]


def test_a_change_meanwhile_does_not_set_the_end_back(member: Cluster, namespace: str) -> None:
    """A running Pod that is written to again and again ends when it would have ended anyway."""
    member.apply(pod("busy", namespace, {"run-seconds": "4"}))
    wait_for_phase(member, namespace, "busy", "Running")
    path = f"/api/v1/namespaces/{namespace}/pods/busy"
    written = 0

    def write() -> bool:
        nonlocal written
        written += 1
        return bool(
            member.rest.patch(path, {"metadata": {"labels": {"n": str(written)}}})["status"]["phase"] != "Running"
        )

    wait_for(write, 10, "the Pod to end", interval_seconds=0.3)
    assert written > 5
    assert seconds(terminated(member.get_json(path))) == pytest.approx(4, abs=1)


@pytest.mark.parametrize(
    ("annotations", "phase", "code"),
    [
        pytest.param({}, "Succeeded", 0, id="nothing-said"),
        pytest.param({"exit-code": "0"}, "Succeeded", 0, id="zero"),
        pytest.param({"exit-code": "42"}, "Failed", 42, id="non-zero"),
    ],
)
def test_exit_code(member: Cluster, namespace: str, annotations: dict[str, str], phase: str, code: int) -> None:
    """A Pod ends in the phase and with the exit code that its annotation says, after a second by default."""
    member.apply(pod("one", namespace, annotations))
    ended = terminated(wait_for_phase(member, namespace, "one", phase))
    assert ended["exitCode"] == code
    assert seconds(ended) == pytest.approx(1, abs=1)


def test_single_indexes_fail(member: Cluster, namespace: str) -> None:
    """With fail-indexes only the Pods of those indexes fail, and the Job says which."""
    annotations = {"fail-indexes": "1, 3", "exit-code": "7"}
    member.apply(job("part", namespace, annotations, completions=5, parallelism=5, backoffLimitPerIndex=0))
    _condition(member, namespace, "part", "Failed")
    status = member.get_json(f"/apis/batch/v1/namespaces/{namespace}/jobs/part")["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2,4", "1,3")
    codes = {
        pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]: terminated(pod)["exitCode"]
        for pod in pods_of(member, namespace)
    }
    assert codes == {"0": 0, "1": 7, "2": 0, "3": 7, "4": 0}


def test_on_failure_restarts_in_place(member: Cluster, namespace: str) -> None:
    """With restartPolicy OnFailure a failing container is started again in its Pod, which stays Running."""
    member.apply(pod("again", namespace, {"exit-code": "3"}, restartPolicy="OnFailure"))
    path = f"/api/v1/namespaces/{namespace}/pods/again"
    found = wait_for(
        lambda: (
            (now := member.get_json(path))["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= 2
            and now
        ),
        20,
        "two restarts",
    )
    status = found["status"]["containerStatuses"][0]
    assert found["status"]["phase"] == "Running"
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["finishedAt"] == status["state"]["running"]["startedAt"]


def test_init_containers_and_sidecars(member: Cluster, namespace: str) -> None:
    """An init container has ended before the Pod runs; a sidecar runs beside it and ends with it."""
    init = [
        {"name": "prepare", "image": "work"},
        {"name": "proxy", "image": "work", "restartPolicy": "Always"},
    ]
    member.apply(pod("staged", namespace, {"run-seconds": "2"}, initContainers=init))
    running = wait_for_phase(member, namespace, "staged", "Running")["status"]["initContainerStatuses"]
    assert [list(status["state"]) for status in running] == [["terminated"], ["running"]]
    ended = wait_for_phase(member, namespace, "staged", "Succeeded")
    prepare, proxy = (status["state"]["terminated"] for status in ended["status"]["initContainerStatuses"])
    assert prepare["startedAt"] == prepare["finishedAt"] == terminated(ended)["startedAt"]
    assert (proxy["startedAt"], proxy["finishedAt"]) == (
        terminated(ended)["startedAt"],
        terminated(ended)["finishedAt"],
    )


def test_deleted_pod_with_a_finalizer_stays_until_it_is_removed(member: Cluster, namespace: str) -> None:
    """A running Pod that is deleted becomes Failed with 143 and a true end, and goes with its last finalizer."""
    manifest = pod("held", namespace, {"run-seconds": "forever"})
    manifest["metadata"]["finalizers"] = ["isthmus.dev/metering"]
    member.apply(manifest)
    wait_for_phase(member, namespace, "held", "Running")
    started = time.monotonic()
    member.kubectl("delete", f"--namespace={namespace}", "pod/held", "--wait=false")
    ended = terminated(wait_for_phase(member, namespace, "held", "Failed"))
    assert time.monotonic() - started < 10
    assert ended["exitCode"] == 143
    path = f"/api/v1/namespaces/{namespace}/pods/held"
    wait_for(
        lambda: member.get_json(path)["metadata"]["deletionGracePeriodSeconds"] == 0, 10, "the kubelet's last word"
    )
    member.rest.patch(path, {"metadata": {"finalizers": None}})
    wait_for(lambda: not pods_of(member, namespace), 10, "the Pod to go")


def test_stopping_takes_its_time_within_the_grace_period(member: Cluster, namespace: str) -> None:
    """A Pod that takes three seconds to stop runs on for them; one that takes too long is killed with 137."""
    for name, stop, grace in (("slow", "3", 30), ("stubborn", "60", 2)):
        manifest = pod(
            name,
            namespace,
            {"run-seconds": "forever", "stop-seconds": stop},
            terminationGracePeriodSeconds=grace,
        )
        manifest["metadata"]["finalizers"] = ["isthmus.dev/metering"]
        member.apply(manifest)
        wait_for_phase(member, namespace, name, "Running")
    member.kubectl("delete", f"--namespace={namespace}", "pod/slow", "pod/stubborn", "--wait=false")
    deleted = member.get_json(f"/api/v1/namespaces/{namespace}/pods/slow")
    assert deleted["status"]["phase"] == "Running"
    assert terminated(wait_for_phase(member, namespace, "slow", "Failed"))["exitCode"] == 143
    assert terminated(wait_for_phase(member, namespace, "stubborn", "Failed"))["exitCode"] == 137
    for name in ("slow", "stubborn"):
        member.rest.patch(f"/api/v1/namespaces/{namespace}/pods/{name}", {"metadata": {"finalizers": None}})
    wait_for(lambda: not pods_of(member, namespace), 10, "the Pods to go")


def test_deployments_keep_running(member: Cluster, namespace: str) -> None:
    """A Pod with restartPolicy Always and no annotation runs on, as a Deployment's does."""
    member.apply(pod("service", namespace, {}, restartPolicy="Always"))
    member.apply(pod("witness", namespace, {"run-seconds": "2"}))
    wait_for_phase(member, namespace, "witness", "Succeeded")
    status = member.get_json(f"/api/v1/namespaces/{namespace}/pods/service")["status"]
    assert status["phase"] == "Running"
    assert status["containerStatuses"][0]["restartCount"] == 0


def test_a_start_never_moves(member: Cluster, namespace: str) -> None:
    """In a burst every Pod starts once: whoever watches sees one start time for each, and its end two seconds on."""
    columns = '{.metadata.name} {.status.containerStatuses[*].state..startedAt} {.status.phase}{"\\n"}'
    seen: list[list[str]] = []
    done = threading.Event()

    def watch() -> None:
        # An API server ends the watch of a client that cannot keep up; it is then begun anew.
        while not done.is_set():
            arguments = ["get", "pods", "--watch", f"--namespace={namespace}", f"--output=jsonpath={columns}"]
            seen.extend(line.split() for line in member.kubectl(*arguments, "--request-timeout=5s").splitlines())

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        member.apply(job("burst", namespace, {"run-seconds": "2"}, completions=80, parallelism=80))
        _condition(member, namespace, "burst", "Complete")
        done.set()
        watching.result()
    starts: dict[str, set[str]] = {}
    for name, start in (line[:2] for line in seen if len(line) == 3):
        starts.setdefault(name, set()).add(start)
    assert len(starts) == 80
    assert {len(times) for times in starts.values()} == {1}
    assert all(2 <= seconds(terminated(pod)) <= 6 for pod in pods_of(member, namespace))
