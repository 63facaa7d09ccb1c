"""`isthmus hub`: the operator."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from .ending import fail

LogFormat = Literal["console", "json"]


def hub(
    *,
    ledger: Annotated[
        str,
        typer.Option(envvar="ISTHMUS_LEDGER", metavar="URL", help="The ledger, such as sqlite:////data/ledger.db."),
    ],
    kubeconfig: Annotated[
        Path | None,
        typer.Option(envvar="KUBECONFIG", help="The hub cluster's kubeconfig; without it, the pod's ServiceAccount."),
    ] = None,
    context: Annotated[str | None, typer.Option(help="The kubeconfig's context; the current one by default.")] = None,
    currency: Annotated[
        str, typer.Option(envvar="ISTHMUS_CURRENCY", help="The one currency the hub bills in, ISO 4217.")
    ] = "CNY",
    system_namespace: Annotated[
        str, typer.Option(envvar="ISTHMUS_NAMESPACE", help="The hub's own namespace, with the members' Secrets.")
    ] = "isthmus-system",
    accelerators: Annotated[
        Path | None, typer.Option(help="YAML list of accelerator resource names, added to the built-in table.")
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            envvar="ISTHMUS_ACCOUNTS",
            metavar="FILE",
            help="YAML of the accounts' weights, quotas and ceilings; read again whenever it changes.",
        ),
    ] = None,
    allow_exec: Annotated[
        bool, typer.Option(help="Let members' kubeconfigs run credential plugins in the hub's process.")
    ] = False,
    http_address: Annotated[
        str | None,
        typer.Option(
            envvar="ISTHMUS_HTTP_ADDRESS",
            metavar="HOST:PORT",
            help="Serve /healthz, /readyz and /metrics there; the process then stays while the hub can't begin.",
        ),
    ] = None,
    query_address: Annotated[
        str | None,
        typer.Option(
            envvar="ISTHMUS_QUERY_ADDRESS",
            metavar="HOST:PORT",
            help="Serve the query API there, to the hub cluster's API server alone.",
        ),
    ] = None,
    query_service: Annotated[
        str,
        typer.Option(
            envvar="ISTHMUS_QUERY_SERVICE", help="Name of the query API's Service in the hub's own namespace."
        ),
    ] = "isthmus-query",
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = "json",
    log_level: Annotated[Literal["debug", "info", "warning"], typer.Option(help="What is logged.")] = "info",
) -> None:
    """Run the operator until SIGTERM."""
    import structlog
    import yaml

    from isthmus.clusters import ClusterError
    from isthmus.errors import IsthmusError
    from isthmus.hub.address import Address
    from isthmus.hub.process import serve
    from isthmus.hub.settings import HubSettings

    from .logs import configure_logs

    configure_logs(log_format, log_level)
    try:
        entries = yaml.safe_load(accelerators.read_text()) if accelerators else []
        settings = HubSettings(
            kubeconfig=kubeconfig,
            context=context,
            ledger=ledger,
            currency=currency,
            system_namespace=system_namespace,
            allow_exec=allow_exec,
            accounts=accounts,
            query=Address.parse(query_address, "--query-address") if query_address else None,
            query_service=query_service,
            accelerators=entries,
            http=Address.parse(http_address, "--http-address") if http_address else None,
        )
        asyncio.run(serve(settings))
    except (ClusterError, IsthmusError, OSError, yaml.YAMLError, ValueError) as error:
        fail("hub", str(error))
    except Exception as error:  # a fault of ours: told in the log's form, so that whoever gathers it sees one line
        structlog.get_logger(__name__).critical("the hub failed", exc_info=True)
        raise typer.Exit(1) from error
