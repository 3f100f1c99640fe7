"""The commands, and how errors become exit codes: 0 nothing found, 1 findings, 2 wrong use, 3 could not judge."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from deepdebug.cli import hudd, hudd_improve
from deepdebug.cli.diagnose import diagnose
from deepdebug.cli.explain import explain
from deepdebug.cli.lrp import lrp
from deepdebug.cli.simulate import simulate
from deepdebug.errors import DeepDebugError
from deepdebug.version import __version__

WRONG_USE = 2

app = typer.Typer(
    name="deepdebug",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(diagnose)
app.command()(explain)
app.command()(simulate)
app.command()(lrp)
hudd_improve.register(hudd.app)
app.add_typer(hudd.app, name="hudd")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the recordings and reports; made when missing.")] = Path(
        "deepdebug-demo"
    ),
) -> None:
    """Show both halves of deepdebug: two trainings that fail, and a trained model that fails on some images.

    The first half trains two faulty models on real handwritten digits, diagnoses them, repairs them and trains again.
    The second draws eyes, trains a model to tell where they look, groups its failures and compares with the truth.
    Takes a minute or two. Needs a Keras backend.

    \b
    Example:
      KERAS_BACKEND=tensorflow deepdebug demo --out /tmp/demo
    """  # noqa: D301 - typer keeps the lines that follow it
    importlib.import_module("deepdebug.demo").main(out)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deepdebug {__version__}")
        raise typer.Exit


@app.callback()
def deepdebug(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Find out why a Keras model fails, in training and after it, and what to do.

    \b
    Watch a training, in Python:
      from deepdebug import Diagnose
      model.fit(x, y, callbacks=[Diagnose(log_dir="runs/mlp")])

    \b
    Look at it afterwards:
      deepdebug diagnose runs/mlp
      deepdebug diagnose runs/mlp --output report.html

    \b
    Understand a finding:
      deepdebug explain DD101

    \b
    See which pixels speak for what a trained model says:
      deepdebug lrp model.keras images/ --out heatmaps

    \b
    Find out why a trained model fails, group by group:
      deepdebug hudd run CASE

    \b
    Choose images to label, retrain, and see what it brought:
      deepdebug hudd assign CASE
      deepdebug hudd retrain CASE
    """  # noqa: D301 - typer keeps the lines that follow it


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter must not end us
    try:
        app()
    except DeepDebugError as error:
        sys.stderr.write(f"deepdebug: {error}\n")
        sys.exit(WRONG_USE)
    except Exception:  # Python would exit with 1, which means findings
        traceback.print_exc()
        sys.exit(WRONG_USE)
