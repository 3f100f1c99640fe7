"""`deepdebug simulate`: a case to try the tool on, whose causes of failures are known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepdebug.cli.progress import progress
from deepdebug.errors import UsageError

if TYPE_CHECKING:
    from deepdebug.simulate.cases import Case


class Scene(StrEnum):
    """What is drawn."""

    EYE = "eye"
    FACE = "face"


class Size(StrEnum):
    """How much is made."""

    FAST = "fast"
    FULL = "full"


class Colour(StrEnum):
    """The channels of the images."""

    GRAY = "gray"
    RGB = "rgb"


def simulate(
    scene: Annotated[Scene, typer.Argument(help="What to draw: the close-up of an eye, or a face.")],
    out: Annotated[Path, typer.Argument(help="Folder of the case: a new or empty one, or one to complete.")],
    *,
    case: Annotated[str | None, typer.Option(help="Task; see above. Default: GD for eye, HPD for face.")] = None,
    size: Annotated[Size, typer.Option(help="fast: 4k/2k/4k images as PNG; full: 40k/20k/60k as .npz.")] = Size.FAST,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another seed gives other images.")] = 0,
    colour: Annotated[Colour, typer.Option(help="Channels of the images.")] = Colour.GRAY,
    prevalence: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Share of each planted cause in test and improvement set, such as 0.005."),
    ] = None,
) -> None:
    """Make a case whose causes of failures are known: images, parameters, a trained model and the truth about it.

    \b
    The images are drawn, so nothing is downloaded. Some conditions, such as low light or a glare on the
    glasses, are rare or missing in the training set and planted in the test set; there the model fails.
    Every failing image is drawn again without one of them: if the model is right then, that was the cause.

    \b
    Cases:
      eye   GD   gaze direction, 8 classes (default)
            OC   open or closed eye, 2 classes
      face  HPD  head pose, 9 classes (default)
            OD   glasses or none, 2 classes
            FLD  27 landmarks, a regression; wrong above 2 pixels of mean error

    \b
    Examples:
      deepdebug simulate eye cases/gaze                     a gaze classifier, in about a minute
      deepdebug simulate face cases/marks --case FLD        landmarks instead of head pose
      deepdebug simulate eye cases/gaze-7 --seed 7          the same task, other images
      deepdebug simulate eye cases/big --size full          120,000 images, in several minutes
      deepdebug simulate eye cases/rare --prevalence 0.005  causes that are hard to notice

    \b
    What OUT holds afterwards:
      case.toml      the task, how images become the model's input, the planted causes
      DataSets/      TrainingSet, TestSet, ImprovementSet, each with parameters.csv
      DNNModels/     the trained model
      GroundTruth/   for each image what the model says and which causes make it fail

    \b
    A run that was stopped goes on when the command is repeated. The same command gives the same files.

    \b
    Exit codes:
      0  the case is complete
      2  wrong use, or OUT holds something else
    """  # noqa: D301 - typer keeps the lines that follow it
    from deepdebug.simulate.build import simulate as build  # only here, so that the other commands start quickly
    from deepdebug.simulate.order import SIZES, Order

    order = Order(chosen_case(scene, case), SIZES[size], seed, str(colour), prevalence)
    check_prevalence(order.case, prevalence)
    with progress("steps") as stage:
        text = build(order, out, stage)
    typer.echo(f"{text}\n\nThe case is in {out}")


def chosen_case(scene: str, name: str | None) -> Case:
    """Return the case of a scene by its name.

    Args:
        scene: "eye" or "face".
        name: Name of the case, or `None` for the default of the scene.

    Raises:
        UsageError: When the scene has no such case.
    """
    from deepdebug.simulate.cases import CASES, DEFAULT

    known = [case.name for case in CASES.values() if case.scene == scene]
    wanted = DEFAULT[scene] if name is None else name.upper()
    if wanted not in known:
        other = f" {wanted} is drawn by `{CASES[wanted].scene}`." if wanted in CASES else ""
        raise UsageError(f"`--case` got {name!r}; expected {' or '.join(known)} for `{scene}`.{other}")
    return CASES[wanted]


def check_prevalence(case: Case, prevalence: float | None) -> None:
    """Refuse a share that leaves no room for all causes, of which an image gets one at most.

    Raises:
        UsageError: When it is too large.
    """
    largest = 1 / len(case.planted)
    if prevalence is not None and prevalence > largest:
        raise UsageError(
            f"`--prevalence` got {prevalence:g}; {case.name} has {len(case.planted)} planted causes and an image gets "
            f"one at most. Expected a share from 0 to {largest:.3g}."
        )
