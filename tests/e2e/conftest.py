"""One installation for the whole run: local control planes, or with --provider=kind clusters of containers."""

from collections.abc import Generator, Iterator

import pytest
from tests.cluster.federation.podrecorder import PodRecorder

from federation import gpu_machine
from installation import Installation
from testbed import BuildError
from testbed.kind import KindError, KindProvider

MEMBERS = {
    "east": gpu_machine("east-1", "NVIDIA-A100-SXM4-40GB", 4),
    "west": gpu_machine("west-1", "Tesla-T4", 4),
}
LOG_LINES = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which clusters, and which image."""
    group = parser.getgroup("isthmus")
    group.addoption("--provider", choices=["local", "kind"], default="local", help="what makes the clusters")
    group.addoption("--image", help="the hub's image on kind; one is built where none is named")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known; end at once, with one line, where kind can't work here."""
    config.addinivalue_line("markers", "last: runs after all others, for it ends what they need")
    if config.getoption("--provider") == "kind":
        try:
            config.stash[PROVIDER] = KindProvider()
        except KindError as error:
            pytest.exit(f"error: {error}", returncode=1)


PROVIDER = pytest.StashKey[KindProvider]()
SITE = pytest.StashKey[Installation]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests marked `last` behind all others of this suite."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A hub and the members, installed by Helm and `kubectl isthmus node add`."""
    config = request.config
    try:
        with Installation(
            MEMBERS, kind=config.stash.get(PROVIDER, None), image=config.getoption("--image")
        ) as installation:
            config.stash[SITE] = installation
            yield installation
    except (KindError, BuildError) as error:
        pytest.exit(f"error: {error}", returncode=1)


@pytest.fixture(scope="session")
def recorder(site: Installation) -> Iterator[PodRecorder]:
    """Every pod that ever was in the members."""
    with PodRecorder({name: site.clusters[name] for name in site.members}) as recorder:
        yield recorder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the hub says of it."""
    report = yield
    site = item.config.stash.get(SITE, None)
    if site is not None and report.when == "call" and report.failed:
        report.sections.append(("nodes and jobs", site.desk.kubectl("get", "cn,cjob", "-A", "-o", "wide", check=False)))
        report.sections.append(("the hub's log", "\n".join(site.operator.log().splitlines()[-LOG_LINES:])))
    return report
