import json
import subprocess
import threading

import pytest
from tests.testbed.workloads import pod, seconds, terminated, wait_for_phase

from testbed import ApiError, Cluster, ClusterSpec, DeadlineError, KubectlError, Machine, Part, Testbed, wait_for


def test_admin_may_and_others_may_not(clusters: dict[str, Cluster]) -> None:
    """An identity without rights is refused by RBAC; once bound it may do what its role says and no more."""
    hub = clusters["hub"]
    stranger = hub.kubeconfig("tenant-a", ["tenants"])
    with pytest.raises(KubectlError, match=r'User "tenant-a" cannot list resource "pods"'):
        hub.kubectl("get", "pods", kubeconfig=stranger)
    hub.kubectl("create", "rolebinding", "readers", "--clusterrole=view", "--group=tenants", "--namespace=default")
    hub.kubectl("get", "pods", "--namespace=default", kubeconfig=stranger)
    with pytest.raises(KubectlError, match="forbidden"):
        hub.kubectl("create", "configmap", "x", "--namespace=default", kubeconfig=stranger)
    who = json.loads(hub.kubectl("auth", "whoami", "--output=json", kubeconfig=stranger))["status"]["userInfo"]
    assert (who["username"], who["groups"]) == ("tenant-a", ["tenants", "system:authenticated"])


def test_clusters_are_strangers_to_each_other(clusters: dict[str, Cluster]) -> None:
    """What is in one cluster is in no other, and one's certificates open no other."""
    clusters["north"].kubectl("create", "configmap", "only-here")
    assert "only-here" not in clusters["south"].kubectl("get", "configmaps", "--output=name")
    text = clusters["north"].kubeconfig().read_text().replace(clusters["north"].server, clusters["south"].server)
    assert "x509" in clusters["south"].kubectl("--kubeconfig=/dev/stdin", "get", "configmaps", input=text, check=False)


def test_a_hub_without_scheduling_runs_no_work(clusters: dict[str, Cluster]) -> None:
    """A hub has controllers and no scheduler or kubelets, and says so when one is asked for."""
    with pytest.raises(ValueError, match="this cluster has no scheduler; it has etcd, apiserver, controller-manager"):
        clusters["hub"].stop("scheduler")
    with pytest.raises(ValueError, match="nothing would play them"):
        ClusterSpec("x", machines=[Machine("m", "1", "1Gi")], scheduling=False)


def test_api_server_stopped_and_started(clusters: dict[str, Cluster]) -> None:
    """A stopped API server answers nobody; started again it has its address and its objects."""
    south = clusters["south"]
    south.kubectl("create", "configmap", "kept")
    server = south.server
    south.stop(Part.APISERVER)
    with pytest.raises(KubectlError, match="refused"):
        south.kubectl("get", "configmap", "kept")
    south.start(Part.APISERVER)
    assert south.server == server
    assert south.get_json("/api/v1/namespaces/default/configmaps/kept")["metadata"]["name"] == "kept"


def test_work_ends_though_the_api_server_was_killed_meanwhile(clusters: dict[str, Cluster]) -> None:
    """Work that would have ended while the API server was dead ends soon after, and its seconds say when."""
    south = clusters["south"]
    south.apply(pod("through", "default", {"run-seconds": "3"}))
    wait_for_phase(south, "default", "through", "Running")
    south.kill("apiserver")
    south.start("apiserver")
    assert seconds(terminated(wait_for_phase(south, "default", "through", "Succeeded"))) >= 3


@pytest.mark.parametrize("part", [Part.KWOK, Part.SCHEDULER, Part.CONTROLLER_MANAGER])
def test_killed_part_comes_back(clusters: dict[str, Cluster], part: Part) -> None:
    """After a part was killed and started, a new Job runs to its end without delay."""
    south = clusters["south"]
    south.kill(part)
    south.start(part)
    name = f"after-{part}"
    south.kubectl("create", "job", name, "--image=work")
    south.kubectl("wait", f"job/{name}", "--for=condition=Complete", "--timeout=30s")


def test_paused_kubelets_do_nothing_until_resumed(clusters: dict[str, Cluster]) -> None:
    """While kwok is frozen a bound Pod does not start."""
    south = clusters["south"]
    south.pause("kwok")
    try:
        south.apply(pod("frozen", "default", {}))
        path = "/api/v1/namespaces/default/pods/frozen"
        wait_for(lambda: south.get_json(path)["spec"].get("nodeName"), 20, "the Pod to be bound")
        with pytest.raises(DeadlineError, match="Pod frozen"):
            wait_for(lambda: south.get_json(path)["status"]["phase"] != "Pending", 1.5, "Pod frozen to start")
    finally:
        south.resume("kwok")
    wait_for_phase(south, "default", "frozen", "Succeeded")


def test_etcd_stopped_and_started(clusters: dict[str, Cluster]) -> None:
    """An API server without its etcd fails writes and recovers with it."""
    south = clusters["south"]
    south.stop("etcd")
    with pytest.raises(KubectlError, match=r"(?i)time|deadline"):
        south.kubectl("create", "namespace", "lost", "--request-timeout=2s")
    south.start("etcd")
    wait_for(
        lambda: south.rest.post("/api/v1/namespaces", {"metadata": {"generateName": "found-"}}),
        60,
        "writes to be taken again",
        tolerate=(ApiError, TimeoutError),
    )


def test_cut_link_hides_the_cluster_from_those_behind_it_alone(member: Cluster) -> None:
    """Through a cut link requests hang or are refused, directly all goes on, and healed all is well."""
    behind = member.kubeconfig("admin", through_link=True)
    member.kubectl("get", "namespaces", kubeconfig=behind)
    member.cut()
    with pytest.raises(KubectlError, match=r"(?i)timeout|deadline"):
        member.kubectl("get", "namespaces", "--request-timeout=1s", kubeconfig=behind)
    member.kubectl("get", "namespaces")
    member.heal()
    member.kubectl("get", "namespaces", kubeconfig=behind)
    member.cut("refuse")
    with pytest.raises(KubectlError, match="refused"):
        member.kubectl("get", "namespaces", kubeconfig=behind)
    member.heal()
    member.kubectl("get", "namespaces", kubeconfig=behind)


def test_watch_goes_on_after_a_short_cut(member: Cluster, namespace: str) -> None:
    """A watch through the link sees nothing while it is cut, and what it missed once it is healed."""
    behind = member.kubeconfig("admin", through_link=True)
    command = [str(member._plane.kubectl), f"--kubeconfig={behind}", f"--namespace={namespace}"]
    command += ["get", "configmaps", "--watch", "--output=name"]
    seen: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        stdout = watching.stdout
        reader = threading.Thread(target=lambda: seen.extend(line.strip() for line in stdout))
        reader.start()
        wait_for(lambda: "configmap/kube-root-ca.crt" in seen, 20, "the watch to begin")
        member.cut()
        member.kubectl("create", "configmap", "missed", f"--namespace={namespace}")
        with pytest.raises(DeadlineError):
            wait_for(lambda: "configmap/missed" in seen, 1, "what cannot come")
        member.heal()
        wait_for(lambda: "configmap/missed" in seen, 10, "what was missed")
        watching.terminate()
        reader.join()


def test_audit_log_has_writes_by_identity(clusters: dict[str, Cluster]) -> None:
    """Each finished write is in the audit log once, with its author and outcome, and no read is."""
    hub = clusters["hub"]
    writer = hub.kubeconfig("writer", ["system:masters"])
    hub.kubectl("create", "configmap", "audited", kubeconfig=writer)
    hub.kubectl("create", "configmap", "audited", kubeconfig=writer, check=False)
    hub.kubectl("get", "configmap", "audited", kubeconfig=writer)
    hub.kubectl("delete", "configmap", "audited", kubeconfig=writer)
    entries = [entry for entry in hub.audit_entries() if entry.user == "writer"]
    assert [(e.verb, e.resource, e.namespace, e.name, e.code) for e in entries] == [
        ("create", "configmaps", "default", "audited", 201),
        ("create", "configmaps", "default", "audited", 409),
        ("delete", "configmaps", "default", "audited", 200),
    ]
    assert entries[0].groups == ("system:masters", "system:authenticated")
    assert entries[0].user_agent.startswith("kubectl/v1.")
    assert not {entry.verb for entry in hub.audit_entries()} & {"get", "list", "watch"}


def test_machines_come_and_go(member: Cluster) -> None:
    """An added machine is Ready with its labels, resources and taints, and runs work; a removed one is gone."""
    ascend = Machine(
        "ascend-1",
        cpu="192",
        memory="1Ti",
        labels={"tier": "edge"},
        extended={"huawei.com/Ascend910": "8"},
        taints=["reserved=yes:NoSchedule"],
        pods=20,
    )
    member.add_machines([ascend])
    node = member.get_json("/api/v1/nodes/ascend-1")
    assert node["status"]["allocatable"] == {"cpu": "192", "memory": "1Ti", "pods": "20", "huawei.com/Ascend910": "8"}
    assert node["metadata"]["labels"]["tier"] == "edge"
    assert node["spec"]["taints"] == [{"key": "reserved", "value": "yes", "effect": "NoSchedule"}]
    member.apply(pod("there", "default", {"run-seconds": "forever"}, nodeName="ascend-1"))
    wait_for_phase(member, "default", "there", "Running")
    member.remove_machine("ascend-1")
    names = {item["metadata"]["name"] for item in member.get_json("/api/v1/nodes")["items"]}
    assert names == {"gpu-1", "gpu-2"}
    # Its Pod is collected by the cluster's own collector, after the 40 s for which it looks twice.
    assert member.get_json("/api/v1/namespaces/default/pods/there")["status"]["phase"] == "Running"
    member.rest.delete("/api/v1/namespaces/default/pods/there?gracePeriodSeconds=0")


def test_aggregated_api_servers_are_given_what_they_check(clusters: dict[str, Cluster]) -> None:
    """The front proxy's authority and headers stand where an aggregated API server looks for them."""
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    data = clusters["hub"].get_json(path)["data"]
    assert data["requestheader-client-ca-file"].startswith("-----BEGIN CERTIFICATE-----")
    assert data["requestheader-allowed-names"] == '["front-proxy-client"]'
    assert data["requestheader-username-headers"] == '["X-Remote-User"]'


def test_names_are_taken_once(testbed: Testbed, clusters: dict[str, Cluster]) -> None:
    """Two clusters of one name are refused before anything starts."""
    with pytest.raises(ValueError, match="must differ"):
        testbed.start(ClusterSpec("hub"))
    with pytest.raises(ValueError, match="must differ"):
        testbed.start(ClusterSpec("twin"), ClusterSpec("twin"))
    assert testbed.clusters.keys() == clusters.keys()


def test_results_can_record_the_request_limits(clusters: dict[str, Cluster]) -> None:
    """The controllers' request limits are those of the spec, which a benchmark records."""
    spec = clusters["hub"].spec
    logs = clusters["hub"].logs("controller-manager")
    assert (spec.api_qps, spec.api_burst) == (300, 600)
    assert clusters["hub"].resident_bytes("controller-manager") > 2**20
    assert clusters["hub"].cpu_seconds("apiserver") > 0
    assert logs


def test_kubeconfigs_are_made_once_and_apart(clusters: dict[str, Cluster]) -> None:
    """The same identity has one file, each other its own; only admin has rights without being given any."""
    hub = clusters["hub"]
    asked = [("a", ["b"]), ("a-b", []), ("a", []), ("a", ["b", "c"])]
    assert len({hub.kubeconfig(user, groups) for user, groups in asked}) == len(asked)
    assert hub.kubeconfig("a") == hub.kubeconfig("a", [])
    assert hub.kubeconfig("a").stat().st_mode & 0o077 == 0
    assert hub.kubectl("auth", "can-i", "get", "secrets", check=False).strip() == "yes"
    assert hub.kubectl("auth", "can-i", "get", "secrets", kubeconfig=hub.kubeconfig("a"), check=False).strip() == "no"
