"""The accounts' file: read at the start, and again whenever it changes, as a mounted ConfigMap does by itself."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import structlog
import yaml

from isthmus.api.accounts import AccountsConfig
from isthmus.errors import HubError

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
LARGEST_BYTES = 4 << 20


class AccountsFile:
    """One file. What it says last without a fault is in force."""

    def __init__(self, path: Path, text: str) -> None:
        """Raises ValueError where the text is wrong."""
        self._path = path
        self._seen = text
        self.config = parse(text)
        """What it says, as the hub starts."""
        self.problem = ""
        """What is wrong with the file as it is now; empty where it is in force."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file as the hub starts. Raises HubError where it can't be read or is wrong."""
        try:
            return cls(path, _text(path))
        except (OSError, ValueError) as error:
            raise HubError(f"the accounts' file {path} is wrong: {error}", "mend it, or start without it") from error

    async def follow(self, on_change: Callable[[AccountsConfig], None]) -> None:
        """Look every two seconds, until cancelled; what is wrong is told in the log, and changes nothing."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            changed = await asyncio.to_thread(self.look)
            if changed is not None:
                logger.info("accounts changed", named=len(changed.named), half_life_seconds=changed.half_life_seconds)
                on_change(changed)

    def look(self) -> AccountsConfig | None:
        """The settings, where the file has changed and is right."""
        try:
            text = _text(self._path)
            if text == self._seen:
                return None
            self._seen = text
            config = parse(text)
        except (OSError, ValueError) as error:
            if str(error) != self.problem:
                logger.warning(
                    "the accounts' file is wrong, what it said before stays in force",
                    path=str(self._path),
                    error=str(error),
                )
            self.problem = str(error)
            return None
        self.problem = ""
        return config


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it is longer than {LARGEST_BYTES >> 20} MiB")
    return content.decode()


def parse(text: str) -> AccountsConfig:
    """The settings in YAML. Raises ValueError, which names what is wrong and where."""
    try:
        content = yaml.load(text, Loader=_Once)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {error}") from error
    return AccountsConfig.read(content)


class _Once(yaml.SafeLoader):
    """Refuses a key that stands twice: one of the two would be passed over silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As PyYAML does, after a look for keys that repeat."""
        seen: set[object] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if isinstance(name, str):
                if name in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", key.start_mark)
                seen.add(name)
        return super().construct_mapping(node, deep)
