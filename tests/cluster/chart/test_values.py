"""What the chart does with values, right and wrong: rendered by both Helms, without a cluster."""

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from tests.cluster.chart.options import EVERYTHING

from federation.chart import CHART, HelmError, helm, one, render
from isthmus.api.accounts import Account, AccountsConfig, Quota
from isthmus.capacity import AcceleratorTable
from isthmus.cli.main import app

DIGEST = f"sha256:{'a' * 64}"


def changed(path: str, value: Any) -> dict[str, Any]:
    """Values with one key, named by its groups."""
    group, _, rest = path.partition(".")
    return {group: changed(rest, value) if rest else value}


def container(values: dict[str, Any], program: Path) -> dict[str, Any]:
    """The hub's container."""
    found: dict[str, Any] = one(render(values, program=program), "Deployment")["spec"]["template"]["spec"][
        "containers"
    ][0]
    return found


def volumes(values: dict[str, Any], program: Path) -> dict[str, Any]:
    """The pod's volumes by name."""
    pod = one(render(values, program=program), "Deployment")["spec"]["template"]["spec"]
    return {volume["name"]: volume for volume in pod["volumes"]}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_lint(program: Path, values: dict[str, Any]) -> None:
    """`helm lint --strict` has nothing to say."""
    said = helm("lint", str(CHART), "--strict", values=values, program=program)
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said


WRONG = [
    ("hub.currenzy", "EUR", ["hub", "currenzy", "not allowed"]),
    ("hubb", {}, ["hubb", "not allowed"]),
    ("hub.currency", "euro", ["hub/currency", "^[A-Z]{3}$"]),
    ("hub.logLevel", "trace", ["hub/logLevel", "'debug', 'info', 'warning'"]),
    ("hub.logFormat", "xml", ["hub/logFormat", "'json', 'console'"]),
    ("hub.allowExec", "yes", ["hub/allowExec", "want boolean"]),
    ("hub.accelerators", [{"vendor": "Example"}], ["hub/accelerators/0", "resourceName"]),
    (
        "hub.accelerators",
        [{"resourceName": "a/b", "vendor": "E", "memoryUnit": "TB"}],
        ["hub/accelerators/0/memoryUnit", "'B', 'MiB', 'GiB'"],
    ),
    ("hub.accelerators", [{"resourceName": "a/b", "vendor": "E", "shares": 2}], ["hub/accelerators/0", "shares"]),
    ("accounts.default.weight", 0, ["accounts/default/weight", "minimum"]),
    ("accounts.named", {"team-a": {"qouta": {}}}, ["accounts/named/team-a", "qouta", "not allowed"]),
    ("accounts.default.quota.cores", "many", ["accounts/default/quota/cores"]),
    ("hub.extraArgs", ["--ledger=sqlite:////tmp/x"], ["hub.extraArgs: --ledger=sqlite:////tmp/x is set by the chart"]),
    ("replicas", 2, ["replicas", "want 1"]),
    ("replicas", "1", ["replicas", "want integer"]),
    ("image.tag", 1.5, ["image/tag", "want string"]),
    ("image.tag", "a b", ["image/tag", "does not match pattern"]),
    ("image.digest", "sha256:1234", ["image/digest", "sha256:[0-9a-f]{64}"]),
    ("image.repository", "", ["image/repository", "minLength"]),
    ("image.pullPolicy", "Sometimes", ["image/pullPolicy", "'Always', 'IfNotPresent', 'Never'"]),
    ("imagePullSecrets", ["pull"], ["imagePullSecrets/0", "want object"]),
    ("ledger.url", "sqlite:////var/lib/x.db", ["ledger/url", "postgresql"]),
    ("ledger.url", "postgresql://u:p@db/x", ["ledger/url", "psycopg"]),
    ("ledger.persistence.size", "ten", ["ledger/persistence/size", "does not match pattern"]),
    ("ledger.persistence.accessModes", ["Mine"], ["ledger/persistence/accessModes/0", "'ReadWriteOnce'"]),
    ("ledger.persistence.enabled", "false", ["ledger/persistence/enabled", "want boolean"]),
    (
        "ledger",
        {"url": "postgresql+psycopg://db/x", "existingSecret": {"name": "mine"}},
        ["ledger.url and ledger.existingSecret.name", "set one of them"],
    ),
    ("service.port", 0, ["service/port", "want 1"]),
    ("query.service.port", 70000, ["query/service/port", "want 65,535"]),
    ("metrics.serviceMonitor.interval", "30", ["metrics/serviceMonitor/interval", "does not match pattern"]),
    ("networkPolicy.egress.apiServerCidrs", ["10.0.0.1"], ["apiServerCidrs/0", "does not match pattern"]),
    ("networkPolicy.egress.apiServerPorts", [], ["apiServerPorts", "minItems"]),
    ("proxy.httpProxy", "outbound.example:3128", ["proxy/httpProxy", "https?://"]),
    (
        "proxy.httpProxy",
        "http://u:p@outbound.example:3128",
        ["proxy.httpProxy names a user", "give HTTP_PROXY by extraEnv with a valueFrom.secretKeyRef"],
    ),
    ("proxy.httpsProxy", "http://u:p@outbound.example:3128", ["give HTTPS_PROXY by extraEnv"]),
    *(
        (key, {label: "x"}, [f"{key.replace('.', '/')}/{label.replace('/', '~1')}"])
        for key in ("commonLabels", "podLabels", "service.labels", "metrics.serviceMonitor.labels")
        for label in ("app.kubernetes.io/name", "app.kubernetes.io/component", "helm.sh/chart")
    ),
    ("networkPolicy.egress.dnsPorts", [], ["dnsPorts", "minItems"]),
    ("serviceAccount", {"create": False}, ["serviceAccount.create is false: set serviceAccount.name"]),
    ("probes.liveness.periodSeconds", 0, ["probes/liveness/periodSeconds", "want 1"]),
    ("probes.readiness.initialDelay", 5, ["probes/readiness", "initialDelay", "not allowed"]),
    ("nodeSelector", {"disk": 1}, ["nodeSelector/disk", "want string"]),
    ("podAnnotations", ["a"], ["podAnnotations", "want object"]),
    ("fullnameOverride", "Not_A_Name", ["fullnameOverride", "does not match pattern"]),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG, ids=[f"{path}={value}" for path, value, _ in WRONG])
def test_wrong_value_is_refused(program: Path, path: str, value: Any, words: list[str]) -> None:
    """A wrong value is refused before anything is rendered, by its key and with what is allowed there."""
    with pytest.raises(HelmError) as refused:
        render(changed(path, value), program=program)
    said = str(refused.value)
    assert [word for word in words if word not in said] == [], said


def test_values_of_a_parent_chart_are_taken(program: Path) -> None:
    """Helm hands `global` to every chart that another depends on."""
    assert render({"global": {"anything": 1}}, program=program)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ({}, "isthmus:0.1.0"),
        ({"registry": "r.example:5000", "repository": "a/b"}, "r.example:5000/a/b:0.1.0"),
        ({"tag": "nightly"}, "isthmus:nightly"),
        ({"tag": "nightly", "digest": DIGEST}, f"isthmus@{DIGEST}"),
    ],
    ids=["default", "registry", "tag", "digest"],
)
def test_image(program: Path, image: dict[str, str], name: str) -> None:
    """The image is named by registry, repository and tag, or digest; `helm test` has the same."""
    objects = render({"image": image}, program=program)
    assert one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"] == name
    assert one(objects, "Pod")["spec"]["containers"][0]["image"] == name


LEDGERS: list[tuple[str, dict[str, Any], bool, dict[str, Any] | None, list[str]]] = [
    ("claim", {}, False, {"persistentVolumeClaim": {"claimName": "isthmus-ledger"}}, ["isthmus-ledger"]),
    (
        "own-claim",
        {"persistence": {"existingClaim": "mine"}},
        False,
        {"persistentVolumeClaim": {"claimName": "mine"}},
        [],
    ),
    ("none", {"persistence": {"enabled": False}}, False, {"emptyDir": {}}, []),
    ("url", {"url": "postgresql+psycopg://u:p@db/x"}, True, None, []),
    ("secret", {"existingSecret": {"name": "mine", "key": "dsn"}}, True, None, []),
]


@pytest.mark.parametrize(
    ("ledger", "by_secret", "volume", "claims"), [row[1:] for row in LEDGERS], ids=[row[0] for row in LEDGERS]
)
def test_ledger(
    program: Path, ledger: dict[str, Any], by_secret: bool, volume: dict[str, Any] | None, claims: list[str]
) -> None:
    """A file on a claim, on a claim of one's own or on nothing that lasts; or a URL, which only a Secret holds."""
    objects = render({"ledger": ledger}, program=program)
    hub = container({"ledger": ledger}, program)
    assert [obj["metadata"]["name"] for obj in objects if obj["kind"] == "PersistentVolumeClaim"] == claims
    assert ("--ledger=sqlite:////var/lib/isthmus/ledger.db" in hub["args"]) is not by_secret
    assert "postgresql" not in yaml.safe_dump([obj for obj in objects if obj["kind"] != "Secret"])
    found = volumes({"ledger": ledger}, program).get("ledger")
    assert found == (None if volume is None else {"name": "ledger", **volume})
    if by_secret:
        (variable,) = [each for each in hub["env"] if each["name"] == "ISTHMUS_LEDGER"]
        name, key = ("mine", "dsn") if "existingSecret" in ledger else ("isthmus-ledger", "url")
        assert variable["valueFrom"]["secretKeyRef"] == {"name": name, "key": key}
    if "url" in ledger:
        elsewhere = {**ledger, "url": f"{ledger['url']}2"}
        there, others = (one(render({"ledger": each}, program=program), "Deployment") for each in (ledger, elsewhere))
        assert there == others, "a digest of the URL is a password to be guessed at"
        assert one(objects, "Secret")["stringData"] == {"url": ledger["url"]}


def test_accelerators(program: Path) -> None:
    """The table reaches the hub as a file that the hub takes, and a changed one starts the hub again."""
    entry = {"resourceName": "example.com/npu", "vendor": "Example", "modelLabel": "example.com/model"}
    values = {"hub": {"accelerators": [entry]}}
    text = one(render(values, program=program), "ConfigMap")["data"]["accelerators.yaml"]
    assert AcceleratorTable.default().extended(yaml.safe_load(text)).is_accelerator("example.com/npu")
    assert one(render(program=program), "ConfigMap")["data"]["accelerators.yaml"].strip() == "[]"
    sums = [
        one(render(each, program=program), "Deployment")["spec"]["template"]["metadata"]["annotations"][
            "checksum/accelerators"
        ]
        for each in ({}, values)
    ]
    assert sums[0] != sums[1]


def test_accounts(program: Path) -> None:
    """They reach the hub as a file that the hub takes, by default too; a change starts no pod again: it is read."""
    quota = {"gpus": {"A100": 8}, "cores": "64"}
    values = {"accounts": {"halfLifeSeconds": 31_622_400, "named": {"team-a": {"weight": 3, "quota": quota}}}}
    config = AccountsConfig.read(
        yaml.safe_load(one(render(values, program=program), "ConfigMap")["data"]["accounts.yaml"])
    )
    assert config.half_life_seconds == 31_622_400
    assert config.named["team-a"] == Account(weight=3, quota=Quota(gpus={"A100": 8}, cores="64"))
    text = one(render(program=program), "ConfigMap")["data"]["accounts.yaml"]
    assert AccountsConfig.read(yaml.safe_load(text)) == AccountsConfig.read({})
    pods = [one(render(each, program=program), "Deployment")["spec"]["template"] for each in ({}, values)]
    assert pods[0] == pods[1]


def test_proxy(program: Path) -> None:
    """The hub's own API server is never behind the proxy; without a proxy nothing is set."""
    values = {"proxy": {"httpsProxy": "http://outbound.example:3128", "noProxy": "10.0.0.0/8"}}
    assert container(values, program)["env"] == [
        {"name": "HTTPS_PROXY", "value": "http://outbound.example:3128"},
        {"name": "NO_PROXY", "value": "10.0.0.0/8,$(KUBERNETES_SERVICE_HOST)"},
    ]
    assert "env" not in container({}, program)
    secret = {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy", "key": "url"}}}
    assert container({"extraEnv": [secret]}, program)["env"] == [
        {"name": "NO_PROXY", "value": "$(KUBERNETES_SERVICE_HOST)"},
        secret,
    ]


def test_arguments(program: Path) -> None:
    """The container's arguments say what the values say, and where its files are."""
    hub = container({"hub": {"currency": "EUR", "allowExec": True, "extraArgs": ["--more=1"]}}, program)
    assert [*hub["command"], *hub["args"]] == [
        "isthmus",
        "hub",
        "--ledger=sqlite:////var/lib/isthmus/ledger.db",
        "--currency=EUR",
        "--system-namespace=isthmus-system",
        "--accelerators=/etc/isthmus/accelerators.yaml",
        "--accounts=/etc/isthmus/accounts.yaml",
        "--allow-exec",
        "--log-format=json",
        "--log-level=info",
        "--http-address=:8080",
        "--query-address=:8443",
        "--query-service=isthmus-query",
        "--more=1",
    ]


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_arguments_are_options_of_the_commands(program: Path, values: dict[str, Any]) -> None:
    """The pods' commands have every option that the chart gives them."""
    objects = render(values, program=program)
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group's
    pods = (one(objects, "Deployment")["spec"]["template"]["spec"], one(objects, "Pod")["spec"])
    for pod, name in zip(pods, ("hub", "check-hub"), strict=True):
        first, *options = pod["containers"][0]["args"]
        assert first == name
        known = {flag for each in commands[name].params for flag in each.opts}
        assert {option.partition("=")[0] for option in options} <= known


def test_another_release(program: Path) -> None:
    """Under another name and namespace, every object, subject and policy follows."""
    objects = render(EVERYTHING, name="east", namespace="federation", program=program)
    text = yaml.safe_dump_all(objects)
    assert "isthmus-system" not in text
    assert "system:serviceaccount:federation:east-isthmus" in text
    named = {
        obj["metadata"]["name"] for obj in objects if obj["kind"] not in {"CustomResourceDefinition", "APIService"}
    }
    # The hub binds the role for logs by its name, which no other release in a cluster can have.
    assert {name for name in named if not name.startswith("east-")} <= {"as-text", "isthmus-member-logs"}
    namespaces = {obj["metadata"].get("namespace", "federation") for obj in objects}
    assert namespaces == {"federation", "kube-system"}


def test_query_can_be_left_out(program: Path) -> None:
    """Without the query API nothing of it is there: no APIService, no rights, no arguments."""
    objects = render({"query": {"enabled": False}}, program=program)
    text = yaml.safe_dump_all(
        obj
        for obj in objects
        if obj["kind"] != "CustomResourceDefinition"
        and not obj["metadata"]["name"].endswith(("-viewer", "-editor", "-finance"))
    )
    words = ("query", "apiregistration", "subjectaccessreviews", "kube-system")
    assert [word for word in words if word in text] == []


def test_a_hub_that_is_not_ready_is_reached(program: Path) -> None:
    """Both Services lead to an unready hub too: it tells its reason, and its APIService stays available."""
    objects = render(program=program)
    services = {obj["metadata"]["name"]: obj["spec"] for obj in objects if obj["kind"] == "Service"}
    assert {name: spec["publishNotReadyAddresses"] for name, spec in services.items()} == {
        "isthmus": True,
        "isthmus-query": True,
    }


@pytest.mark.parametrize(
    ("values", "registered"),
    [
        ({}, True),
        ({"replicas": 0}, False),
        ({"replicas": 0, "query": {"service": {"externalName": "hub.example"}}}, True),
    ],
    ids=["here", "halted", "elsewhere"],
)
def test_the_query_api_is_registered_where_a_hub_serves_it(
    program: Path, values: dict[str, Any], registered: bool
) -> None:
    """An APIService that nobody serves would keep every namespace of the cluster from being deleted."""
    kinds = [obj["kind"] for obj in render(values, program=program)]
    assert kinds.count("APIService") == registered


def test_ports_of_dns(program: Path) -> None:
    """Names are asked for at port 53, or where the cluster's DNS pods listen."""

    def ports(egress: dict[str, Any]) -> list[tuple[str, int]]:
        policy = one(
            render({"networkPolicy": {"enabled": True, "egress": egress}}, program=program), "NetworkPolicy", "isthmus"
        )
        return [(port["protocol"], port["port"]) for port in policy["spec"]["egress"][0]["ports"]]

    assert ports({}) == [("UDP", 53), ("TCP", 53)]
    assert ports({"dnsPorts": [53, 5353]}) == [("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)]


def test_every_container_has_resources(program: Path) -> None:
    """A quota or a limit range that asks for requests lets both pods in."""
    objects = render(program=program)
    for pod in (one(objects, "Deployment")["spec"]["template"]["spec"], one(objects, "Pod")["spec"]):
        for each in pod["containers"]:
            assert {"cpu", "memory"} <= each["resources"]["requests"].keys()
            assert "memory" in each["resources"]["limits"]


def test_labels(program: Path) -> None:
    """Every object carries the release's labels and the common ones; only what an administrator adds does not."""
    recommended = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "managed-by", "part-of")}
    for obj in render(EVERYTHING, program=program):
        labels = obj["metadata"].get("labels", {})
        if obj["metadata"]["name"] not in {"isthmus-more", "as-text"}:
            assert recommended | {"helm.sh/chart", "example.com/team"} <= labels.keys(), obj["metadata"]["name"]


def test_keep(program: Path) -> None:
    """By default definitions and the ledger's claim outlive the release; each can be let go with it."""
    kept = {"CustomResourceDefinition", "PersistentVolumeClaim"}

    def policies(values: dict[str, Any]) -> set[str]:
        objects = [obj for obj in render(values, program=program) if obj["kind"] in kept]
        assert {obj["kind"] for obj in objects} == kept
        return {
            o["kind"] for o in objects if o["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
        }

    assert policies({}) == kept
    assert policies({"crds": {"keep": False}}) == {"PersistentVolumeClaim"}
    assert policies({"ledger": {"persistence": {"keep": False}}}) == {"CustomResourceDefinition"}
    assert not [
        o for o in render({"crds": {"enabled": False}}, program=program) if o["kind"] == "CustomResourceDefinition"
    ]
