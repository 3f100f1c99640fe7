"""What the detectors of this preset share: the epoch in question, windows of epochs, and the form of a finding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from deepdebug.detectors import flow
from deepdebug.detectors.registry import Detector
from deepdebug.errors import NotJudged
from deepdebug.facts import LEARNING_FAMILIES, VariableFacts
from deepdebug.observation import EpochEnd, Observation, Run, VariableObservation
from deepdebug.records import Finding, Location, Severity

WINDOW = 5  # N of DeepDiagnosis (ICSE 2022), in epochs
ACCURACY_WINDOW = 20  # FRQ of DeepDiagnosis (ICSE 2022), in epochs
ROUNDING = 2.0**-23  # resolution of float32
JUDGED_FAMILIES = tuple(family for family in LEARNING_FAMILIES if family != "recurrent")


def epoch_end(run: Run) -> Observation:
    """Return the newest observation.

    Raises:
        NotJudged: When it was not made at the end of an epoch.
    """
    if not run.observations or run.latest.trigger != "epoch":
        raise NotJudged("this preset judges at the end of an epoch")
    return run.latest


def probed_epoch_end(run: Run) -> Observation:
    """Return the newest observation.

    Raises:
        NotJudged: When it was not made at the end of an epoch, or the model was not probed.
    """
    now = epoch_end(run)
    if not now.rows:
        raise NotJudged("the model was not probed; pass `probe=(x, y)`")
    return now


def window(run: Run, size: int) -> list[Observation | EpochEnd]:
    """Return the epochs of the window that ends now, oldest first; none where no window ends now.

    Windows do not overlap: they end at epochs `size`, 2 `size`, ...
    """
    now = epoch_end(run)
    if (now.epoch + 1) % size:
        return []
    found = run.epochs[-size:]
    return found if len(found) == size else []


def observed_window(run: Run, size: int) -> list[Observation]:
    """Return the same as observations of the model.

    Raises:
        NotJudged: When the model was not observed at the end of every epoch.
    """
    found = window(run, size)
    observed = [seen for seen in found if isinstance(seen, Observation)]
    if len(observed) < len(found):
        raise NotJudged('the model was not observed after every epoch; record with `Diagnose(check_freq="epoch")`')
    return observed


def unchanged(rows: Sequence[Sequence[float]]) -> bool:
    """Tell whether the numbers of every row equal those of the first, but for rounding."""
    return bool(rows) and all(
        all(math.isclose(one, other, rel_tol=ROUNDING) for one, other in zip(row, rows[0], strict=True)) for row in rows
    )


def kernels(run: Run, seen: Observation) -> Iterator[tuple[VariableFacts, VariableObservation]]:
    """Yield the first weights of every learning layer but recurrent ones, from the last layer to the first."""
    owners = {layer.name for layer in run.facts.layers if layer.family in JUDGED_FAMILIES}
    by_path = {variable.path: variable for variable in seen.variables}
    first: dict[str, VariableFacts] = {}
    for facts in run.facts.variables:
        if facts.layer in owners and facts.path in by_path:
            first.setdefault(facts.layer or "", facts)
    order = flow.positions(run.facts)
    for name in sorted(first, key=lambda one: -order.get(one, -1)):
        yield first[name], by_path[first[name].path]


def hit(
    detector: Detector,
    now: Observation,
    message: str,
    location: Location,
    layer: str | None = None,
    *,
    value: float | None = None,
    threshold: float | None = None,
    severity: Severity = "error",
) -> Finding:
    """Return a finding of `detector` at `now`."""
    return Finding(
        code=detector.code,
        symptom=detector.symptom,
        abbreviation=detector.abbreviation,
        severity=severity,
        confidence="weak",
        layer=layer,
        location=location,
        epoch=now.epoch,
        step=now.step,
        value=value,
        threshold=threshold,
        message=message,
        healthy="no symptom of DeepDiagnosis (ICSE 2022)",
    )
