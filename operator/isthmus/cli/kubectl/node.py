"""`node`: what an administrator does with nodes."""

import typer

from .node_add import add
from .node_forget import forget
from .node_state import cordon, drain, uncordon

node = typer.Typer(
    help="Add nodes, close them to work, and let go of lost ones.", no_args_is_help=True, rich_markup_mode="markdown"
)
node.command("add")(add)
node.command("cordon")(cordon)
node.command("uncordon")(uncordon)
node.command("drain")(drain)
node.command("forget")(forget)
