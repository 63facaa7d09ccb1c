"""The generated files: what each should hold, and what differs."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from isthmus.api.kinds import KINDS
from isthmus.api.names import GROUP

from .chart import chart_files
from .commands import commands
from .crd import crd
from .metrics import metrics
from .reasons import reasons
from .reference import reference
from .yamltext import yaml_text

_MEMBER = Path(__file__).resolve().parents[2] / "operator" / "isthmus" / "cli" / "member"
_COPIES = {"deploy/member.yaml": "member.yaml", "deploy/member-index-policy.yaml": "index-policy.yaml"}
_COPIED = "# Copied from operator/isthmus/cli/member/ by `make generate`; change it there.\n"
_BANNER = "# Rendered from the models by `make generate`; change operator/isthmus/api instead.\n"


def rendered() -> dict[str, str]:
    """The content of every generated file by its path in the checkout."""
    crds = {f"crds/{GROUP}_{kind.plural}.yaml": _BANNER + yaml_text(crd(kind)) for kind in KINDS}
    copies = {path: _COPIED + (_MEMBER / source).read_text() for path, source in _COPIES.items()}
    pages = {
        "docs/reference/api.md": reference(),
        "docs/reference/cli.md": commands(),
        "docs/reference/metrics.md": metrics(),
        "docs/reference/reasons.md": reasons(),
    }
    return {**crds, **copies, **pages, **chart_files()}


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
