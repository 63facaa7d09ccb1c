"""kind and the container engine below it, as commands."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

IMAGE_VARIABLE = "KIND_IMAGE"
ENGINE_VARIABLE = "CONTAINER_ENGINE"
NETWORK = "kind"  # kind puts every cluster's containers on this one
ANSWER_SECONDS = 20
RUN_SECONDS = 120
CREATE_SECONDS = 300
LOAD_SECONDS = 300
TAIL = 1200  # characters of an output that a failure shows


class KindError(RuntimeError):
    """kind, its container engine or its node image is missing or failed; the message says what to do."""


class Engine:
    """Docker or Podman, and kind on top of it."""

    def __init__(self, name: str, kind: str, environment: Mapping[str, str]) -> None:
        """Made by `find`."""
        self.name = name
        self.image = environment.get(IMAGE_VARIABLE) or None
        self._kind = kind
        self._environment = dict(environment)
        if name == "podman":
            self._environment.setdefault("KIND_EXPERIMENTAL_PROVIDER", "podman")

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The engine that CONTAINER_ENGINE names (docker), with kind from PATH and the node image KIND_IMAGE.

        Raises KindError where one of them is not there or does not answer.
        """
        name = environment.get(ENGINE_VARIABLE) or "docker"
        path = environment.get("PATH", os.defpath)
        if shutil.which(name, path=path) is None:
            raise KindError(
                f"{name} was not found: kind needs a container engine. Install Docker, or Podman and set "
                f"{ENGINE_VARIABLE}=podman; `make test` runs the same suite without one"
            )
        asked = _output([name, "info"], ANSWER_SECONDS, environment)
        if asked.returncode:
            raise KindError(f"{name} does not answer: {_last(asked)}; start it, or say by DOCKER_HOST where it is")
        kind = shutil.which("kind", path=path)
        if kind is None:
            raise KindError("kind was not found: install it (https://kind.sigs.k8s.io) and put it on PATH")
        return cls(name, kind, environment)

    def run(self, *arguments: str, check: bool = True, seconds: float = RUN_SECONDS) -> str:
        """What the container engine prints. Raises KindError where it fails and `check` is set."""
        return self._checked([self.name, *arguments], seconds, check=check)

    def kind(self, *arguments: str, seconds: float = RUN_SECONDS) -> str:
        """What kind prints. Raises KindError where it fails."""
        return self._checked([self._kind, *arguments], seconds)

    def has_image(self, image: str) -> bool:
        """Whether the engine holds this image."""
        return _output([self.name, "image", "inspect", image], ANSWER_SECONDS, self._environment).returncode == 0

    def fetch(self, image: str) -> None:
        """Makes sure that the engine holds this image. Raises KindError where it can't be pulled either."""
        if self.has_image(image):
            return
        pulled = _output([self.name, "pull", image], LOAD_SECONDS, self._environment)
        if pulled.returncode:
            raise KindError(f"the image {image} is not here and can't be pulled: {_last(pulled)}")

    def create(self, cluster: str, config: Path, kubeconfig: Path, marks: Mapping[str, str]) -> None:
        """Makes a cluster whose nodes are Ready; `marks` are set in the environment of what is started meanwhile.

        Raises KindError with the end of what kind said.
        """
        if self.image is not None:
            try:
                self.fetch(self.image)
            except KindError as error:
                raise KindError(f"{error}; {IMAGE_VARIABLE} chooses the node image") from None
        chosen = [f"--image={self.image}"] if self.image else []
        command = [self._kind, "create", "cluster", f"--name={cluster}", f"--config={config}"]
        command += [f"--kubeconfig={kubeconfig}", "--wait=180s", *chosen]
        done = _output(command, CREATE_SECONDS, {**self._environment, **marks})
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-TAIL:]
            mend = f"; {IMAGE_VARIABLE} chooses a node image that is here" if "pull" in said else ""
            raise KindError(f"kind could not make {cluster}{mend}:\n{said}")

    def load(self, image: str, cluster: str) -> None:
        """Puts an image of the engine into a cluster's nodes."""
        self.kind("load", "docker-image", image, f"--name={cluster}", seconds=LOAD_SECONDS)

    def deletion(self, cluster: str, kubeconfig: Path) -> Sequence[str]:
        """The command that leaves nothing of a cluster; it does no harm where there is none."""
        return [self._kind, "delete", "cluster", f"--name={cluster}", f"--kubeconfig={kubeconfig}"]

    def delete(self, cluster: str, kubeconfig: Path) -> None:
        """Ends a cluster."""
        self._checked(self.deletion(cluster, kubeconfig), RUN_SECONDS)

    def _checked(self, command: Sequence[str], seconds: float, *, check: bool = True) -> str:
        done = _output(command, seconds, self._environment)
        if check and done.returncode:
            raise KindError(f"{' '.join(command)}: {(done.stdout + done.stderr).strip()[-TAIL:]}")
        return done.stdout


def _output(
    command: Sequence[str], seconds: float, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KindError(f"{' '.join(command[:4])} … did not end within {seconds:.0f} s") from error


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1] if lines else f"code {done.returncode}"
