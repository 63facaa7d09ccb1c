"""`python -m generate` writes the generated files; with --check it fails where one differs."""

import argparse
import sys
from pathlib import Path

from .files import differences, rendered, write

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """The exit status: 1 where --check found a difference."""
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; print what differs and fail")
    arguments = parser.parse_args()
    files = rendered()
    if not arguments.check:
        write(ROOT, files)
        print(f"{len(files)} files rendered")
        return 0
    found = list(differences(ROOT, files))
    for difference in found:
        print(difference)
    if found:
        print(f"{len(found)} generated files differ from what the models render; run make generate", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
