"""The README and the pages of docs/ taken apart: blocks, links, words in code, tables, headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(r"<<'(\w+)'\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """A table's header and rows; cells as they are written."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the checkout."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """All of it but fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [text for found, text in _FENCE.findall(self.text) if found == language]

    def links(self) -> list[str]:
        """The targets of its links."""
        return _LINK.findall(re.sub(r"`[^`]*`", "", self.prose))

    def words(self) -> list[str]:
        """What stands in backticks."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    def anchors(self) -> set[str]:
        """What a link can lead to, as GitHub makes it of the headings."""
        titles = [re.sub(r"[`*]", "", title).strip().lower() for title in _HEADING.findall(self.prose)]
        return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}

    def commands(self) -> list[str]:
        """The lines of its bash blocks, without comments and without what is handed to them as input.

        A command that goes on in the next line counts as one.
        """
        blocks = [_HEREDOC.sub("", block).replace("\\\n", " ") for block in self.blocks("bash")]
        lines = [line for block in blocks for line in block.splitlines()]
        return [command for line in lines if (command := re.sub(r"(^|\s)#.*", "", line).strip())]

    def documents(self) -> list[Any]:
        """Each YAML document of its yaml blocks and of what its commands are handed as input."""
        texts = [*self.blocks("yaml"), *(text for block in self.blocks("bash") for _, text in _HEREDOC.findall(block))]
        return [document for text in texts for document in yaml.safe_load_all(text) if document is not None]

    def tables(self) -> Iterator[Table]:
        """Its tables."""
        for block in re.findall(r"(?:^\|.*\|$\n?)+", self.prose, re.MULTILINE):
            lines = [tuple(cell.strip() for cell in line.strip("|").split(" |")) for line in block.splitlines()]
            cells = [tuple(cell.removeprefix("|").strip() for cell in line) for line in lines]
            yield Table(cells[0], tuple(cells[2:]))


def _pages() -> tuple[Page, ...]:
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    return tuple(Page(path) for path in sorted(paths))


PAGES = _pages()
NAMES = [page.name for page in PAGES]


def page(name: str) -> Page:
    """The page of that path."""
    return next(each for each in PAGES if each.name == name)
