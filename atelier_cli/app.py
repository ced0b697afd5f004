"""The command `atelier`."""

import sys

import typer

from atelier_cli import screen
from atelier_cli.commands.batch import batch
from atelier_cli.commands.download import download
from atelier_cli.commands.generate import generate
from atelier_cli.commands.jobs import cancel, jobs
from atelier_cli.commands.login import login, logout, me
from atelier_cli.commands.models import models, styles
from atelier_cli.commands.train import train
from atelier_cli.told import INTERRUPTED, Told

app = typer.Typer(
    name="atelier",
    help="An Atelier studio from the terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (login, logout, me, generate, batch, download, models, styles, jobs, cancel, train):
    app.command()(command)


def main() -> None:
    """Ends with the statuses of docs/cli.md, and with a sentence instead of a traceback for what can be foreseen."""
    try:
        app()
    except Told as told:
        screen.say(str(told))
        sys.exit(told.status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
