"""YAML as this repository writes it."""

from collections.abc import Mapping

import yaml

_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Sets lists apart from their key, and repeats no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # as the base
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, _data: object) -> bool:
        return True


def yaml_text(value: Mapping[str, object]) -> str:
    """The value as a document, its keys in their own order."""
    text = yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return str(text)
