import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.unit.docs.pages import NAMES, PAGES, ROOT, Page

# Where links out of the checkout may lead: nothing checks them, so they are few and lasting.
HOSTS = frozenset(
    {
        "keepachangelog.com",
        "kind.sigs.k8s.io",
        "kwok.sigs.k8s.io",
        "semver.org",
    }
)
PACKAGE = ROOT / "operator" / "isthmus"
# Made by running something; a checkout does not hold them.
_MADE = ("build", ".venv", "ledger")
_PATH = re.compile(r"\.?[\w.-]+(/[\w.*-]+)*/?")
_FILE = re.compile(r"\.(py|md|yaml|toml|mod|csv|txt)$")


def _broken(page: Page, link: str) -> bool:
    target, _, anchor = link.partition("#")
    path = (page.path.parent / target).resolve() if target else page.path
    if not path.exists() or not path.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in Page(path).anchors()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Page) -> None:
    """Every relative link leads to a file of the checkout, and to a heading in it where it names one."""
    relative = [link for link in page.links() if not re.match(r"https?://", link)]
    assert [link for link in relative if _broken(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_elsewhere_lead_to_known_hosts(page: Page) -> None:
    """Every link out of the checkout is of https and of a host on the list."""
    outside = [urlsplit(link) for link in page.links() if re.match(r"[a-z]+:", link)]
    assert [link.geturl() for link in outside if link.scheme != "https" or link.hostname not in HOSTS] == []


def test_every_known_host_is_linked_to() -> None:
    """The list has no host that no page links to."""
    assert {urlsplit(link).hostname for page in PAGES for link in page.links() if ":" in link} == HOSTS


def _is_path(word: str) -> bool:
    """Whether the word is meant as a path of the checkout, or of the package."""
    if not _PATH.fullmatch(word) or word.startswith("../"):  # beside the checkout
        return False
    first, _, rest = word.partition("/")
    if first in _MADE and not (PACKAGE / word).exists():
        return False
    here = bool(rest or word.endswith("/")) and ((ROOT / first).is_dir() or (PACKAGE / first).is_dir())
    return here or (_FILE.search(word) is not None and "/" in word)


def _exists(word: str) -> bool:
    bases: tuple[Path, ...] = (ROOT, PACKAGE)
    return any(any(base.glob(word)) for base in bases)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_paths_exist(page: Page) -> None:
    """Every path that a page names in backticks or commands is there."""
    commands = [word for command in page.commands() for word in command.split()]
    paths = [word for word in (*page.words(), *commands) if _is_path(word)]
    assert [word for word in paths if not _exists(word.rstrip("/"))] == []


def test_every_page_is_in_the_index() -> None:
    """docs/README.md leads to each page of docs/, examples/README.md to each example."""
    index = next(page for page in PAGES if page.name == "docs/README.md")
    linked = {(index.path.parent / link.partition("#")[0]).resolve() for link in index.links()}
    assert [page.name for page in PAGES if page.path.is_relative_to(ROOT / "docs") and page.path not in linked] == [
        "docs/README.md"
    ]
    examples = [page for page in PAGES if page.name.startswith("examples/")]
    listed = {
        (path.parent / link).resolve() for path in [ROOT / "examples" / "README.md"] for link in Page(path).links()
    }
    assert [page.name for page in examples if page.path not in listed] == ["examples/README.md"]


def test_the_readme_is_one_screen() -> None:
    """The README has at most 60 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60
