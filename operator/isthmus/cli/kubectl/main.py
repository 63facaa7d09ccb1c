"""`kubectl isthmus`: the commands together, and how they end."""

import os
import sys

import typer

from isthmus.cli.escaping import printable

from .complaint import line_of
from .completion import VARIABLE, completion, prepare
from .describe import describe
from .dryrun import with_value
from .explain import explain
from .flags import root_callback
from .get import get
from .logs import logs
from .node import node
from .spelling import Command, Group
from .submit import submit
from .top import top

PROGRAM = "kubectl isthmus"
INTERRUPTED = 130

app = typer.Typer(
    name=PROGRAM,
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(root_callback("Jobs and nodes of an Isthmus hub."))
for command in (get, describe, explain, top, submit, logs):
    app.command(cls=Command)(command)
app.add_typer(node, name="node")
app.command(cls=Command)(completion)


def main() -> None:
    """Run the command line; exit with 0, with 1 after one line on what is wrong, or with 130 after Ctrl-C."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code."""
    from isthmus.errors import IsthmusError

    prepare()
    try:
        try:
            code = app(with_value(arguments), prog_name=PROGRAM, complete_var=VARIABLE, standalone_mode=False)
        finally:
            sys.stdout.flush()
    except typer.TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except IsthmusError as error:
        print(line_of(error), file=sys.stderr)
        return 1
    except Exception as error:
        from isthmus.clusters.errors import ClusterError

        if not isinstance(error, ClusterError):
            raise
        print(line_of(error), file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException) -> int:
    """As kubectl does: one line on what is wrong, one on where help is, exit code 1."""
    context = getattr(error, "ctx", None)
    words = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        print(words)
        return 0
    print(printable(f"error: {' '.join(words.split())}"), file=sys.stderr)
    if context is not None:
        print(f"See '{context.command_path} -h' for help.", file=sys.stderr)
    return 1
