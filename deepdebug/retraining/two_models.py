"""Two models of a case on its test set."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepdebug.case.folder import MODELS, SUFFIX, TEST, read_case
from deepdebug.errors import UsageError
from deepdebug.hudd.analysis import Analysis, read_analysis
from deepdebug.hudd.explaining import Labelled, Subject, ask
from deepdebug.hudd.opening import Opened, Request, Stage, open_case, silent
from deepdebug.hudd.steps import ANALYSIS, CLUSTERS
from deepdebug.hudd.tested import Tested
from deepdebug.model.saved import load_model
from deepdebug.retraining.comparing import Change, aligned, changes, groups_of
from deepdebug.retraining.labels import write_table
from deepdebug.retraining.steps import fixed_rule
from deepdebug.retraining.summarising import planted_images

COMPARISON = "comparison.csv"


def compare_models(
    request: Request, models: tuple[str, str], stage: Stage = silent
) -> Mapping[str, tuple[Change, ...]]:
    """Ask two models about the test set, and write down the images about which they disagree.

    Args:
        request: What was asked of the case.
        models: Names, or files, of the model before and the model after.
        stage: Is told of every stage that is begun. Defaults to `silent`.

    Returns:
        The groups of images by their kind: "all", "class", "cluster" (of an analysis in the results, where there is
        one), "planted cause" (where the case knows them).

    Raises:
        UsageError: When there is no such case or model, or a model does not fit the case.
    """
    read_case(request.case)  # a folder that is no case has no models either, of which less can be said
    before, after = (find_model(request, name) for name in models)
    opened = open_case(replace(request, model=_of_case(request, (before, after))))
    first = _tested(opened, before, stage)
    opened = replace(opened, rule=fixed_rule(opened.rule, first))
    second = _tested(opened, after, stage)
    places, others = aligned(first, second)
    failed, failed_after = first.failed[places], second.failed[others]
    known = groups_of(first, _clusters(request.out), planted_images(request.case))
    disagreed = np.flatnonzero(failed != failed_after)
    write_table(
        request.out / COMPARISON,
        ("image", "change", "expected", before.stem, after.stem),
        [_row(first, second, places[one], others[one], bool(failed[one])) for one in disagreed],
    )
    return {
        kind: changes(failed, failed_after, {name: inside[places] for name, inside in groups.items()})
        for kind, groups in known.items()
    }


def find_model(request: Request, name: str) -> Path:
    """Return the file of a model.

    Args:
        request: What was asked of the case.
        name: A file, or a name in `DNNModels` of the case or of the results, with or without its ending.

    Raises:
        UsageError: When there is none.
    """
    folders = (request.case / MODELS, request.out / MODELS)
    places = [Path(name), *(folder / one for folder in folders for one in (name, f"{name}{SUFFIX}"))]
    for place in places:
        if place.is_file():
            return place
    known = sorted(path.stem for folder in folders for path in folder.glob(f"*{SUFFIX}"))
    raise UsageError(f"There is no model {name!r}; expected a file, or one of {', '.join(known) or 'none'}.")


def _of_case(request: Request, models: tuple[Path, Path]) -> str | None:
    """Return the name of a model by whose input the images of the case are read."""
    inside = [path.stem for path in models if path.resolve().parent == (request.case / MODELS).resolve()]
    return inside[0] if inside else request.model


def _tested(opened: Opened, path: Path, stage: Stage) -> Tested:
    dataset, subject = opened.sets[TEST], Subject(load_model(path), path.stem, "")
    labelled = Labelled(opened.images[TEST], dataset.expected, dataset.classes)
    names = opened.case.outputs or dataset.outputs
    return ask(subject, labelled, opened.rule, names=names, advance=stage(path.stem, len(dataset))).tested


def _clusters(out: Path) -> dict[str, list[str]]:
    found: Analysis | None = None
    with contextlib.suppress(UsageError):
        found = read_analysis(out / CLUSTERS / ANALYSIS)
    if found is None:
        return {}
    return {f"cluster {one.number}": [found.images[member] for member in one.members] for one in found.groups}


def _row(first: Tested, second: Tested, place: int, other: int, mended: bool) -> tuple[str, ...]:
    change = "mended" if mended else "broken"
    if first.expected is None or first.predicted is None or second.predicted is None:
        return first.images[place], change, "", str(first.loss[place]), str(second.loss[other])
    numbers = first.expected[place], first.predicted[place], second.predicted[other]
    return first.images[place], change, *(first.columns[one] for one in numbers)
