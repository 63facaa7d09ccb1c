"""`node add`: a cluster becomes a member by one command, which can be run again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.api.tier import Tier

from .complaint import Complaint
from .dryrun import DryRun
from .duration import seconds_of, whole_seconds_of
from .flags import Flags, flags_before
from .joining import Joining, Plan
from .kinds import checked
from .nodemanifest import Wanted, pairs, taint_of, tariff_of

_MEMBER, _PRICES, _HUB = "The member's cluster", "Its prices", "The hub"
_SHORTEST_TTL = 600


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The ComputeNode's name.")],
    *,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="The member's kubeconfig, of its administrator.", rich_help_panel=_MEMBER)
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="The context in it, or in KUBECONFIG.", rich_help_panel=_MEMBER)
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="The hub's own cluster is the member.", rich_help_panel=_MEMBER)
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The address by which the hub reaches it, if not yours.", rich_help_panel=_MEMBER
        ),
    ] = None,
    certificate_authority: Annotated[
        Path | None,
        typer.Option(help="Who signs that address's certificate, if not as yours.", rich_help_panel=_MEMBER),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure-skip-tls-verify", help="The hub does not check that certificate.", rich_help_panel=_MEMBER
        ),
    ] = False,
    tls_server_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name in its certificate.", rich_help_panel=_MEMBER)
    ] = None,
    proxy_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The proxy by which the hub reaches it.", rich_help_panel=_MEMBER)
    ] = None,
    token_ttl: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="A token for so long, such as 720h; else one without an end.", rich_help_panel=_MEMBER
        ),
    ] = None,
    tier: Annotated[Tier | None, typer.Option(help="Its level; Region if not given.")] = None,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="The region's code; default if not given.")] = None,
    region_name: Annotated[str | None, typer.Option(metavar="TEXT", help="The region's name for people.")] = None,
    code: Annotated[
        str | None, typer.Option(help="The identity printed on bills; NAME if not given. It stays for good.")
    ] = None,
    parent: Annotated[str | None, typer.Option(metavar="NODE", help="The node above it.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label for jobs' nodeSelector; repeat it.")
    ] = None,
    taint: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE:NoSchedule", help="A taint; repeat it.")] = None,
    tariff: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A YAML file with spec.tariff.", rich_help_panel=_PRICES)
    ] = None,
    core_second: Annotated[
        str | None, typer.Option(metavar="PRICE", help="A core for a second.", rich_help_panel=_PRICES)
    ] = None,
    gibibyte_second: Annotated[
        str | None, typer.Option(metavar="PRICE", help="A GiB of memory for a second.", rich_help_panel=_PRICES)
    ] = None,
    gpu_second: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=PRICE", help="An accelerator for a second; * is any; repeat it.", rich_help_panel=_PRICES
        ),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="An ISO 4217 code, CNY if not given.", rich_help_panel=_PRICES)
    ] = None,
    tariff_version: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The list's name; the day if not given.", rich_help_panel=_PRICES)
    ] = None,
    hub_kubeconfig: Annotated[
        Path | None, typer.Option(help="The hub's kubeconfig; else KUBECONFIG.", rich_help_panel=_HUB)
    ] = None,
    hub_context: Annotated[str | None, typer.Option(help="The context in it.", rich_help_panel=_HUB)] = None,
    system_namespace: Annotated[
        str, typer.Option(envvar="ISTHMUS_NAMESPACE", help="The hub's own namespace.", rich_help_panel=_HUB)
    ] = "isthmus-system",
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="How long to wait until it takes work; 0 does not wait.")
    ] = "60s",
    dry_run: Annotated[
        DryRun, typer.Option(help="Say what would be done, and write nothing. Alone: client.")
    ] = DryRun.NONE,
) -> None:
    """Make a cluster a member.

    In the member it makes a namespace, a ServiceAccount for the hub with no more rights than it needs, and a token; in
    the hub the Secret with that and the ComputeNode. Run again, it mends what is missing and changes what is given.
    With --local it makes the ComputeNode alone: the hub's rights in its own cluster come with its chart.

    --kubeconfig and --context are the member's here. The hub is that of KUBECONFIG, or of --hub-kubeconfig and
    --hub-context, or of the options before the command.
    """
    listed = {"currency": currency or "CNY", "version": tariff_version or f"{datetime.now(UTC):%Y-%m-%d}"}
    prices = tariff_of(core_second=core_second, gibibyte_second=gibibyte_second, gpu_second=gpu_second or (), **listed)
    wanted = Wanted(
        name=checked(name),
        tier=tier.value if tier else None,
        region=region,
        display_name=region_name,
        code=code,
        parent=parent,
        labels=pairs(label or (), "--label"),
        taints=[taint_of(each) for each in taint or ()],
        tariff=_tariff(tariff, prices, **listed),
        local=local,
    )
    if dry_run is DryRun.SERVER:
        raise Complaint("--dry-run=server: what stands in a namespace that is not there can't be tried; write client")
    if local == (kubeconfig is not None or context is not None):
        raise Complaint("say which cluster it is: --kubeconfig FILE, --context NAME, or --local")
    if insecure and certificate_authority is not None:
        raise Complaint("--certificate-authority and --insecure-skip-tls-verify exclude each other")
    before = flags_before(ctx)
    hub = Flags(kubeconfig=hub_kubeconfig, context=hub_context).over(before)
    plan = Plan(
        member=hub if local else Flags(kubeconfig=kubeconfig, context=context, request_timeout=before.request_timeout),
        hub=hub,
        system_namespace=system_namespace,
        server=server,
        authority=certificate_authority,
        insecure=insecure,
        tls_server_name=tls_server_name,
        proxy=proxy_url,
        ttl_seconds=_ttl(token_ttl),
        wait_seconds=_wait(timeout),
        dry_run=dry_run is not DryRun.NONE,
    )
    if not asyncio.run(Joining(wanted, plan).run()):
        raise typer.Exit(1)


def _tariff(file: Path | None, given: dict[str, Any] | None, **named: str) -> dict[str, Any] | None:
    """The price list of single prices, or of the file, in which what is `named` stands where the file does not say."""
    if file is None:
        return given
    if given is not None:
        raise Complaint("--tariff and single prices exclude each other")
    import yaml

    try:
        read = yaml.safe_load(file.read_text())
    except OSError as error:
        raise Complaint(f"--tariff {file} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Complaint(f"--tariff {file} is not YAML: {error}") from None
    if not isinstance(read, dict):
        raise Complaint(f"--tariff {file} is no mapping; write what stands below spec.tariff of a ComputeNode")
    return {**named, **read}


def _ttl(text: str | None) -> int | None:
    if text is None:
        return None
    seconds = whole_seconds_of(text)
    if seconds is None or seconds < _SHORTEST_TTL:
        raise Complaint(f"--token-ttl {text!r}: write a time such as 720h, at least 10m")
    return seconds


def _wait(text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise Complaint(f"--timeout {text!r}: write a time such as 60s")
    return seconds
