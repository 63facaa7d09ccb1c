"""A release's life on a real API server, by both Helms."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.docs.pages import ROOT, page

from federation import compute_job
from federation.chart import OUTSIDE, HelmError, Release, render
from testbed import Cluster, KubectlError, wait_for
from testbed.binaries import locate
from testbed.definitions import read_all, remove_definitions

OURS = "app.kubernetes.io/part-of=isthmus"
CRD = "computejobs.isthmus.dev"
CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD}"
VERSION = "isthmus.dev/crd-version"


@pytest.fixture
def release(cluster: Cluster, program: Path) -> Iterator[Release]:
    """No release yet; whatever a test leaves is taken away."""
    made = Release(cluster, program=program)
    yield made
    if made.name in made.run("list", "--short"):
        made.uninstall()
    cluster.kubectl("delete", "computejobs", "--all", "--namespace=default", check=False)
    remove_definitions(cluster, OURS)
    cluster.kubectl("delete", "pvc", "--all", f"--namespace={made.namespace}", "--wait=false", check=False)


def fields(cluster: Cluster) -> set[str]:
    """The fields that the cluster knows of a ComputeJob's spec."""
    schema = cluster.get_json(CRD_PATH)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return set(schema["properties"]["spec"]["properties"])


def submit(cluster: Cluster, name: str) -> None:
    """Hands in a job that nobody carries out."""
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    wait_for(lambda: cluster.apply([compute_job(name, namespace="default")]), 20, "the kind", tolerate=(KubectlError,))


def jobs(cluster: Cluster) -> list[str]:
    """The jobs there are."""
    return cluster.kubectl("get", "computejobs", "--namespace=default", "--output=name").split()


def with_field(chart: Path, field: str) -> Path:
    """The chart as a later one, whose ComputeJobs have one field more."""
    path = chart / "templates" / "crds" / "isthmus.dev_computejobs.yaml"
    text = path.read_text()
    first = "              properties:\n                template:\n"
    assert text.count(first) == 1
    more = f"              properties:\n                {field}:\n                  type: string\n"
    path.write_text(text.replace(first, f"{more}                template:\n"))
    return chart


def test_install(cluster: Cluster, release: Release) -> None:
    """An installed release serves the kinds, and says what to do next."""
    said = release.install({"replicas": 0})
    for command in ("rollout status deployment/isthmus", "helm test isthmus", "kubectl isthmus node add"):
        assert command in said
    assert re.findall("WARNING: (.*)", said) == [
        "replicas is 0: no hub runs in this cluster. Its query API is not registered meanwhile."
    ]
    submit(cluster, "first")
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]
    for obj in release.manifest():
        place = ("--namespace", obj["metadata"]["namespace"]) if "namespace" in obj["metadata"] else ()
        group = obj["apiVersion"].rpartition("/")[0]
        kind = f"{obj['kind']}.{group}" if group else obj["kind"]
        cluster.kubectl("get", kind, obj["metadata"]["name"], *place)


@pytest.mark.parametrize(
    ("namespace", "line"),
    [
        ("isthmus-system", "kubectl isthmus node add NAME --kubeconfig FILE\n"),
        ("fed", "kubectl isthmus node add NAME --kubeconfig FILE --system-namespace fed\n"),
    ],
)
def test_notes(cluster: Cluster, release: Release, program: Path, namespace: str, line: str) -> None:
    """What Helm says after an installation can be followed as it stands, in any namespace, and warns of nothing."""
    del release
    said = Release(cluster, namespace=namespace, program=program).install({}, "--dry-run=client")
    notes = said.partition("\nNOTES:\n")[2]
    assert line in notes
    assert "WARNING" not in notes


def test_upgrade_and_rollback(cluster: Cluster, release: Release, copied: Path) -> None:
    """An upgrade changes the definitions under the jobs that are there; a rollback brings the former ones back."""
    release.install()
    submit(cluster, "first")
    before = fields(cluster)
    assert "later" not in before
    release.upgrade({**OUTSIDE, "hub": {"logLevel": "debug"}}, chart=with_field(copied, "later"))
    assert release.revision() == 2
    assert fields(cluster) == before | {"later"}
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]
    assert "--log-level=debug" in yaml.safe_dump(release.manifest())

    release.rollback(1)
    assert release.revision() == 3
    assert fields(cluster) == before
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]
    assert "--log-level=info" in yaml.safe_dump(release.manifest())


def gone(cluster: Cluster, path: str) -> bool:
    """Whether nothing is there."""
    return "NotFound" in cluster.kubectl("get", "--raw", path, check=False) or "not found" in cluster.kubectl(
        "get", "--raw", path, check=False
    )


def test_uninstall_keeps_the_jobs(cluster: Cluster, release: Release) -> None:
    """By default the definitions, the jobs and the ledger's claim outlive a release, and a new one takes them over."""
    release.install()
    submit(cluster, "first")
    release.uninstall()
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]
    claims = cluster.kubectl("get", "pvc", f"--namespace={release.namespace}", "--output=name").split()
    assert claims == ["persistentvolumeclaim/isthmus-ledger"]
    left = cluster.kubectl(
        "get", "clusterroles,clusterrolebindings,validatingadmissionpolicies,deploy,sa", "-A", "-o", "name"
    )
    assert [name for name in left.split() if "isthmus" in name] == []
    release.install()
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]


def test_uninstall_without_keep(cluster: Cluster, release: Release) -> None:
    """Where they are not to be kept, definitions and claim go with the release."""
    values: dict[str, Any] = {**OUTSIDE, "crds": {"keep": False}, "ledger": {"persistence": {"keep": False}}}
    release.install(values)
    read_all(cluster, OURS)
    release.uninstall()
    wait_for(lambda: gone(cluster, CRD_PATH), 30, "the definition to go")
    claim = f"/api/v1/namespaces/{release.namespace}/persistentvolumeclaims/isthmus-ledger"
    wait_for(lambda: gone(cluster, claim), 30, "the claim to go")


def of_version(chart: Path, version: str) -> Path:
    """The chart as one of another version."""
    for path in (chart / "Chart.yaml", *(chart / "templates" / "crds").iterdir()):
        path.write_text(re.sub(rf"(?m)^(version|appVersion|    {VERSION}): .*$", rf"\1: {version}", path.read_text()))
    return chart


@pytest.mark.parametrize("version", ["0.2.0", "0.1.1-rc.1"])
def test_newer_definitions_are_left_alone(cluster: Cluster, release: Release, copied: Path, version: str) -> None:
    """A chart that is older than the definitions in the cluster refuses to install or upgrade, and says the mend."""
    release.install(chart=of_version(copied, version))
    with pytest.raises(HelmError) as refused:
        release.upgrade()
    said = f"of Isthmus {version}, and this chart is of 0.1.0: install the chart of {version} or newer"
    assert said in str(refused.value)
    assert "crds.enabled=false" in str(refused.value)
    release.uninstall()
    with pytest.raises(HelmError) as refused:
        release.install()
    assert said in str(refused.value)
    release.install({**OUTSIDE, "crds": {"enabled": False}})
    assert version_of(cluster) == version


def version_of(cluster: Cluster) -> str:
    """The version that the definition in the cluster is of."""
    return str(cluster.get_json(CRD_PATH)["metadata"]["annotations"][VERSION])


def test_older_definitions_are_upgraded(cluster: Cluster, release: Release, copied: Path) -> None:
    """Definitions of an earlier version, even of its release candidate, are brought up to date."""
    release.install(chart=of_version(copied, "0.1.0-rc.1"))
    assert version_of(cluster) == "0.1.0-rc.1"
    release.upgrade()
    assert version_of(cluster) == "0.1.0"


def test_definitions_can_be_given_up(cluster: Cluster, release: Release) -> None:
    """A release that no longer installs the definitions leaves those that are there, with the jobs."""
    release.install()
    submit(cluster, "first")
    release.upgrade({**OUTSIDE, "crds": {"enabled": False}})
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]


def test_definitions_that_would_go_are_not_given_up(cluster: Cluster, release: Release) -> None:
    """Without the annotation that keeps them, definitions left out would be deleted with all jobs: this is refused."""
    release.install({**OUTSIDE, "crds": {"keep": False}})
    submit(cluster, "first")
    for crds in ({"enabled": False, "keep": False}, {"enabled": False}):
        with pytest.raises(HelmError, match=r"would delete .*all computejobs: upgrade with crds\.keep=true first"):
            release.upgrade({**OUTSIDE, "crds": crds})
    release.upgrade({**OUTSIDE, "crds": {"keep": True}})
    release.upgrade({**OUTSIDE, "crds": {"enabled": False}})
    assert jobs(cluster) == ["computejob.isthmus.dev/first"]


def test_second_release_is_refused(cluster: Cluster, release: Release, program: Path) -> None:
    """A cluster has one hub: a second release meets definitions that are another's."""
    release.install()
    other = Release(cluster, name="second", namespace="elsewhere", program=program)
    with pytest.raises(HelmError, match=r"(?s)CustomResourceDefinition.*isthmus-system"):
        other.install()
    assert "second" not in other.run("list", "--short", "--deployed")


def test_without_a_release(cluster: Cluster, release: Release, program: Path, tmp_path: Path) -> None:
    """The commands of docs/hub.md for those who don't want a release work as they stand."""
    (block,) = [block for block in page("docs/hub.md").blocks("bash") if "helm template" in block]
    for name, target in (("helm", program), ("kubectl", locate(print).kubectl)):
        (tmp_path / name).symlink_to(target)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "KUBECONFIG": str(cluster.kubeconfig())}
    script = block.replace("--context hub ", "")
    cluster.kubectl("delete", "namespace", release.namespace, "--ignore-not-found", "--timeout=60s")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    submit(cluster, "first")
    applied = [line.split()[0] for line in done.stdout.splitlines() if line.endswith("serverside-applied")]
    assert "deployment.apps/isthmus" in applied
    assert "pod/isthmus-test" not in applied
    rendered = yaml.safe_dump_all(render({}, "--skip-tests", program=program))
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", input=rendered)
