"""`explain`: why a job stands where it does, node by node."""

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.table import terminal_columns

from .complaint import Complaint
from .explanation import explanation_sheet, from_query, from_status
from .flags import Flags, with_flags
from .kinds import JOBS, named
from .output import Form, write
from .proposing import jobs
from .sheet import sheet_lines

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

_FORMS = frozenset({Form.TABLE, Form.JSON, Form.YAML})


@with_flags
def explain(
    flags: Flags,
    name: Annotated[str, typer.Argument(metavar="JOB", autocompletion=jobs, help="The job.")],
    *,
    form: Annotated[Form, typer.Option("--output", "-o", help="How to write it: table, json or yaml.")] = Form.TABLE,
) -> None:
    """Say why a job stands where it does, or nowhere: every node's score, or the reason against it."""
    if form not in _FORMS:
        raise Complaint(f"-o {form.value}: write table, json or yaml")
    asyncio.run(_explain(flags, named(name, JOBS), form))


async def _explain(flags: Flags, name: str, form: Form) -> None:
    from isthmus.clusters.resources import COMPUTEJOBS

    from .connection import connected, credentials_of, namespace_of
    from .queryapi import explanation

    credentials = credentials_of(flags)
    namespace = namespace_of(credentials, flags)
    async with connected(credentials, flags, name="hub") as client:
        job: dict[str, Any] = await client.get(COMPUTEJOBS, name, namespace)
        document, why = await explanation(client, namespace, name)
        if form is not Form.TABLE:
            if document is None:
                print(f"note: from the job's status: {why}", file=sys.stderr)
                document = (job.get("status") or {}).get("explanation") or {}
            write(document, form)
            return
        explained = from_status(job, why) if document is None else from_query(document)
        sheet = explanation_sheet(explained, await _hint(client, job))
        for line in sheet_lines(sheet, terminal_columns(sys.stdout)):
            print(line)


async def _hint(client: "Client", job: Mapping[str, Any]) -> str:
    """What may have been meant where a pending job wants models that no node has."""
    from isthmus.clusters.errors import Forbidden
    from isthmus.clusters.resources import COMPUTENODES

    from .models import offered_by, suggestion, unknown

    spec = job.get("spec") or {}
    asking = (spec.get("placement") or {}, *(spec.get("variants") or ()))
    wanted = [model for each in asking for model in (each.get("accelerator") or {}).get("models") or ()]
    if not wanted:
        return ""
    try:
        offered = offered_by((await client.list(COMPUTENODES)).items)
    except Forbidden:
        return ""
    missing = unknown(wanted, offered)
    return suggestion(missing, offered) if missing else ""
