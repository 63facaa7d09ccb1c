"""`isthmus simulate`: the hub's placement with no cluster. Each command imports what it needs when it runs."""

import typer

from .batch import batch
from .replay import replay
from .trace import trace

app = typer.Typer(no_args_is_help=True, help="Try placement with no cluster, on manifests or on a cluster's trace.")
app.command()(batch)
app.command()(trace)
app.command()(replay)

__all__ = ["app"]
