import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import Federation
from federation.federation import ACCOUNT, SYSTEM
from testbed import Cluster, ClusterSpec, Testbed

LACKS = "isthmus hub: the hub is not permitted to"


@pytest.fixture(scope="module")
def bare() -> Iterator[Cluster]:
    """A cluster on which nothing of ours is installed."""
    with Testbed() as bed:
        yield bed.start(ClusterSpec("bare", scheduling=False))["bare"]


def _hub(kubeconfig: Path, ledger: str) -> tuple[int, str]:
    command = [
        str(Path(sys.executable).with_name("isthmus")),
        "hub",
        f"--kubeconfig={kubeconfig}",
        f"--ledger={ledger}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_hub_without_crds_names_the_mend(bare: Cluster, tmp_path: Path) -> None:
    """Without the CRDs the hub ends at once, exit code 1, with the command that installs them and no traceback."""
    code, said = _hub(bare.kubeconfig(), f"sqlite:///{tmp_path}/ledger.sqlite")
    assert code == 1
    assert "kubectl apply -f crds/" in said
    assert "Traceback" not in said


def test_hub_without_rights_names_what_it_lacks(bare: Cluster, tmp_path: Path) -> None:
    """An identity without rights is told all that it lacks, in one line."""
    code, said = _hub(bare.kubeconfig("nobody"), f"sqlite:///{tmp_path}/ledger.sqlite")
    assert code == 1
    assert said.startswith(f"{LACKS} get, list, watch settlements.isthmus.dev; to list, watch, patch ")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("ledger", ["sqlite:////no/such/folder/ledger.sqlite", "mysql://host/ledger", "ledger"])
def test_hub_with_a_wrong_ledger_says_so(bare: Cluster, ledger: str) -> None:
    """A ledger that can't be opened ends the hub with one line."""
    code, said = _hub(bare.kubeconfig(), ledger)
    assert code == 1
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("isthmus hub: ")


def test_hub_that_may_not_read_secrets_says_so(tmp_path: Path) -> None:
    """A hub that lacks one right ends with what it may not read and where the roles are."""
    with Federation({}) as federation:
        federation.hub.kubectl("delete", "rolebinding", "isthmus-hub", "-n", "isthmus-system")
        code, said = _hub(federation.hub.token_kubeconfig(SYSTEM, ACCOUNT), f"sqlite:///{tmp_path}/ledger.sqlite")
    assert code == 1
    assert said.startswith(f"{LACKS} list, watch secrets in namespace isthmus-system; to create jobs.batch in ")
    assert "helm upgrade" in said
    assert "Traceback" not in said
