"""`deepdebug hudd`: from a trained model and its failing images to groups with one cause each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Group the failures of a trained model by their causes, and show each group on one page.",
)


class Until(StrEnum):
    """The step after which a run ends."""

    TEST = "test"
    HEATMAPS = "heatmaps"
    CLUSTER = "cluster"
    REPORT = "report"
    RETRAIN = "retrain"


class Mode(StrEnum):
    """Which pipeline groups the failures."""

    DEFAULT = "default"
    HUDD = "hudd"
    WHOLE = "HUDD"


class Detail(StrEnum):
    """How many groups the failures are divided into."""

    COARSE = "coarse"
    FINE = "fine"


class Explained(StrEnum):
    """What is explained of a classifier."""

    PREDICTED = "predicted"
    LARGEST = "largest"


class DType(StrEnum):
    """Type of stored heatmaps."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


class Storage(StrEnum):
    """How much of each heatmap is kept."""

    AUTO = "auto"
    FULL = "full"
    SKETCH = "sketch"


class NormaliseBy(StrEnum):
    """What is done to every heatmap before it is compared."""

    SQRT = "sqrt"
    L2 = "l2"
    SUM = "sum"
    MAX = "max"
    NONE = "none"


class LinkageBy(StrEnum):
    """How near two groups are."""

    WARD = "ward"
    AVERAGE = "average"
    COMPLETE = "complete"
    SINGLE = "single"
    WEIGHTED = "weighted"


class SliceBy(StrEnum):
    """What divides the failures into groups."""

    HIERARCHY = "hierarchy"
    KMEANS = "kmeans"
    MIXTURE = "mixture"
    UMAP = "umap-hdbscan"
    RANDOM = "random"


class Format(StrEnum):
    """Form in which distances are kept."""

    NPY = "npy"
    PARQUET = "parquet"
    XLSX = "xlsx"


CaseFolder = Annotated[
    Path, typer.Argument(help="Folder with DataSets/ and DNNModels/; see below.", show_default=False)
]
Out = Annotated[Path | None, typer.Option(help="Folder for the results. Default: T in the folder of the case.")]
Model = Annotated[str | None, typer.Option(help="Name of the model in DNNModels/. Default: the only one.")]
Failures = Annotated[
    str | None,
    typer.Option(help="label, loss>NUMBER or quantile=NUMBER. Default: what case.toml says, or a wrong label."),
]
Layers = Annotated[
    str | None,
    typer.Option(help="Layers whose relevance counts, separated by commas. Default: the convolutions."),
]
Rule = Annotated[
    str | None,
    typer.Option(
        help="Rules of relevance, such as z-plus, epsilon-plus or hudd. Default: z-plus, by --mode hudd hudd."
    ),
]
Target = Annotated[Explained, typer.Option(help="Which output of a classifier is explained.")]
Normalise = Annotated[NormaliseBy, typer.Option(help="What is done to each heatmap before it is compared.")]
Stored = Annotated[DType, typer.Option(help="Of stored heatmaps; float16 takes half the disk.")]
Summed = Annotated[bool, typer.Option("--summed", help="Sum relevance over channels: less disk, coarser groups.")]
HeatmapsOption = Annotated[
    Storage,
    typer.Option("--heatmaps", help="full, or sketch for 256 random projections each; auto: sketch above 8 GiB."),
]
Embedding = Annotated[
    Path | None,
    typer.Option(help=".npy file, a row per image of the test set by name: groups by what images look like as well."),
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        help="default; hudd groups as the published program does, step by step; HUDD does all steps of the method with "
        "the default, that is --until retrain."
    ),
]
Groups = Annotated[int | None, typer.Option("--k", min=1, help="Number of groups. Default: found by itself.")]
DetailOption = Annotated[Detail, typer.Option(help="fine: about 25 groups, for inspection.")]
Linkage = Annotated[LinkageBy, typer.Option(help="How near two groups of the hierarchy are.")]
SlicerOption = Annotated[
    SliceBy, typer.Option(help="What divides the failures; mixture goes by features and classes, after Domino.")
]
Views = Annotated[
    str | None,
    typer.Option(
        help="What is compared: some of relevance, activations (last convolution), hidden (last dense layer's input), "
        "embedding; separated by commas. Default: relevance; with --embedding also activations and embedding."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of everything random.")]
Export = Annotated[
    list[Format] | None, typer.Option(help="Keep the distances in this form; may be given several times.")
]
Xlsx = Annotated[bool, typer.Option("--xlsx", help="Short for --export xlsx, as HUDD's own program wrote them.")]
Size = Annotated[str | None, typer.Option(help="HEIGHTxWIDTH to resize to. Default: case.toml, or the model's.")]
Colour = Annotated[str | None, typer.Option("--colour", "--color", help="gray or rgb. Default: by case or model.")]
Scale = Annotated[str | None, typer.Option(help="Factor on values of 0 to 255. Default: case.toml, or 1/255.")]
Offset = Annotated[float | None, typer.Option(help="Added after scaling. Default: case.toml, or 0.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Images that go through the model together.")]

FOLDERS = """
    \b
    CASE holds:
      DataSets/TestSet/         a folder per class with images; or images and targets.csv; or one .npz file
                                with images and labels or targets
      DataSets/TrainingSet/     the same; may be missing
      DNNModels/NAME.keras      one model or more
      case.toml                 optional: classes, preprocessing, when an answer is a failure
      DataSets/*/parameters.csv optional: numbers known of each image, such as the light; groups are
                                described by them

    \b
    The results:
      report.html               read this: every group with images, mean heatmap, what sets it apart
      LayerAll/1, 2, ...        the images of each group, with an animation
      testResult.csv            what the model says about every image
      Heatmaps/                 relevance of the failures, an array per layer
      ClusterAnalysis/          groups by each layer alone, clusters.csv, analysis.json

    A run that was stopped goes on where it was when the command is repeated. What depends on a changed image,
    model or option is done again; so pass the same options to each of these steps. `assign`, `retrain` and
    `compare` know them.
"""


def _command(until: Until | None, text: str) -> Callable[..., None]:
    """Return a command that brings a case up to a step."""

    def command(
        case: CaseFolder,
        *,
        out: Out = None,
        model: Model = None,
        last: Annotated[Until, typer.Option("--until", help="Step after which to end.")] = Until.REPORT,
        failures: Failures = None,
        layers: Layers = None,
        rule: Rule = None,
        target: Target = Explained.PREDICTED,
        normalise: Normalise = NormaliseBy.SQRT,
        dtype: Stored = DType.FLOAT32,
        summed: Summed = False,
        storage: HeatmapsOption = Storage.AUTO,
        embedding: Embedding = None,
        views: Views = None,
        mode: ModeOption = Mode.DEFAULT,
        k: Groups = None,
        detail: DetailOption = Detail.COARSE,
        linkage: Linkage = LinkageBy.WARD,
        slicer: SlicerOption = SliceBy.HIERARCHY,
        seed: Seed = 0,
        export: Export = None,
        xlsx: Xlsx = False,
        size: Size = None,
        colour: Colour = None,
        scale: Scale = None,
        offset: Offset = None,
        batch_size: BatchSize = 64,
    ) -> None:
        from deepdebug.cli.hudd_run import Said, run

        said = Said(
            case=case,
            out=out or case / "T",
            model=model,
            failures=failures,
            layers=layers,
            rule=rule,
            target=target.value,
            normalise=normalise.value,
            dtype=dtype.value,
            summed=summed,
            storage=storage.value,
            embedding=embedding,
            views=views,
            mode=(Mode.DEFAULT if mode is Mode.WHOLE else mode).value,
            k=k,
            detail=detail.value,
            linkage=linkage.value,
            slicer=slicer.value,
            seed=seed,
            exports=tuple(dict.fromkeys(one.value for one in [*(export or []), *([Format.XLSX] if xlsx else [])])),
            size=size,
            colour=colour,
            scale=scale,
            offset=offset,
            batch_size=batch_size,
        )
        run(said, (until or (Until.RETRAIN if mode is Mode.WHOLE else last)).value)

    command.__doc__ = text
    if until is not None:  # the command itself says where it ends
        signature = inspect.signature(command)
        kept = [one for name, one in signature.parameters.items() if name != "last"]
        command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return command


TEXTS = {
    None: (
        "run",
        """Do all steps: ask the model, explain its failures, group them, write the page.

    \b
    Examples:
      deepdebug simulate eye cases/gaze && deepdebug hudd run cases/gaze
      deepdebug hudd run cases/gaze --detail fine               more and purer groups
      deepdebug hudd run cases/gaze --mode hudd --out T-hudd    HUDD as published, to compare with
      deepdebug hudd run cases/marks --failures 'loss>3'        landmarks more than 3 pixels off
      deepdebug hudd run cases/gaze --until heatmaps
      deepdebug hudd run cases/gaze --mode HUDD                 and choose images to label, retrain and compare
""",
    ),
    Until.TEST: (
        "test",
        """Ask the model about the test and training set: which images does it get wrong?

    \b
    Example:
      deepdebug hudd test cases/gaze --failures quantile=0.95   the 5 % of images with the largest loss
""",
    ),
    Until.HEATMAPS: (
        "heatmaps",
        """Explain the failures: which parts of the image, at which layer, led to the answer?

    \b
    Example:
      deepdebug hudd heatmaps cases/gaze --dtype float16        half the disk
""",
    ),
    Until.CLUSTER: (
        "cluster",
        """Group the failures by what led to them.

    \b
    Examples:
      deepdebug hudd cluster cases/gaze --k 12
      deepdebug hudd cluster cases/gaze --embedding features.npy
      deepdebug hudd cluster cases/gaze --xlsx                  distances as HUDD's own program kept them
""",
    ),
}
CODES = """
    \b
    Exit codes:
      0    done; also where the model has no failures
      2    wrong use, or something cannot be read or written
      130  interrupted; the same command goes on
"""


def report(case: CaseFolder, *, out: Out = None) -> None:
    """Write the page about the groups as they are, such as after a new version of deepdebug.

    \b
    Example:
      deepdebug hudd report cases/gaze
    """  # noqa: D301 - typer keeps the lines that follow it
    from deepdebug.cli.hudd_run import write_report

    write_report(out or case / "T")


for _until, (_name, _text) in TEXTS.items():
    app.command(_name)(_command(_until, f"{_text}{FOLDERS}{CODES}"))
app.command("report")(report)
