"""What `helm test` runs, as a process under its own identity: kwok would let any pod succeed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import Federation
from federation.chart import NAMESPACE, one
from testbed import wait_for

ACCOUNT = "isthmus-test"


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A running hub, installed by the chart, with the identity that `helm test` makes."""
    with Federation({}) as federation:
        federation.hub.apply(one(federation.release.hooks(), "ServiceAccount"))
        federation.process.start()
        yield federation


def check(fed: Federation, url: str, timeout: int) -> subprocess.CompletedProcess[str]:
    """The test pod's own command under the test pod's own ServiceAccount; the Service's name is no address here."""
    pod = one(fed.release.hooks(), "Pod")["spec"]
    (container,) = pod["containers"]
    command = [*container["command"], *container["args"]]
    assert f"--url=http://isthmus.{NAMESPACE}.svc:8080" in command
    given = {"--url": url, "--timeout": str(timeout)}
    command = [f"{name}={given[name]}" if (name := word.partition("=")[0]) in given else word for word in command]
    kubeconfig = fed.hub.token_kubeconfig(NAMESPACE, pod["serviceAccountName"])
    return subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_succeeds_while_the_hub_works(fed: Federation) -> None:
    """With the hub up, the command succeeds."""
    done = check(fed, fed.process.served_at(), 20)
    assert (done.returncode, done.stdout) == (0, "the hub is ready\n"), done.stderr


def test_its_identity_has_no_rights(fed: Federation) -> None:
    """The identity of `helm test` may not even read what the hub works on."""
    who = fed.hub.token_kubeconfig(NAMESPACE, ACCOUNT)
    for what in ("list computenodes.isthmus.dev", "get secrets", "create pods"):
        asked = fed.hub.kubectl("auth", "can-i", *what.split(), "-n", NAMESPACE, kubeconfig=who, check=False)
        assert asked.splitlines()[0] == "no", (what, asked)


def test_fails_while_the_hub_lacks_a_right(fed: Federation) -> None:
    """A hub that runs and is not ready fails the test with its own reason."""
    fed.process.stop()
    fed.hub.kubectl("delete", "rolebinding", "isthmus-hub", "-n", NAMESPACE)
    fed.process.launch()
    done = check(fed, fed.process.served_at(), 3)
    assert done.returncode == 1
    assert "the hub is not permitted to " in done.stderr
    assert "secrets in namespace isthmus-system" in done.stderr
    assert "Traceback" not in done.stderr

    fed.release.upgrade(fed.values)
    assert check(fed, fed.process.served_at(), 30).returncode == 0


def test_fails_while_the_hub_is_down(fed: Federation) -> None:
    """With the hub killed the command fails and says so; once it is back, it succeeds again."""
    url = fed.process.served_at()
    fed.process.kill()
    done = check(fed, url, 1)
    assert done.returncode == 1
    assert f"{url} does not answer" in done.stderr
    fed.process.start()
    assert check(fed, fed.process.served_at(), 20).returncode == 0


def test_fails_without_the_kinds(fed: Federation) -> None:
    """A hub whose definitions were deleted under it does not pass, whatever it thinks itself."""
    fed.hub.kubectl("delete", "crd", "settlements.isthmus.dev", "--timeout=30s")
    wait_for(lambda: check(fed, fed.process.served_at(), 0).returncode == 1, 30, "the check to fail")
