"""Which pages' commands are run, where, and the few lines that are not, each with its reason.

Every bash block of every page is run word for word by tests/cluster/docs, but for the lines listed here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.unit.docs.pages import PAGES, Page


@dataclass(frozen=True)
class Skipped:
    """A line of a page that is not run."""

    page: str
    line: str
    why: str
    same_in: str = ""
    """A page where the same line is run."""


_INSTALL = "helm install isthmus charts/isthmus --kube-context hub --namespace isthmus-system --create-namespace"
_SHORT = "helm install isthmus charts/isthmus --namespace isthmus-system --create-namespace"
_TEMPLATE = (
    "helm template isthmus charts/isthmus --namespace isthmus-system --skip-tests | "
    "kubectl --context hub apply --server-side -f -"
)
_NO_IMAGE = "No machine of the hub runs an image here; the tests of the chart run the pod's own command."
_STARTED = "The test starts the same program, in a folder of its own."
_RELEASED = "The hub is there already, as a release; docs/hub.md's first command is the same in another context."
_PLAY = "make playground   # a hub with two members; `source build/playground/env` in another terminal leads there"
_DEMO = "make demo         # a hub and four members run 240 jobs in the form of a GPU cluster trace, then show the bill"
SKIPPED = (
    Skipped("README.md", _INSTALL, "The playground has it installed.", same_in="docs/hub.md"),
    Skipped("README.md", _PLAY, _STARTED),
    Skipped(
        "README.md",
        _DEMO,
        "It takes five clusters for minutes; its parts have tests, and it checks itself and fails by itself.",
    ),
    Skipped("charts/isthmus/README.md", _SHORT, _RELEASED),
    Skipped("charts/isthmus/README.md", "helm test isthmus --namespace isthmus-system", _NO_IMAGE),
    Skipped("docs/hub.md", "kubectl --context hub -n isthmus-system rollout status deployment/isthmus", _NO_IMAGE),
    Skipped("docs/hub.md", "helm test isthmus --kube-context hub --namespace isthmus-system", _NO_IMAGE),
    Skipped("docs/hub.md", "kubectl --context hub create namespace isthmus-system", _RELEASED),
    Skipped("docs/hub.md", _TEMPLATE, _RELEASED),
    Skipped("docs/hub.md", "make install", "It has made the environment that runs the test."),
    Skipped("docs/tutorial.md", "make playground", _STARTED),
)


@dataclass(frozen=True)
class Shown:
    """A console block of a page: what somebody would see, and no test of the pages runs."""

    page: str
    first: str
    why: str


_QUERY = "tests/cluster/query asks just this; the hub of the pages' tests serves no query API."
_EXPLANATION = "kubectl get --raw /apis/query.isthmus.dev/v1alpha1/namespaces/team-a/computejobs/train/explanation"
_LOG = (
    "kubectl get --raw '/apis/query.isthmus.dev/v1alpha1/namespaces/team-a/computejobs/train/log?index=3&tailLines=100'"
)
SHOWN = (
    Shown("docs/hub.md", "curl -s localhost:8080/readyz", "tests/cluster/federation takes permissions away and asks."),
    Shown("docs/hub.md", "kubectl isthmus top accounts", _QUERY),
    Shown("docs/jobs.md", _EXPLANATION, _QUERY),
    Shown("docs/jobs.md", "kubectl isthmus logs train --index 3 --follow -n team-a", _QUERY),
    Shown("docs/jobs.md", _LOG, _QUERY),
    Shown(
        "docs/nodes.md",
        "kubectl isthmus node forget east --yes --context hub",
        "It refuses while the node is reached; tests/cluster/cli cuts a node off and forgets it.",
    ),
    Shown("docs/performance.md", "make bench", "It measures for minutes; it is run where its figures are recorded."),
    Shown("docs/placement.md", "kubectl isthmus explain train -n team-a -o json", _QUERY),
    Shown(
        "docs/simulator.md",
        "isthmus simulate batch --nodes nodes.yaml --jobs jobs.yaml -o json",
        "tests/unit/cli/simulate runs it on manifests of its own.",
    ),
    Shown(
        "docs/simulator.md",
        "isthmus simulate trace --nodes hack/demo/sample/openb_node_list_all_node.csv "
        "--pods hack/demo/sample/openb_pod_list_gpuspec33.csv",
        "tests/unit/cli/simulate runs both commands on this sample.",
    ),
    Shown(
        "docs/simulator.md",
        "isthmus simulate replay --nodes openb_node_list_gpu_node.csv --pods openb_pod_list_default.csv "
        "--first-day 116 --plot replay.png",
        "The trace is not part of the checkout.",
    ),
    Shown(
        "docs/tutorial.md",
        "for name in hub east west north; do kind create cluster --name $name && "
        "kubectl config rename-context kind-$name $name; done",
        "make e2e-kind takes these steps, which need a container engine.",
    ),
    Shown("docs/testbed.md", "make e2e-kind", "It needs a container engine; it is the end-to-end suite itself."),
    Shown("docs/testbed.md", "make image TAG=dev", "It needs a container engine; make e2e-kind builds the image."),
    Shown("docs/testbed.md", "make base-image", "It needs a container engine and the rights of root."),
    Shown("docs/testbed.md", "make tools", "It starts what tests/testbed start in code, and waits for Ctrl-C."),
    Shown("docs/members-queue.md", "kubectl create -f - <<EOF", "hack/kueuetrial does so; it takes Kueue."),
)
# Run where `make playground` leads: a hub, the nodes east and west, and the cluster north.
PLAYGROUND = ("README.md", "docs/tutorial.md", "examples/")


def commands_pages() -> tuple[Page, ...]:
    """The pages with commands."""
    return tuple(page for page in PAGES if page.steps())


def in_playground(page: Page) -> bool:
    """Whether a page's commands are run in a playground; the others are run at a desk that they install themselves."""
    return page.name.startswith(PLAYGROUND)


def in_order(pages: Iterable[Page], first: Iterable[str], last: Iterable[str] = ()) -> list[Page]:
    """The pages, with those named before or after all others."""
    begin, end = list(first), list(last)
    ranks = {name: number - len(begin) for number, name in enumerate(begin)}
    ranks |= {name: number + 1 for number, name in enumerate(end)}
    return sorted(pages, key=lambda page: (ranks.get(page.name, 0), page.name))


def runnable(page: Page) -> list[tuple[str, str | None]]:
    """A page's steps without the lines that are not run; what is promised of a whole block stays."""
    left = {each.line for each in SKIPPED if each.page == page.name}
    steps = [
        ("\n".join(line for line in script.splitlines() if line not in left), promised)
        for script, promised in page.steps()
    ]
    return [(script, promised) for script, promised in steps if script.strip()]
