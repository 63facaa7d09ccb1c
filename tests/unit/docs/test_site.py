"""The built site: whole, without dead links, and loading nothing from another host."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.unit.docs.pages import PAGES, ROOT

# What a browser fetches by itself, by the attribute that names it. A link that is only followed is none.
_LOADED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "embed": "src",
}
_CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


class _Document(HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what the tag names."""
        values = {key: value for key, value in attrs if value is not None}
        self.ids |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if (attribute := _LOADED.get(tag)) and attribute in values:
            self.loaded.append(values[attribute])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, where any warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[Path, _Document]:
    """Every page of the site, but for the one that servers show where there is none."""
    return {path: _Document(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}


def _elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme not in {"", "data"}


def _dead(path: Path, link: str, documents: dict[Path, _Document]) -> bool:
    """Whether a link within the site leads nowhere, or to a heading that is not there."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path not in {"", "."} else path
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return True
    anchored = parts.fragment and target in documents
    return bool(anchored) and unquote(parts.fragment) not in documents[target].ids


def test_no_link_is_dead(site: Path, documents: dict[Path, _Document]) -> None:
    """Every link within the site leads to a file, and to a heading in it where it names one."""
    found = [
        f"{path.relative_to(site)}: {link}"
        for path, document in documents.items()
        for link in document.links
        if not _elsewhere(link) and _dead(path, link, documents)
    ]
    assert found == []


def _loaded(site: Path, documents: dict[Path, _Document]) -> Iterator[tuple[str, str]]:
    for path, document in documents.items():
        yield from ((str(path.relative_to(site)), link) for link in document.loaded)
    for sheet in site.rglob("*.css"):
        for match in _CSS_URL.finditer(sheet.read_text()):
            yield str(sheet.relative_to(site)), match[1] or match[2]


def test_nothing_is_loaded_from_elsewhere(site: Path, documents: dict[Path, _Document]) -> None:
    """No page and no style sheet has a script, font, image or sheet from another host."""
    found = list(_loaded(site, documents))
    assert any(link.endswith(".css") for _, link in found)
    assert [(where, link) for where, link in found if _elsewhere(link)] == []


def test_every_page_is_in_the_site(site: Path) -> None:
    """Each page of docs/ and each example has its HTML page, with the headings and code blocks that it has."""
    for page in PAGES:
        if page.name.startswith(("docs/", "examples/")):
            name = page.name.removeprefix("docs/").replace("README.md", "index.html").replace(".md", ".html")
            html = (site / name).read_text()
            blocks = sum(1 for line in page.text.splitlines() if re.match(r"^\s*```\w", line))
            assert html.count("<pre><code class=") == blocks, name
            assert html.count("<table>") == len(list(page.tables())), name
