from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from federation import Federation, compute_job, compute_node, gpu_machine, tariff
from testbed import Cluster, Machine

MEMBERS = {"east": [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4)], "west": [Machine("plain", "16", "64Gi")]}

Edit = Callable[[dict[str, Any], Federation], None]


def _kubeconfig(cluster: Cluster) -> dict[str, Any]:
    text: dict[str, Any] = yaml.safe_load(cluster.kubeconfig().read_text())
    return text


def _other_authority(config: dict[str, Any], fed: Federation) -> None:
    other = _kubeconfig(fed.clusters["west"])["clusters"][0]["cluster"]
    config["clusters"][0]["cluster"]["certificate-authority-data"] = other["certificate-authority-data"]


def _nobody_listens(config: dict[str, Any], _fed: Federation) -> None:
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"


def _unknown_host(config: dict[str, Any], _fed: Federation) -> None:
    config["clusters"][0]["cluster"]["server"] = "https://no-such-host.invalid:6443"


def _unknown_token(config: dict[str, Any], _fed: Federation) -> None:
    config["users"][0]["user"] = {"token": "expired"}


def _exec_plugin(config: dict[str, Any], _fed: Federation) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws-token", "interactiveMode": "Never"}
    config["users"][0]["user"] = {"exec": plugin}


def _names_a_file(config: dict[str, Any], _fed: Federation) -> None:
    config["users"][0]["user"] = {"tokenFile": "/etc/shadow"}


def _no_context(config: dict[str, Any], _fed: Federation) -> None:
    config["current-context"] = "elsewhere"


@pytest.mark.parametrize(
    ("edit", "reason", "says"),
    [
        pytest.param(_other_authority, "TLSError", "certificate-authority-data", id="other-authority"),
        pytest.param(_nobody_listens, "Unreachable", "127.0.0.1:1", id="refused"),
        pytest.param(_unknown_host, "Unreachable", "no-such-host.invalid", id="no-such-host"),
        pytest.param(_unknown_token, "Unauthorized", "", id="unknown-token"),
        pytest.param(_exec_plugin, "InvalidKubeConfig", "aws-token", id="exec-plugin-not-allowed"),
        pytest.param(_names_a_file, "InvalidKubeConfig", "tokenFile", id="names-a-file"),
        pytest.param(_no_context, "InvalidKubeConfig", "elsewhere", id="no-such-context"),
    ],
)
def test_wrong_kubeconfig_has_its_own_reason(fed: Federation, edit: Edit, reason: str, says: str) -> None:
    """Each way in which a kubeconfig can be wrong makes the node not Reachable, for its own reason, with a mend."""
    name = edit.__name__.strip("_").replace("_", "-")
    config = _kubeconfig(fed.clusters["east"])
    edit(config, fed)
    fed.put_secret(name, yaml.safe_dump(config))
    fed.hub.apply([compute_node(name, name)])
    found = fed.wait_condition("computenodes", name, "Reachable", "False", reason=reason)
    assert says in found["message"]
    fed.hub.kubectl("delete", "cn", name, "--timeout=30s")


@pytest.mark.parametrize("text", ["hello", "", "{}", "apiVersion: v1\nkind: Config\nclusters: 7\n"])
def test_what_is_no_kubeconfig_is_told_so(fed: Federation, text: str) -> None:
    """A Secret with anything else than a kubeconfig makes the node not Reachable, reason InvalidKubeConfig."""
    fed.put_secret("junk", text)
    fed.hub.apply([compute_node("junk", "junk")])
    fed.wait_condition("computenodes", "junk", "Reachable", "False", reason="InvalidKubeConfig")
    fed.hub.kubectl("delete", "cn", "junk", "--timeout=30s")


def test_refused_permission_is_named(fed: Federation) -> None:
    """An identity without rights makes the node not Reachable, reason Forbidden, in the API server's words."""
    fed.put_secret("nobody", fed.clusters["east"].kubeconfig("nobody").read_text())
    fed.hub.apply([compute_node("nobody", "nobody")])
    found = fed.wait_condition("computenodes", "nobody", "Reachable", "False", reason="Forbidden")
    assert 'User "nobody" cannot get' in found["message"]
    fed.hub.kubectl("delete", "cn", "nobody", "--timeout=30s")


def test_missing_secret_is_named_and_picked_up(fed: Federation) -> None:
    """A node whose Secret is missing says so, follows as soon as it comes, and says so again when it vanishes."""
    fed.hub.kubectl("delete", "cn", "east", "--timeout=30s")
    fed.hub.apply([compute_node("late", "late")])
    fed.wait_condition("computenodes", "late", "Reachable", "False", reason="SecretNotFound")
    fed.put_secret("late", fed.clusters["east"].kubeconfig().read_text())
    fed.wait_condition("computenodes", "late", "Ready", "True", seconds=20)
    fed.hub.kubectl("delete", "secret", "late", "-n", "isthmus-system")
    fed.wait_condition("computenodes", "late", "Reachable", "False", reason="SecretNotFound")
    fed.hub.kubectl("delete", "cn", "late", "--timeout=30s")
    fed.join("east")


def test_kubeconfig_that_leads_to_the_hub_is_refused(fed: Federation) -> None:
    """A kubeconfig of the hub itself is reached, and not used; the message names the mend."""
    fed.put_secret("mirror", fed.hub.kubeconfig().read_text())
    fed.hub.apply([compute_node("mirror", "mirror")])
    found = fed.wait_condition("computenodes", "mirror", "Ready", "False", reason="PointsAtHub")
    assert "access.local" in found["message"]
    fed.hub.kubectl("delete", "cn", "mirror", "--timeout=30s")


def test_second_node_for_a_member_is_refused(fed: Federation) -> None:
    """Two nodes for one cluster: the younger is not Ready and names the older, which goes on."""
    fed.hub.apply([compute_node("twin", "east")])
    found = fed.wait_condition("computenodes", "twin", "Ready", "False", reason="DuplicateMember")
    assert "ComputeNode east" in found["message"]
    assert fed.condition("computenodes", "east", "Ready")["status"] == "True"
    fed.hub.kubectl("delete", "cn", "twin", "--timeout=30s")


def test_second_currency_takes_no_work(fed: Federation) -> None:
    """A node priced in another currency than the hub's says so and gets no jobs; jobs name the reason."""
    fed.hub.apply([compute_node("west", "west", tariff=tariff(currency="USD", version="usd"))])
    fed.wait_condition("computenodes", "west", "PriceCurrent", "False", reason="CurrencyMismatch")
    fed.hub.apply([compute_job("priced", placement={"nodeSelector": {}, "tiers": ["Core"]})])
    job = fed.wait_job("priced")
    assert job["status"]["nodes"] == "east"
    verdicts = {each["node"]: each.get("reason") for each in job["status"]["explanation"]["nodes"]}
    assert verdicts["west"] == "CurrencyMismatch"
    fed.hub.apply([compute_node("west", "west")])
    fed.wait_condition("computenodes", "west", "PriceCurrent", "True")


@pytest.mark.parametrize("price", ["-1", "1e3", "free", "0.1234567890123", ""])
def test_price_that_is_none_is_refused(fed: Federation, price: str) -> None:
    """Negative prices and what is no plain decimal are refused by the API server."""
    with pytest.raises(Exception, match=r"spec\.tariff\.prices"):
        fed.hub.apply([compute_node("cheap", "west", tariff=tariff(core=price))])


def test_cordoned_node_takes_no_work(fed: Federation) -> None:
    """A cordoned node gets no new shards and says so; work for it waits and starts when it is Active again."""
    fed.hub.apply([compute_node("west", "west", schedulingState="Cordoned", labels={"only": "west"})])
    fed.wait_condition("computenodes", "west", "Schedulable", "False", reason="Cordoned")
    fed.hub.apply([compute_job("held", placement={"nodeSelector": {"only": "west"}})])
    fed.wait_condition("computejobs", "held", "Placed", "False", namespace="team-a")
    fed.hub.apply([compute_node("west", "west", labels={"only": "west"})])
    fed.wait_job("held")


def test_tariff_that_comes_into_force_wakes_what_waits(fed: Federation) -> None:
    """A job that waits for prices starts as soon as the tariff is valid, and is priced by it."""
    start = (datetime.now(UTC) + timedelta(seconds=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fed.hub.apply(
        [compute_node("west", "west", labels={"dear": "yes"}, tariff={**tariff(version="next"), "validFrom": start})]
    )
    fed.wait_condition("computenodes", "west", "PriceCurrent", "False", reason="NotYetValid")
    fed.hub.apply([compute_job("thrifty", placement={"nodeSelector": {"dear": "yes"}})])
    fed.wait_condition("computejobs", "thrifty", "Placed", "False", namespace="team-a")
    fed.wait_condition("computejobs", "thrifty", "Placed", "True", namespace="team-a", seconds=15)
    fed.wait_job("thrifty")
    used = [d["spec"]["tariff"]["version"] for d in fed.items("dispatches") if d["spec"]["job"]["name"] == "thrifty"]
    assert used == ["next"]


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
