"""The generated files: what each should hold, and what differs."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from isthmus.api.kinds import KINDS
from isthmus.api.names import GROUP

from .crd import crd
from .reasons import reasons
from .reference import reference

_BANNER = "# Rendered from the models by `make generate`; change operator/isthmus/api instead.\n"
_WIDTH = 120


def rendered() -> dict[str, str]:
    """The content of every generated file by its path in the checkout."""
    crds = {f"crds/{GROUP}_{kind.plural}.yaml": _BANNER + _yaml(crd(kind)) for kind in KINDS}
    return {**crds, "docs/reference/api.md": reference(), "docs/reference/reasons.md": reasons()}


def differences(root: Path, files: Mapping[str, str]) -> Iterator[str]:
    """A unified diff for each file below `root` that does not hold what it should."""
    for name, content in files.items():
        path = root / name
        present = path.read_text() if path.exists() else ""
        if present != content:
            lines = difflib.unified_diff(
                present.splitlines(keepends=True),
                content.splitlines(keepends=True),
                f"{name} (is)",
                f"{name} (should be)",
            )
            yield "".join(lines)


def write(root: Path, files: Mapping[str, str]) -> None:
    """Writes each file below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


class _Dumper(yaml.SafeDumper):
    """Sets lists apart from their key, and repeats no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # as the base
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _yaml(manifest: Mapping[str, object]) -> str:
    text = yaml.dump(dict(manifest), Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return str(text)
