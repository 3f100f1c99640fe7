"""`deepdebug lrp`: which pixels speak for what a model says about images."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deepdebug.cli.progress import progress
from deepdebug.errors import UsageError

if TYPE_CHECKING:
    from deepdebug.case.preprocessing import Preprocessing
    from deepdebug.cli.lrp_run import Outcome, Request

INTERRUPTED = 130
MAX_SKIPPED = 10
NAMED_TARGETS: dict[str, Literal["predicted", "largest"]] = {"predicted": "predicted", "largest": "largest"}


class OnUnknown(StrEnum):
    """What to do at a layer without a rule."""

    ERROR = "error"
    GRADIENT = "gradient"


def lrp(
    model: Annotated[Path, typer.Argument(metavar="MODEL.keras", help="The model, as `model.save` writes it.")],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES...", help="Image files, folders of them (searched through), .npy or .npz files."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the results; made when missing.")],
    composite: Annotated[
        str,
        typer.Option(
            help="Rules by kind of layer: hudd, z-plus, epsilon-plus, epsilon-gamma-box, preset-a, preset-b or epsilon."
        ),
    ] = "epsilon-plus",
    target: Annotated[
        str,
        typer.Option(
            help="Output to explain: predicted (largest score), largest (largest in size, for regressions) or an index."
        ),
    ] = "predicted",
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Also keep the relevance at the input of this layer; may be repeated."),
    ] = None,
    case: Annotated[Path | None, typer.Option(help="case.toml, whose table [preprocessing] is used.")] = None,
    size: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH to resize to. Default: that of the model.")] = None,
    colour: Annotated[
        str | None, typer.Option("--colour", "--color", help="gray or rgb. Default: by the model.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help="Factor on the values (0 to 255 in images). Default: 1/255; 1 for models that begin with a Rescaling "
            "layer and for floating-point arrays."
        ),
    ] = None,
    offset: Annotated[float | None, typer.Option(help="Added after scaling. Default: 0.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images that go through the model together.")] = 32,
    on_unknown: Annotated[
        OnUnknown, typer.Option(help="At a layer without a rule: end with an error, or take gradient times input.")
    ] = OnUnknown.ERROR,
    skip_unreadable: Annotated[bool, typer.Option(help="Leave out images that cannot be read.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier result in the folder.")] = False,
) -> None:
    """Show which pixels speak for, and which against, what a model says about images.

    Draws the relevance of every image over it (layer-wise relevance propagation): orange speaks for the explained
    output, blue against it. Models are loaded without running code from the file.

    \b
    Examples:
      deepdebug lrp digits.keras seven.png --out heat               one image
      deepdebug lrp digits.keras test-images/ --out heat            a folder
      deepdebug lrp digits.keras x_test.npy --out heat              an array (rows, height, width[, channels])
      deepdebug lrp digits.keras test-images/ --out heat --target 3 what speaks for output 3
      deepdebug lrp digits.keras test-images/ --out heat --layer conv2d_1 --layer dense
      deepdebug lrp net.keras photos/ --out heat --scale 1/127.5 --offset -1    a model trained on -1 to 1

    \b
    What lies in the folder afterwards:
      contact-sheet.png      the images side by side with their relevance
      pictures/              one picture per image; pictures/LAYER/ for --layer
      relevance/input.npy    relevance of every input value; relevance/LAYER.npy
      conservation.csv       relevance at both sides of every layer
      index.json             which row and picture belongs to which image, outputs, settings

    \b
    case.toml:
      [preprocessing]
      size = [64, 64]                # height, width
      colour = "gray"                # or "rgb"
      scale = 0.00392156862745098    # 1/255
      offset = 0.0                   # the model gets value * scale + offset

    \b
    Exit codes:
      0    done
      2    wrong use, or something cannot be read or written
      130  interrupted; whole files stay, and the same command replaces them
    """  # noqa: D301 - typer keeps the lines that follow it
    from deepdebug.case.preprocessing import from_flags
    from deepdebug.case.sources import find_sources
    from deepdebug.cli.lrp_run import Request

    said = _said(case, from_flags(size, colour, scale, offset))
    request = Request(
        model,
        find_sources(images, leave_out=out),
        out,
        said,
        composite,
        _target(target),
        tuple(dict.fromkeys(layer or ())),
        on_unknown.value,
        batch_size,
        overwrite,
        skip_unreadable,
    )
    _show(_run(request), request)


def _said(case: Path | None, flags: Preprocessing) -> Preprocessing:
    from deepdebug.case.preprocessing import merged, read_preprocessing

    return flags if case is None else merged(read_preprocessing(case), flags)


def _target(text: str) -> Literal["predicted", "largest"] | int:
    if text in NAMED_TARGETS:
        return NAMED_TARGETS[text]
    if text.isdecimal():
        return int(text)
    raise UsageError(
        f"`--target` got {text!r}; expected predicted, largest, or the index of an output, counted from 0."
    )


def _run(request: Request) -> Outcome:
    done = 0

    try:
        with progress() as stage:
            from deepdebug.cli.lrp_run import explain_images

            show = stage("Explaining", len(request.sources))

            def advance(images: int) -> None:
                nonlocal done
                done += images
                show(images)

            return explain_images(request, advance)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"deepdebug: interrupted after {done} of {len(request.sources)} images. What lies in {str(request.out)!r} "
            "is whole but incomplete; the same command replaces it.\n"
        )
        raise typer.Exit(INTERRUPTED) from None


def _show(outcome: Outcome, request: Request) -> None:
    from rich.console import Console

    from deepdebug.report.conservation import table

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table(outcome.sums))
    if outcome.scores:
        share = outcome.arrived / outcome.scores
        console.print(f"Of the explained scores, {share:.1%} arrive at the input.", soft_wrap=True)
    for note in outcome.notes:
        console.print(note, soft_wrap=True)
    for name, reason in outcome.skipped[:MAX_SKIPPED]:
        sys.stderr.write(f"deepdebug: left out {name}: {reason}\n")
    if len(outcome.skipped) > MAX_SKIPPED:
        sys.stderr.write(f"deepdebug: left out {len(outcome.skipped) - MAX_SKIPPED} more; index.json lists them.\n")
    left_out = f", {len(outcome.skipped)} left out" if outcome.skipped else ""
    console.print(
        f"{_number(outcome.images, 'image')} explained{left_out}: {_number(outcome.pictures, 'picture')}, "
        f"{_number(outcome.arrays, 'array')}, contact-sheet.png, conservation.csv and index.json are in {request.out}.",
        soft_wrap=True,
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
