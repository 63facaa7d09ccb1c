"""The clusters after the run: commands to try against them, until Ctrl-C."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from demo.members import Member
from demo.objects import Object
from demo.source import CHECKOUT
from demo.stage import HUB, Stage
from demo.workload import Team
from isthmus.api.computejob import ComputeJob
from isthmus.api.names import API_VERSION
from testbed.binaries import locate

OLDEST_KUBECTL = (1, 35)  # one minor version below the API server's
TRIED = "hello"


def offer_access(stage: Stage, members: Sequence[Member], folder: Path) -> Path:
    """Puts kubeconfigs, a job to try and, where PATH has none that fits, kubectl into the folder; returns kubectl."""
    (folder / f"{HUB}.kubeconfig").write_bytes(stage.hub.kubeconfig().read_bytes())
    for member in members:
        (folder / f"{member.name}.kubeconfig").write_bytes(stage.member(member.name).kubeconfig().read_bytes())
    for path in folder.glob("*.kubeconfig"):
        path.chmod(0o600)
    (folder / f"{TRIED}.json").write_text(json.dumps(hello(), indent=2) + "\n")
    if _fits(shutil.which("kubectl")):
        return Path("kubectl")
    link = folder / "kubectl"
    link.symlink_to(locate(lambda _line: None).kubectl)
    return link.relative_to(CHECKOUT)


def withdraw_access(folder: Path) -> None:
    """Takes away what is of no use once the clusters are gone."""
    for path in (*folder.glob("*.kubeconfig"), folder / f"{TRIED}.json", folder / "kubectl"):
        path.unlink(missing_ok=True)


def hello() -> Object:
    """A small job for the user's own first try."""
    container = {"name": "main", "image": "busybox:1.37", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    return {
        "apiVersion": API_VERSION,
        "kind": "ComputeJob",
        "metadata": {"name": TRIED},
        "spec": {
            "template": {
                "completions": 3,
                "parallelism": 3,
                "completionMode": "Indexed",
                "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
            },
            "placement": {"objective": "Cheapest"},
        },
    }


def commands_screen(kubectl: Path, team: Team, explained: ComputeJob | None, folder: Path) -> RenderableType:
    """The next three commands; the second one is about the job that was explained."""
    where = folder.relative_to(CHECKOUT)
    own = f"-n {team.namespace}"
    job = f"{own} computejobs"
    if explained is not None:
        job = f"-n {explained.metadata['namespace']} computejob/{explained.metadata['name']}"
    commands = {
        "": (f"export KUBECONFIG={where / HUB}.kubeconfig",),
        "the members: what is free, what they cost": (f"{kubectl} get computenodes",),
        "all about the job explained above": (f"{kubectl} describe {job}",),
        "a job of your own": (
            f"{kubectl} apply {own} -f {where / TRIED}.json",
            f"{kubectl} wait {own} --for=condition=Complete computejob/{TRIED}",
        ),
    }
    texts = []
    for comment, lines in commands.items():
        texts += [Text(f"   # {comment}", "bright_black")] if comment else []
        texts += [Text(f"   {line}", "bold") for line in lines]
    return Group(*texts)


def _fits(kubectl: str | None) -> bool:
    """Whether this kubectl may speak to the clusters."""
    if kubectl is None:
        return False
    done = subprocess.run(
        [kubectl, "version", "--client", "--output=json"], capture_output=True, text=True, check=False
    )
    try:
        version = json.loads(done.stdout)["clientVersion"]
        return (int(version["major"]), int(version["minor"].rstrip("+"))) >= OLDEST_KUBECTL
    except (json.JSONDecodeError, KeyError, ValueError):
        return False
