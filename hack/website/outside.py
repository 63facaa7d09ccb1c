"""Files of the checkout that pages link to and that lie outside docs/, such as the examples: taken into the site.

mkdocs knows only what lies below docs/. Here each linked file outside comes along under its path in the checkout, and
so does what is linked from it; links are turned to where their targets stand in the site. So the same links lead
somewhere in the checkout and in the site.
"""

import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_FENCED = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


class Places:
    """Where files of the checkout at `root` stand in a site whose own pages lie in `docs`."""

    def __init__(self, root: Path, docs: Path) -> None:
        self._root = root
        self._docs = docs

    def uri(self, path: Path) -> str:
        """The path within the site's sources."""
        base = self._docs if path.is_relative_to(self._docs) else self._root
        return path.relative_to(base).as_posix()

    def path(self, uri: str) -> Path:
        """The file of a path within the site's sources; a page of docs/ wins."""
        own = self._docs / uri
        return own if own.exists() else self._root / uri

    def targets(self, path: Path) -> list[Path]:
        """The files of the checkout that a page links to."""
        found = (self._target(path, match[1]) for text in _prose(path.read_text()) for match in LINK.finditer(text))
        return [target for target in found if target is not None]

    def outside(self, pages: Iterable[Path]) -> list[Path]:
        """The files outside docs/ that these pages lead to, over any number of links."""
        left, found = list(pages), set[Path]()
        while left:
            page = left.pop()
            new = {each for each in self.targets(page) if not each.is_relative_to(self._docs)} - found
            found |= new
            left += [each for each in new if each.suffix == ".md"]
        return sorted(found)

    def turned(self, markdown: str, path: Path) -> str:
        """The page's text with its links as they must be in the site."""
        here = posixpath.dirname(self.uri(path))

        def turn(match: re.Match[str]) -> str:
            target = self._target(path, match[1])
            if target is None:
                return match[0]
            return posixpath.relpath(self.uri(target), here or ".") + (match[2] or "")

        parts = _FENCED.split(markdown)
        return "".join(part if number % 2 else LINK.sub(turn, part) for number, part in enumerate(parts))

    def _target(self, page: Path, link: str) -> Path | None:
        target = Path(os.path.normpath(page.parent / link))
        return target if target.is_file() and target.is_relative_to(self._root) else None


def _prose(text: str) -> list[str]:
    """What stands between blocks and words of code."""
    return _FENCED.split(text)[::2]
