"""`submit`: a job from a command line, for what needs no file."""

import asyncio
import secrets
import string
import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.api.instants import instant, instant_text
from isthmus.api.tier import Tier

from .complaint import Complaint
from .dryrun import DryRun
from .duration import whole_seconds_of
from .flags import Flags, with_flags
from .jobmanifest import Submission, job_manifest, name_for, toleration_of
from .nodemanifest import pairs
from .output import Form, without_bookkeeping, write

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

    from .models import Offered

_PLACE, _POD = "Where it runs", "Its pods"
_ENDING = 5
_PAUSE = 0.5


class OnNodeLost(StrEnum):
    """What becomes of work on a node that is lost."""

    WAIT = "Wait"
    RERUN = "Rerun"
    RERUN_UNFENCED = "RerunUnfenced"


class Objective(StrEnum):
    """What decides between nodes that would all do."""

    BALANCED = "Balanced"
    CHEAPEST = "Cheapest"
    GREENEST = "Greenest"
    FASTEST = "Fastest"


def _list(help_: str, metavar: str, panel: str = _PLACE) -> Any:  # noqa: ANN401 - typer's own type is private
    return typer.Option(metavar=metavar, help=f"{help_}; repeat it.", rich_help_panel=panel)


@with_flags
def submit(
    flags: Flags,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The container's image.")],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="After --: what it runs instead of the image's own.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="The job's name; one after the image if not given.")] = None,
    args: Annotated[bool, typer.Option("--args", help="COMMAND are arguments of the image's own program.")] = False,
    indexes: Annotated[int | None, typer.Option("--indexes", min=1, help="An Indexed job of so many.")] = None,
    parallelism: Annotated[int | None, typer.Option(min=1, help="Pods at once; all if not given.")] = None,
    priority: Annotated[int | None, typer.Option(help="The higher is placed before the lower.")] = None,
    backoff_limit: Annotated[int | None, typer.Option(min=0, help="How many pods may fail.")] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When it is to be done; it may pay more for that.")
    ] = None,
    active_deadline: Annotated[str | None, typer.Option(metavar="TIME", help="Stop it after so long.")] = None,
    ttl: Annotated[str | None, typer.Option(metavar="TIME", help="Delete it so long after its end.")] = None,
    suspend: Annotated[bool, typer.Option("--suspend", help="Do not start it yet.")] = False,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label of it and its pods; repeat it.")
    ] = None,
    gpus: Annotated[
        int | None, typer.Option("--gpus", min=0, help="Accelerators of a pod; 1 with --model.", rich_help_panel=_POD)
    ] = None,
    model: Annotated[list[str] | None, _list("A model that will do, such as A100", "MODEL", _POD)] = None,
    gpu_memory: Annotated[
        str | None, typer.Option(metavar="QUANTITY", help="Memory of an accelerator, at least.", rich_help_panel=_POD)
    ] = None,
    gpu_resource: Annotated[
        str | None, typer.Option(metavar="NAME", help="Their resource, if not the fleet's.", rich_help_panel=_POD)
    ] = None,
    cpu: Annotated[str | None, typer.Option(metavar="QUANTITY", help="Cores, such as 4.", rich_help_panel=_POD)] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="QUANTITY", help="Memory, such as 16Gi.", rich_help_panel=_POD)
    ] = None,
    env: Annotated[list[str] | None, _list("A variable", "NAME=VALUE", _POD)] = None,
    tier: Annotated[list[Tier] | None, _list("A tier that will do", "TIER")] = None,
    region: Annotated[list[str] | None, _list("A region that will do", "CODE")] = None,
    node_selector: Annotated[list[str] | None, _list("A label that the node has", "KEY=VALUE")] = None,
    toleration: Annotated[list[str] | None, _list("A taint that does not matter", "KEY or KEY=VALUE")] = None,
    split: Annotated[
        bool, typer.Option("--split", help="Its indexes may run on several nodes.", rich_help_panel=_PLACE)
    ] = False,
    max_nodes: Annotated[
        int | None, typer.Option(min=1, help="On so many at once, with --split.", rich_help_panel=_PLACE)
    ] = None,
    min_indexes_per_node: Annotated[
        int | None, typer.Option(min=1, help="No fewer on each, with --split.", rich_help_panel=_PLACE)
    ] = None,
    gang: Annotated[
        bool, typer.Option("--gang", help="All its pods on one node or none.", rich_help_panel=_PLACE)
    ] = False,
    preemptible: Annotated[
        bool, typer.Option("--preemptible", help="It may be stopped for a higher priority.", rich_help_panel=_PLACE)
    ] = False,
    on_node_lost: Annotated[
        OnNodeLost | None, typer.Option(help="What happens when its node is lost.", rich_help_panel=_PLACE)
    ] = None,
    objective: Annotated[
        Objective | None, typer.Option(help="What decides between nodes.", rich_help_panel=_PLACE)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even with a model that no node has.")] = False,
    dry_run: Annotated[
        DryRun, typer.Option(help="Print the manifest; with server, as the API server would keep it. Alone: client.")
    ] = DryRun.NONE,
    form: Annotated[Form | None, typer.Option("--output", "-o", help="How to write it: name, yaml or json.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; 1 where it fails.")] = False,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="For how long to wait; 0 is without an end.")] = "0",
) -> None:
    """Hand in a job that runs IMAGE.

    For instance: kubectl isthmus submit example/train:1 --gpus 2 --model A100 -- python train.py
    """
    if form in {Form.TABLE, Form.WIDE}:
        raise Complaint(f"-o {form.value}: write name, yaml or json")
    said = list(command or ())
    wanted = Submission(
        name=name or name_for(image, "".join(secrets.choice(string.ascii_lowercase) for _ in range(_ENDING))),
        namespace="",
        image=image,
        command=() if args else said,
        args=said if args else (),
        gpus=gpus if gpus is not None else 1 if model else 0,
        gpu_resource=gpu_resource or "",
        models=model or (),
        gpu_memory=gpu_memory,
        cpu=cpu,
        memory=memory,
        indexes=indexes,
        parallelism=parallelism,
        backoff_limit=backoff_limit,
        deadline=_instant(deadline, "--deadline"),
        active_deadline_seconds=_seconds(active_deadline, "--active-deadline"),
        environment=pairs(env or (), "--env"),
        labels=pairs(label or (), "--label"),
        split=split,
        max_nodes=max_nodes,
        min_indexes=min_indexes_per_node,
        tiers=[each.value for each in tier or ()],
        regions=region or (),
        node_selector=pairs(node_selector or (), "--node-selector"),
        tolerations=[toleration_of(each) for each in toleration or ()],
        gang=gang,
        preemptible=preemptible,
        on_node_lost=on_node_lost.value if on_node_lost else None,
        objective=objective.value if objective else None,
        priority=priority,
        ttl_seconds=_seconds(ttl, "--ttl"),
        suspend=suspend,
    )
    seconds = _seconds(timeout, "--timeout") if wait and dry_run is DryRun.NONE else None
    if not asyncio.run(_submit(flags, wanted, dry_run, form, force=force, wait_seconds=seconds)):
        raise typer.Exit(1)


async def _submit(
    flags: Flags, wanted: Submission, dry_run: DryRun, form: Form | None, *, force: bool, wait_seconds: int | None
) -> bool:
    """Whether all is well: the job is handed in, and where its end was waited for, it succeeded."""
    from isthmus.clusters.errors import InvalidCredentials
    from isthmus.clusters.resources import COMPUTEJOBS

    from .connection import connected, credentials_of, namespace_of

    job_manifest(wanted)  # what does not fit together is told before anything is asked
    try:
        credentials = credentials_of(flags)
    except InvalidCredentials:
        if dry_run is not DryRun.CLIENT or wanted.gpus:
            raise
        _print(job_manifest(replace(wanted, namespace=flags.namespace or "default")), form or Form.YAML, dry_run)
        return True
    wanted = replace(wanted, namespace=namespace_of(credentials, flags))
    async with connected(credentials, flags, name="hub") as client:
        wanted = await _with_models(client, wanted, force=force)
        manifest = job_manifest(wanted)
        if dry_run is DryRun.CLIENT:
            _print(manifest, form or Form.YAML, dry_run)
            return True
        made: dict[str, Any] = await client.create(
            COMPUTEJOBS, manifest, wanted.namespace, dry_run=dry_run is DryRun.SERVER, strict=True
        )
        _print(made, form or (Form.YAML if dry_run is DryRun.SERVER else None), dry_run)
        return wait_seconds is None or await _ended(client, wanted, wait_seconds)


async def _with_models(client: "Client", wanted: Submission, *, force: bool) -> Submission:
    """The submission with its accelerators' resource. Complaint where no node has a model that it wants."""
    from .models import NVIDIA, resource_for, suggestion, unknown

    if not wanted.gpus:
        return wanted
    offered = await _offered(client, wanted)
    if offered is None:
        return replace(wanted, gpu_resource=wanted.gpu_resource or NVIDIA)
    missing = unknown(wanted.models, offered)
    if missing and not force:
        raise Complaint(f"{suggestion(missing, offered)} (--force hands it in all the same)")
    return replace(wanted, gpu_resource=wanted.gpu_resource or resource_for(wanted.models, offered))


async def _offered(client: "Client", wanted: Submission) -> "tuple[Offered, ...] | None":
    """What the fleet has; None where we may not see it, which is said."""
    from isthmus.clusters.errors import Forbidden
    from isthmus.clusters.resources import COMPUTENODES

    from .models import offered_by

    try:
        return offered_by((await client.list(COMPUTENODES)).items)
    except Forbidden:
        if wanted.models:
            said = (
                f"warning: you may not list ComputeNodes, so nothing tells whether there is {', '.join(wanted.models)}"
            )
            print(said, file=sys.stderr)
        return None


def _print(obj: dict[str, Any], form: Form | None, dry_run: DryRun) -> None:
    name = f"computejob.isthmus.dev/{obj['metadata']['name']}"
    if form is Form.NAME:
        print(name)
    elif form is not None:
        write(without_bookkeeping(obj), form)
    else:
        print(f"{name} created" + {DryRun.SERVER: " (server dry run)"}.get(dry_run, ""), flush=True)


async def _ended(client: "Client", wanted: Submission, seconds: int) -> bool:
    from isthmus.clusters.resources import COMPUTEJOBS

    from .kinds import condition

    told = ""
    try:
        async with asyncio.timeout(seconds or None):
            while True:
                job: dict[str, Any] = await client.get(COMPUTEJOBS, wanted.name, wanted.namespace)
                status = job.get("status") or {}
                said = " ".join(filter(None, (status.get("phase"), status.get("done"), _places(status))))
                if said and said != told:
                    print(f"{wanted.name}: {said}", file=sys.stderr, flush=True)
                    told = said
                if condition(job, "Complete").get("status") == "True":
                    return True
                failed = condition(job, "Failed")
                if failed.get("status") == "True":
                    raise Complaint(f"{wanted.name} failed: {failed.get('reason')}: {failed.get('message')}")
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise Complaint(f"{wanted.name} has not ended after {seconds} s; it goes on") from None


def _places(status: dict[str, Any]) -> str:
    """The nodes it stands on, each with the variant that runs there where the job has several."""
    variants = {shard["node"]: shard["variant"] for shard in status.get("shards") or () if shard.get("variant")}
    nodes = filter(None, str(status.get("nodes") or "").split(","))
    return ",".join(f"{node} ({variants[node]})" if node in variants else node for node in nodes)


def _instant(text: str | None, flag: str) -> str | None:
    """The instant as RFC 3339 in UTC. Complaint for one without a time zone, and for what is none."""
    if text is None:
        return None
    try:
        return instant_text(instant(text).replace(microsecond=0))
    except ValueError:
        raise Complaint(f"{flag} {text!r}: write an instant such as 2026-12-01T06:00:00Z") from None


def _seconds(text: str | None, flag: str) -> int | None:
    if text is None:
        return None
    seconds = whole_seconds_of(text)
    if seconds is None:
        raise Complaint(f"{flag} {text!r}: write a time such as 30s, 10m or 2h")
    return seconds
