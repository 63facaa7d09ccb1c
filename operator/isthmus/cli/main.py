"""`isthmus`: the command line. Each command imports what it needs when it runs, so that none waits for another's."""

import typer

from isthmus import __version__

from .check_hub import check_hub
from .hub import hub
from .simulate import app as simulate
from .statement import statement

app = typer.Typer(
    name="isthmus",
    help="Isthmus joins Kubernetes clusters into one pool of compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check-hub")(check_hub)
app.command()(hub)
app.add_typer(simulate, name="simulate")
app.command()(statement)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Run the command line."""
    app()
