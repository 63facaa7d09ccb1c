"""kubectl's own options, which every command takes: before it or after it, the latter counting more."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from .complaint import Complaint
from .duration import seconds_of

PANEL = "Options of kubectl"


@dataclass(frozen=True, slots=True)
class Flags:
    """What the options say; None is not given."""

    kubeconfig: Path | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    token: str | None = None
    as_user: str | None = None
    as_group: tuple[str, ...] = ()
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    namespace: str | None = None
    request_timeout: str | None = None

    def over(self, other: "Flags") -> "Flags":
        """These, and where one is not given, that of `other`."""
        mine = {each.name: getattr(self, each.name) for each in fields(self)}
        return Flags(**{name: value or getattr(other, name) for name, value in mine.items()})

    def timeout_seconds(self, default: float) -> float:
        """How long a request may take; `default` where nothing was said, and a day for 0, which is forever."""
        if self.request_timeout is None:
            return default
        seconds = seconds_of(self.request_timeout)
        if seconds is None:
            raise Complaint(f"--request-timeout {self.request_timeout!r}: write 30, 30s, 2m or 1h; 0 is forever")
        return seconds or 86_400


def _options(
    *,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="The kubeconfig file; else those of KUBECONFIG, merged.", rich_help_panel=PANEL),
    ] = None,
    context: Annotated[str | None, typer.Option(help="The kubeconfig's context.", rich_help_panel=PANEL)] = None,
    cluster: Annotated[str | None, typer.Option(help="The kubeconfig's cluster.", rich_help_panel=PANEL)] = None,
    user: Annotated[str | None, typer.Option(help="The kubeconfig's user.", rich_help_panel=PANEL)] = None,
    server: Annotated[
        str | None, typer.Option("--server", "-s", metavar="URL", help="The API server.", rich_help_panel=PANEL)
    ] = None,
    token: Annotated[str | None, typer.Option(help="A bearer token.", rich_help_panel=PANEL)] = None,
    as_user: Annotated[
        str | None, typer.Option("--as", metavar="USER", help="The user to act as.", rich_help_panel=PANEL)
    ] = None,
    as_group: Annotated[
        list[str] | None,
        typer.Option("--as-group", metavar="GROUP", help="A group to act as; repeat it.", rich_help_panel=PANEL),
    ] = None,
    tls_server_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name in the server's certificate.", rich_help_panel=PANEL)
    ] = None,
    insecure_skip_tls_verify: Annotated[
        bool | None,
        typer.Option("--insecure-skip-tls-verify", help="Do not check the certificate.", rich_help_panel=PANEL),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="The namespace in the hub.", rich_help_panel=PANEL)
    ] = None,
    request_timeout: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long one request may take, such as 30s.", rich_help_panel=PANEL),
    ] = None,
) -> Flags:
    return Flags(
        kubeconfig=kubeconfig,
        context=context,
        cluster=cluster,
        user=user,
        server=server,
        token=token,
        as_user=as_user,
        as_group=tuple(as_group or ()),
        tls_server_name=tls_server_name,
        insecure_skip_tls_verify=insecure_skip_tls_verify,
        namespace=namespace,
        request_timeout=request_timeout,
    )


_PARAMETERS = tuple(inspect.signature(_options, eval_str=True).parameters.values())
_NAMES = frozenset(parameter.name for parameter in _PARAMETERS)


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """The command, whose first argument is Flags, as a function that takes kubectl's options in its stead."""
    own = tuple(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def wrapped(ctx: typer.Context, **values: Any) -> None:  # noqa: ANN401 - typer checked them
        given = _options(**{name: values.pop(name) for name in _NAMES})
        command(given.over(flags_before(ctx)), **values)

    return _with_parameters(wrapped, (*own, *_PARAMETERS))


def root_callback(words: str) -> Callable[..., None]:
    """A callback of the whole command line that takes kubectl's options where they stand before the command."""

    def callback(ctx: typer.Context, **values: Any) -> None:  # noqa: ANN401 - typer checked them
        ctx.obj = _options(**values)

    callback.__doc__ = words
    return _with_parameters(callback, _PARAMETERS)


def flags_before(ctx: typer.Context) -> Flags:
    """The options that stood before the command."""
    found = ctx.find_root().obj
    return found if isinstance(found, Flags) else Flags()


def _with_parameters(function: Callable[..., None], more: tuple[inspect.Parameter, ...]) -> Callable[..., None]:
    """The function, which takes a context, with a signature that typer reads these parameters from."""
    first = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [first, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in more)]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    return function
