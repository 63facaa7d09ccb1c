"""`logs`: what a pod of a job writes, from the member that it runs in."""

import asyncio
import sys
from dataclasses import replace
from typing import Annotated

import typer

from .flags import Flags, with_flags
from .kinds import JOBS, named
from .proposing import jobs


@with_flags
def logs(
    flags: Flags,
    name: Annotated[str, typer.Argument(metavar="JOB", autocompletion=jobs, help="The job.")],
    *,
    index: Annotated[int | None, typer.Option(min=0, help="Which index, where the job has more than one.")] = None,
    container: Annotated[str | None, typer.Option("--container", "-c", help="Which container of the pod.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until it ends.")] = False,
    tail: Annotated[int | None, typer.Option(min=0, metavar="LINES", help="Only so many of the last lines.")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="Each line with its time.")] = False,
) -> None:
    """Print the log of one pod of a job.

    It comes from the member through the hub, under your own rights.
    """
    params = {"index": index, "container": container, "tailLines": tail}
    said = {key: str(value) for key, value in params.items() if value is not None}
    said |= {key: "true" for key, value in (("follow", follow), ("timestamps", timestamps)) if value}
    asyncio.run(_logs(flags, named(name, JOBS), said, follow=follow))


async def _logs(flags: Flags, name: str, params: dict[str, str], *, follow: bool) -> None:
    from .connection import REQUEST_SECONDS, connected, credentials_of, namespace_of
    from .queryapi import log

    credentials = credentials_of(flags)
    silence = None if follow else flags.timeout_seconds(REQUEST_SECONDS)
    if follow:  # it begins when the first line is written
        flags = replace(flags, request_timeout="0")
    async with connected(credentials, flags, name="hub") as client:
        async for chunk in log(client, namespace_of(credentials, flags), name, params, silence_seconds=silence):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
