"""The `srgan` command; what is heavy, a command imports when it runs."""

import errno
import sys
import warnings
from typing import NoReturn

import typer

from srgan_lightning.commands.blend import blend
from srgan_lightning.commands.dashboard import dashboard
from srgan_lightning.commands.demo import demo
from srgan_lightning.commands.evaluate import evaluate
from srgan_lightning.commands.export import export
from srgan_lightning.commands.fuse import fuse
from srgan_lightning.commands.info import info
from srgan_lightning.commands.models import app as models
from srgan_lightning.commands.prepare import prepare
from srgan_lightning.commands.report import report
from srgan_lightning.commands.sweep import app as sweep
from srgan_lightning.commands.train import train
from srgan_lightning.commands.upscale import upscale
from srgan_lightning.errors import UserError

app = typer.Typer(
    name="srgan",
    help="Photo-realistic x4 super-resolution with GANs: train, evaluate, enlarge.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
app.command(context_settings=HYDRA)(train)
app.command(context_settings=HYDRA)(evaluate)
app.add_typer(sweep, name="sweep")
app.command()(upscale)
app.command()(fuse)
app.add_typer(models, name="models")
app.command()(demo)
app.command()(blend)
app.command()(export)
app.command()(prepare)
app.command()(report)
app.command()(dashboard)
app.command()(info)


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit status 2."""
    warnings.showwarning = _show_warning
    try:
        app()
    except UserError as error:
        _stop(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = f" for {error.filename}" if error.filename else ""
        _stop(f"the disk is full: no space{where}; free some and run the command again")


def _stop(message: str) -> NoReturn:
    sys.stderr.write(f"srgan: error: {message}\n")
    sys.exit(2)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Tell a warning in one line, without the place in the code it came from."""
    sys.stderr.write(f"warning: {' '.join(str(message).split())}\n")
