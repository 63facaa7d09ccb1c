from typing import Any

import pytest

from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.memberkubeconfig import Endpoint, kubeconfig
from isthmus.cli.kubectl.nodemanifest import Wanted, new_node, pairs, patch_of, taint_of, tariff_of
from isthmus.clusters import Credentials

PRICES = {"core_second": "0.1", "gibibyte_second": "0.2", "currency": "CNY", "version": "1"}


def test_a_new_node_has_what_was_said_and_its_name_as_identity() -> None:
    """What is not said is left to the kind's own defaults; the identity is the name where no code is given."""
    wanted = Wanted(
        "east", tier="Core", region="cn", display_name="Suzhou", labels={"a": "b"}, taints=[taint_of("k:NoSchedule")]
    )
    assert new_node(wanted, "east") == {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeNode",
        "metadata": {"name": "east"},
        "spec": {
            "identity": {"code": "east"},
            "tier": "Core",
            "region": {"code": "cn", "displayName": "Suzhou"},
            "labels": {"a": "b"},
            "taints": [{"key": "k", "effect": "NoSchedule"}],
            "access": {"kubeConfig": {"secretRef": {"name": "east"}}},
        },
    }


def test_the_least_that_can_be_said_of_a_new_node() -> None:
    """Its name is enough: a tier and a region that can be changed later are put in."""
    spec = new_node(Wanted("n", display_name="Suzhou", local=True), "n")["spec"]
    assert spec == {
        "identity": {"code": "n"},
        "tier": "Region",
        "region": {"code": "default", "displayName": "Suzhou"},
        "access": {"local": {}},
    }


def test_a_node_that_is_there_is_changed_in_what_was_said_alone() -> None:
    """A patch holds the options that were given; a new price list replaces the old one whole."""
    assert patch_of(Wanted("n")) == {"spec": {}}
    tariff = tariff_of(gpu_second=(), **PRICES)
    spec: dict[str, Any] = patch_of(Wanted("n", tier="Edge", tariff=tariff))["spec"]
    assert spec["tier"] == "Edge"
    assert spec["tariff"]["validUntil"] is None
    assert spec["tariff"]["prices"] == {"coreSecond": "0.1", "gibibyteSecond": "0.2", "gpuSecond": None}


@pytest.mark.parametrize(
    ("texts", "priced"),
    [
        (("0.5",), [{"model": "*", "price": "0.5"}]),
        (("A100=2", "*=1"), [{"model": "A100", "price": "2"}, {"model": "*", "price": "1"}]),
        ((), None),
    ],
)
def test_prices_of_accelerators(texts: tuple[str, ...], priced: list[dict[str, str]] | None) -> None:
    """MODEL=PRICE, or a price alone for every model."""
    tariff = tariff_of(gpu_second=texts, **PRICES)
    assert tariff is not None
    assert tariff["prices"].get("gpuSecond") == priced


def test_a_tariff_needs_both_basic_prices() -> None:
    """A price for accelerators alone is no tariff, and no price at all is none."""
    with pytest.raises(Complaint, match="--core-second and --gibibyte-second"):
        tariff_of(core_second=None, gibibyte_second=None, gpu_second=("1",), currency="CNY", version="1")
    assert tariff_of(core_second=None, gibibyte_second=None, gpu_second=(), currency="CNY", version="1") is None


@pytest.mark.parametrize("text", ["", "x", "=y", "x:NoExecute", ":NoSchedule"])
def test_what_is_no_pair_and_no_taint(text: str) -> None:
    """Wrong forms are told with the right one."""
    with pytest.raises(Complaint, match="write KEY=VALUE:NoSchedule"):
        taint_of(text)
    with pytest.raises(Complaint, match="write KEY=VALUE"):
        pairs([text.replace("x:", "").removeprefix("x") or "x"], "--label")


@pytest.mark.parametrize(
    ("server", "of_one_machine"),
    [
        ("https://127.0.0.1:6443", True),
        ("https://[::1]:6443", True),
        ("https://localhost:6443", True),
        ("https://10.0.0.1:6443", False),
        ("https://east-control-plane:6443", False),
    ],
)
def test_addresses_that_mean_another_machine_elsewhere(server: str, of_one_machine: bool) -> None:
    """Loopback addresses are of no use to a hub on another machine."""
    assert Endpoint(server).of_one_machine is of_one_machine


async def test_the_hub_can_read_the_kubeconfig_without_files_or_plugins() -> None:
    """What `node add` writes is a kubeconfig by the hub's own rules: inline, with a token."""
    endpoint = Endpoint("https://east:6443", None, "api", proxy="http://outbound.example:3128")
    credentials = Credentials.from_kubeconfig(kubeconfig("east", endpoint, "secret"))
    identity = await credentials.source.identity()
    assert (credentials.server, credentials.tls.server_name, credentials.proxy) == (
        "https://east:6443",
        "api",
        "http://outbound.example:3128",
    )
    assert dict(identity.headers) == {"Authorization": "Bearer secret"}
