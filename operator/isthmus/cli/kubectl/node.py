"""`node`: what an administrator does with nodes."""

import typer

from .node_add import add
from .node_forget import forget
from .node_state import cordon, drain, uncordon
from .spelling import Command, Group

node = typer.Typer(
    cls=Group,
    help="Add nodes, close them to work, and let go of lost ones.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
node.command("add", cls=Command)(add)
node.command("cordon", cls=Command)(cordon)
node.command("uncordon", cls=Command)(uncordon)
node.command("drain", cls=Command)(drain)
node.command("forget", cls=Command)(forget)
