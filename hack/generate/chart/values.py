"""The chart's values: the one source of values.yaml, values.schema.json and the tables of values.

A field's description is what people read everywhere, in Markdown. Parts that Kubernetes defines are free objects: the
API server checks them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Object = dict[str, Any]
Objects = list[Object]
Strings = dict[str, str]
# The chart sets these itself, and the Deployment's selector is made of some.
_OWN_LABELS = r"^(app\.kubernetes\.io/(component|instance|managed-by|name|part-of|version)|helm\.sh/chart)$"
Labels = Annotated[Strings, Field(json_schema_extra={"patternProperties": {_OWN_LABELS: False}})]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=3600)]
# Empty where the default is meant.
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
_DURATION = r"^([0-9]+(ms|s|m|h))*$"
_NAME = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"
_SUBDOMAIN = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"


class Values(BaseModel):
    """A group of values; an unknown key is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Image(Values):
    """The image that the hub and `helm test` run."""

    registry: Annotated[str, Field(description="Host, and port where there is one, that it is pulled from.")] = ""
    repository: Annotated[str, Field(min_length=1, description="Name in that registry.")] = "isthmus"
    tag: Annotated[
        str, Field(pattern=r"^[\w.-]{0,128}$", description="Tag; the chart's `appVersion` where it is empty.")
    ] = ""
    digest: Annotated[
        str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$", description="Digest, which then counts instead of the tag.")
    ] = ""
    pull_policy: Annotated[Literal["Always", "IfNotPresent", "Never"], Field(description="When it is pulled.")] = (
        "IfNotPresent"
    )


class PullSecret(Values):
    """A Secret to pull images with."""

    name: Annotated[str, Field(min_length=1, description="Its name.")]


class CRDs(Values):
    """The CustomResourceDefinitions, which Helm upgrades with the rest because they are templates."""

    enabled: Annotated[bool, Field(description="Install and upgrade them.")] = True
    keep: Annotated[
        bool,
        Field(
            description="Leave them, and so every ComputeJob, in the cluster on `helm uninstall`, and when "
            "`crds.enabled` is switched off."
        ),
    ] = True


class Shares(Values):
    """Resources that ask for a part of one card; `{resource}` and `{name}` stand for the resource and its last part."""

    memory: Annotated[str, Field(min_length=1, description="Resource that asks for memory of a card.")]
    percentage: Annotated[str, Field(min_length=1, description="Resource that asks for percents of its memory.")] = ""
    cores: Annotated[str, Field(min_length=1, description="Resource that asks for cores of a card.")] = ""
    node_annotation: Annotated[str, Field(min_length=1, description="HAMi's list of a machine's cards.")] = ""
    pod_annotation: Annotated[str, Field(min_length=1, description="HAMi's list of the cards a pod holds.")] = ""


class Devices(Values):
    """How to read the ResourceSlices of a driver; names of its own need no domain."""

    driver: Annotated[str, Field(min_length=1, max_length=63, description="Driver of Dynamic Resource Allocation.")]
    model_attribute: Annotated[str, Field(min_length=1, description="Attribute that names the model.")] = ""
    memory_capacity: Annotated[str, Field(min_length=1, description="Capacity that is the memory of one.")] = "memory"
    partition_attribute: Annotated[str, Field(min_length=1, description="Attribute that is the part of one.")] = ""


class Accelerator(Values):
    """A resource name that stands for accelerators."""

    resource_name: Annotated[str, Field(min_length=1, description="Resource name that pods request; `*` covers any.")]
    vendor: Annotated[str, Field(min_length=1, max_length=63, description="Who makes it.")]
    model: Annotated[str, Field(min_length=1, max_length=63, description="The model, where no label tells it.")] = (
        "unknown"
    )
    model_label: Annotated[str, Field(min_length=1, description="Label of machines whose value is the model.")] = ""
    memory_label: Annotated[str, Field(min_length=1, description="Label whose value is the memory of one.")] = ""
    memory_unit: Annotated[Literal["B", "MiB", "GiB"], Field(description="Of a number without a suffix.")] = "MiB"
    partition_profile: Annotated[str, Field(min_length=1, max_length=63, description="The part of one it is.")] = ""
    shares: Annotated[Shares | None, Field(description="How pods ask for a part of one.")] = None
    devices: Annotated[Devices | None, Field(description="How ResourceSlices tell of them.")] = None


class Hub(Values):
    """How the hub works."""

    currency: Annotated[
        str, Field(pattern=r"^[A-Z]{3}$", description="The one currency the hub bills in, an ISO 4217 code.")
    ] = "CNY"
    accelerators: Annotated[
        list[Accelerator], Field(description="Entries that go before the built-in table of accelerators.")
    ] = []
    allow_exec: Annotated[
        bool,
        Field(
            description="Let members' kubeconfigs run credential plugins in the hub's container: whoever writes such a "
            "Secret can then run programs there. The image has none; add them by `extraVolumes`."
        ),
    ] = False
    log_level: Annotated[Literal["debug", "info", "warning"], Field(description="What is logged.")] = "info"
    log_format: Annotated[Literal["json", "console"], Field(description="How log lines look.")] = "json"
    extra_args: Annotated[list[str], Field(description="More options of `isthmus hub`.")] = []


class Quota(Values):
    """What of the account may run at once, over all nodes together; what is empty is not limited."""

    gpus: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Field(
            description="Accelerators by model, as jobs name it: `A100: 8`. `*` is all together, `MODEL/PROFILE` one "
            "partition profile."
        ),
    ] = {}
    cores: Annotated[str, Field(pattern=rf"^$|{_QUANTITY}", description="Cores that its pods request.")] = ""
    memory: Annotated[str, Field(pattern=rf"^$|{_QUANTITY}", description="Memory that they request.")] = ""


class Account(Values):
    """One account's part in the fleet, and its limits."""

    weight: Annotated[
        int, Field(ge=1, le=1_000_000, description="Its share of what is scarce, in proportion to those of others.")
    ] = 1
    quota: Quota = Quota()
    ceiling: Annotated[
        str,
        Field(
            pattern=r"^((0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?)?$",
            description="What may run at once by its price per hour, in `hub.currency`; empty is without one.",
        ),
    ] = ""


class Accounts(Values):
    """Accounts: how they share the fleet, and what they may hold. The hub takes in a change without a restart."""

    half_life_seconds: Annotated[
        int,
        Field(ge=1, le=31_622_400, description="After so long what an account has used counts half in its share."),
    ] = 604_800
    default: Account = Account()
    named: Annotated[
        dict[str, Account],
        Field(description="Accounts by name, as `default` is; one that is named takes nothing from there."),
    ] = {}


class Persistence(Values):
    """The volume of a SQLite ledger."""

    enabled: Annotated[
        bool, Field(description="Keep it on a PersistentVolumeClaim. Without, it goes with the pod: for trials only.")
    ] = True
    existing_claim: Annotated[
        str, Field(pattern=_SUBDOMAIN, description="A claim of yours to use instead of making one.")
    ] = ""
    size: Annotated[str, Field(pattern=_QUANTITY, description="What the claim asks for.")] = "10Gi"
    storage_class: Annotated[
        str, Field(description="Its StorageClass; empty for the cluster's default, `-` for none.")
    ] = ""
    access_modes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]],
        Field(min_length=1, description="Its access modes."),
    ] = ["ReadWriteOnce"]
    annotations: Annotated[Strings, Field(description="Annotations of the claim.")] = {}
    keep: Annotated[
        bool,
        Field(
            description="Leave the claim, and so every bill, on `helm uninstall`, and when the ledger is moved to "
            "another claim or to PostgreSQL. Without, Helm deletes it then."
        ),
    ] = True


class LedgerSecret(Values):
    """A Secret of yours with the ledger's URL."""

    name: Annotated[str, Field(pattern=_SUBDOMAIN, description="Its name; empty for none.")] = ""
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", description="The key with the URL.")] = "url"


class Ledger(Values):
    """Where usage is booked: a SQLite file on a volume, or PostgreSQL by a URL."""

    persistence: Persistence = Persistence()
    url: Annotated[
        str,
        Field(
            pattern=r"^(postgresql\+psycopg://.+)?$",
            description="URL of a PostgreSQL ledger, `postgresql+psycopg://user:password@host/database`, whose driver "
            "the image has. The chart puts it into a Secret; Helm keeps it in the release as well, so prefer "
            "`ledger.existingSecret`. A new one is read by a hub that is started anew: `kubectl rollout restart`.",
        ),
    ] = ""
    existing_secret: LedgerSecret = LedgerSecret()


class QueryService(Values):
    """The Service that the cluster's API server reaches it by."""

    port: Annotated[Port, Field(description="Port of the Service.")] = 443
    external_name: Annotated[
        str,
        Field(
            description="A name to make it an ExternalName Service, for a hub that runs outside the cluster; the API "
            "server then calls that name at that port."
        ),
    ] = ""


class Query(Values):
    """The aggregated API `query.isthmus.dev`: explanations and logs."""

    enabled: Annotated[bool, Field(description="Serve it, and register it with the cluster.")] = True
    service: QueryService = QueryService()


class ServiceMonitor(Values):
    """The Prometheus operator's ServiceMonitor."""

    enabled: Annotated[bool, Field(description="Make one. Its CRD must be there.")] = False
    namespace: Annotated[str, Field(pattern=_NAME, description="Its namespace; the release's where it is empty.")] = ""
    interval: Annotated[str, Field(pattern=_DURATION, description="How often metrics are read.")] = "30s"
    scrape_timeout: Annotated[str, Field(pattern=_DURATION, description="How long that may take.")] = "10s"
    labels: Annotated[Labels, Field(description="Labels by which your Prometheus selects it.")] = {}
    annotations: Annotated[Strings, Field(description="Annotations of it.")] = {}
    honor_labels: Annotated[bool, Field(description="Keep labels of metrics where they clash.")] = False
    relabelings: Annotated[Objects, Field(description="Relabelings of the target.")] = []
    metric_relabelings: Annotated[Objects, Field(description="Relabelings of its metrics.")] = []


class Metrics(Values):
    """Metrics, at `/metrics` of the Service."""

    scrape_annotations: Annotated[
        bool, Field(description="Put `prometheus.io/*` annotations on the pod, for a Prometheus without its operator.")
    ] = False
    service_monitor: ServiceMonitor = ServiceMonitor()


class Service(Values):
    """The Service for health and metrics."""

    port: Annotated[Port, Field(description="Its port.")] = 8080
    annotations: Annotated[Strings, Field(description="Annotations of it.")] = {}
    labels: Annotated[Labels, Field(description="More labels of it.")] = {}


class Egress(Values):
    """Where the hub may call to."""

    api_server_ports: Annotated[
        list[Port],
        Field(min_length=1, description="Ports of the hub's API server and of the members'."),
    ] = [443, 6443]
    api_server_cidrs: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]],
        Field(description="Networks of these API servers, as CIDRs; anywhere where it is empty."),
    ] = []
    dns_ports: Annotated[
        list[Port],
        Field(min_length=1, description="Ports of the cluster's DNS pods; 5353 on OpenShift."),
    ] = [53]
    extra: Annotated[Objects, Field(description="More egress rules, such as to PostgreSQL or a proxy.")] = []


class NetworkPolicy(Values):
    """A NetworkPolicy around the hub."""

    enabled: Annotated[bool, Field(description="Make one.")] = False
    metrics_from: Annotated[
        Objects, Field(description="Peers that may read health and metrics; anybody where it is empty.")
    ] = []
    egress: Egress = Egress()


class Proxy(Values):
    """A proxy on the way to members' API servers. One with a password goes into `extraEnv`, from a Secret."""

    http_proxy: Annotated[str, Field(pattern=r"^(https?://.+)?$", description="`HTTP_PROXY`, a URL.")] = ""
    https_proxy: Annotated[str, Field(pattern=r"^(https?://.+)?$", description="`HTTPS_PROXY`, a URL.")] = ""
    no_proxy: Annotated[
        str,
        Field(
            description="`NO_PROXY`: names, suffixes, addresses and CIDRs, by commas. The hub's own API server is "
            "added."
        ),
    ] = ""


class ServiceAccount(Values):
    """The hub's identity."""

    create: Annotated[bool, Field(description="Make it.")] = True
    name: Annotated[
        str, Field(pattern=_SUBDOMAIN, description="Its name; the release's full name where it is empty.")
    ] = ""
    annotations: Annotated[Strings, Field(description="Annotations of it.")] = {}


class RBAC(Values):
    """Roles."""

    create: Annotated[bool, Field(description="Make the hub's roles and their bindings.")] = True
    people: Annotated[bool, Field(description="Make the ClusterRoles viewer, editor and finance for people.")] = True
    aggregate: Annotated[
        bool, Field(description="Let whoever has Kubernetes' `view`, `edit` or `admin` have viewer and editor too.")
    ] = True


class AdmissionPolicy(Values):
    """The ValidatingAdmissionPolicy that confines the hub's identity to its own namespaces."""

    enabled: Annotated[bool, Field(description="Install it.")] = True


class LocalMember(Values):
    """The hub's own cluster as a member (`access.local` of a ComputeNode)."""

    enabled: Annotated[bool, Field(description="Give the hub a member's rights in its own cluster.")] = False


class Probe(Values):
    """When the kubelet asks, and when it believes a no."""

    period_seconds: Annotated[Seconds, Field(description="Seconds between two questions.")] = 10
    timeout_seconds: Annotated[Seconds, Field(description="Seconds that an answer may take.")] = 5
    failure_threshold: Annotated[int, Field(ge=1, le=1000, description="How many noes in a row count.")] = 3


class Probes(Values):
    """Probes: `startup` and `liveness` ask `/healthz`, `readiness` asks `/readyz`."""

    startup: Annotated[Probe, Field(description="Until the process has begun.")] = Probe(
        period_seconds=2, failure_threshold=60
    )
    liveness: Annotated[Probe, Field(description="Else the container is started again.")] = Probe(failure_threshold=6)
    readiness: Annotated[Probe, Field(description="Else the pod is not Ready.")] = Probe(period_seconds=5)


class HelmTest(Values):
    """`helm test`."""

    enabled: Annotated[bool, Field(description="Have the pod that it runs.")] = True
    timeout_seconds: Annotated[Seconds, Field(description="How long the hub may take to be ready.")] = 60


_POD_SECURITY: Object = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_RESOURCES: Object = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}


class ChartValues(Values):
    """All values of the chart."""

    name_override: Annotated[str, Field(pattern=_NAME, max_length=63, description="Instead of the chart's name.")] = ""
    fullname_override: Annotated[
        str, Field(pattern=_NAME, max_length=50, description="Instead of the release's and the chart's name.")
    ] = ""
    common_labels: Annotated[
        Labels, Field(description="Labels of every object, beside those of the chart, which can't be set.")
    ] = {}
    image: Image = Image()
    image_pull_secrets: Annotated[list[PullSecret], Field(description="Secrets to pull the image with.")] = []
    replicas: Annotated[
        int, Field(ge=0, le=1, description="1, or 0 to halt the hub. Two would act on the same jobs.")
    ] = 1
    crds: CRDs = CRDs()
    hub: Hub = Hub()
    accounts: Accounts = Accounts()
    ledger: Ledger = Ledger()
    query: Query = Query()
    service: Service = Service()
    metrics: Metrics = Metrics()
    network_policy: NetworkPolicy = NetworkPolicy()
    proxy: Proxy = Proxy()
    service_account: ServiceAccount = ServiceAccount()
    rbac: RBAC = RBAC()
    admission_policy: AdmissionPolicy = AdmissionPolicy()
    local_member: LocalMember = LocalMember()
    resources: Annotated[Object, Field(description="Requests and limits of the hub's container.")] = _RESOURCES
    probes: Probes = Probes()
    pod_security_context: Annotated[
        Object, Field(description="Security context of the pod: fit for the PodSecurity level `restricted`.")
    ] = _POD_SECURITY
    security_context: Annotated[Object, Field(description="Security context of the container, likewise.")] = (
        _CONTAINER_SECURITY
    )
    termination_grace_period_seconds: Annotated[
        int, Field(ge=0, le=3600, description="Seconds that the hub has to end in good order.")
    ] = 30
    pod_annotations: Annotated[Strings, Field(description="Annotations of the pod.")] = {}
    pod_labels: Annotated[Labels, Field(description="More labels of the pod.")] = {}
    node_selector: Annotated[Strings, Field(description="Labels of machines that it may run on.")] = {}
    tolerations: Annotated[Objects, Field(description="Taints that it tolerates.")] = []
    affinity: Annotated[Object, Field(description="Where it would rather run, or not.")] = {}
    priority_class_name: Annotated[str, Field(pattern=_SUBDOMAIN, description="Its PriorityClass.")] = ""
    extra_env: Annotated[Objects, Field(description="More environment variables of the container.")] = []
    extra_volumes: Annotated[Objects, Field(description="More volumes of the pod.")] = []
    extra_volume_mounts: Annotated[Objects, Field(description="Where the container has them.")] = []
    extra_objects: Annotated[
        list[Object | str],
        Field(description="More objects, as YAML or as text; templates in them are rendered."),
    ] = []
    helm_test: HelmTest = HelmTest()
