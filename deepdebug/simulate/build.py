"""Makes a whole case: each part is written under another name first, so a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deepdebug.errors import UsageError
from deepdebug.files import unwritable, write_text
from deepdebug.simulate.order import Order, case_file
from deepdebug.simulate.pictures import Tell, draw_whole
from deepdebug.simulate.results import read_truth, write_truth
from deepdebug.simulate.sampling import SETS, TRAINING
from deepdebug.simulate.summary import summary
from deepdebug.simulate.writing import write_set

if TYPE_CHECKING:
    import keras

CASE_FILE = "case.toml"
BEGUN = ".simulating"  # holds the text of the case file until the case is complete
Stage = Callable[[str, int], Tell]  # name and total of a stage -> how to tell of progress


def silent(_: str, __: int) -> Tell:
    """Show no progress."""
    return lambda _: None


def simulate(order: Order, out: Path, stage: Stage = silent) -> str:
    """Make a case, or finish one that was begun.

    Args:
        order: What is to be simulated.
        out: The folder of the case.
        stage: Is told which stage begins, and returns what is told of its progress. Defaults to `silent`.

    Returns:
        The summary.

    Raises:
        UsageError: When the folder holds something else, or cannot be written to.
    """
    if not _is_complete(order, out):
        _claim(order, out)
        for part in SETS:
            _set(order, part, out, stage)
        _truths(order, out, stage)
        _finish(order, out)
    return summary(order, {part: read_truth(_truth_file(out, part)) for part in SETS})


def _is_complete(order: Order, out: Path) -> bool:
    return _text(out / CASE_FILE) == case_file(order) and all(_truth_file(out, part).exists() for part in SETS)


def _claim(order: Order, out: Path) -> None:
    """Note in the folder what is being made in it, unless something else is there."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{str(out)!r} is a file; expected a new or empty folder. Choose another name.")
    wanted = case_file(order)
    begun = _text(out / BEGUN) or _text(out / CASE_FILE)
    if begun == wanted:
        return
    if begun is not None:
        raise UsageError(
            f"{str(out)!r} holds another case than the one asked for: {_difference(begun, wanted)}. Choose another "
            "folder, or repeat the options with which it was made to complete it."
        )
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(
            f"{str(out)!r} holds files that are no simulated case, such as {min(one.name for one in out.iterdir())!r}. "
            "Expected a new or empty folder; nothing was changed. Choose another name."
        )
    write_text(out / BEGUN, wanted, "case")


def _finish(order: Order, out: Path) -> None:
    write_text(out / CASE_FILE, case_file(order), "case file")
    (out / BEGUN).unlink(missing_ok=True)


def _set(order: Order, part: str, out: Path, stage: Stage) -> None:
    folder = out / "DataSets" / part
    if not folder.exists():
        write_set(order, part, folder, stage(f"Drawing the {part}", order.size.pictures[part]))


def _truths(order: Order, out: Path, stage: Stage) -> None:
    missing = [part for part in SETS if not _truth_file(out, part).exists()]
    model_file = out / "DNNModels" / f"{order.case.name}.keras"
    if not missing and model_file.exists():
        return
    from deepdebug.simulate.training import predictor

    model = _model(order, model_file, stage)
    for part in missing:
        tell = stage(f"Finding causes in the {part}", order.size.pictures[part])
        write_truth(order, part, predictor(model), _truth_file(out, part), tell)


def _model(order: Order, file: Path, stage: Stage) -> keras.Model:
    from deepdebug.model.saved import save_model
    from deepdebug.simulate.training import load, train

    if file.exists():
        return load(file)
    tell = stage("Training the model", order.size.epochs)
    pictures, targets = draw_whole(order, TRAINING)
    model = train(order.case, pictures, targets, seed=order.seed, epochs=order.size.epochs, on_epoch=lambda _: tell(1))
    save_model(file, model)
    return model


def _truth_file(out: Path, part: str) -> Path:
    return out / "GroundTruth" / f"{part}.csv"


def _text(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = OSError(str(error)) if not isinstance(error, OSError) else error
        raise unwritable(path, "case", reason) from error


def _difference(begun: str, wanted: str) -> str:
    """Return the first line in which two case files differ."""
    pairs = zip(begun.splitlines(), wanted.splitlines(), strict=False)
    before, after = next(((one, other) for one, other in pairs if one != other), ("more lines", "fewer"))
    return f"there `{before}`, here `{after}`"
