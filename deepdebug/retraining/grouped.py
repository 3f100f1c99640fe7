"""A case up to the clusters of its failures, on which everything about retraining stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepdebug.case.folder import TEST
from deepdebug.errors import UsageError
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.explaining import Answered
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.opening import Opened, Request, Stage, open_case, silent
from deepdebug.hudd.steps import answer_step, cluster_step, heatmap_step


@dataclass(frozen=True, slots=True)
class Grouped:
    """A case whose failures are grouped.

    Args:
        request: What was asked.
        opened: The case.
        answers: What the model says about test and training set, by the name of the set.
        heatmaps: The heatmaps of the failures.
        analysis: Their clusters.
    """

    request: Request
    opened: Opened
    answers: Mapping[str, Answered]
    heatmaps: Heatmaps
    analysis: Analysis


def group_failures(request: Request, stage: Stage = silent) -> Grouped:
    """Do all steps up to the clusters; what earlier runs with the same inputs have done is read back.

    Args:
        request: What was asked.
        stage: Is told of every stage that is begun. Defaults to `silent`.

    Raises:
        UsageError: When the case cannot be used, or the model fails on nothing.
    """
    opened = open_case(request)
    answers = answer_step(request, opened, stage)
    if not answers[TEST].tested.failed.any():
        raise UsageError("The model fails on none of the images of the TestSet, so there is nothing to improve.")
    heatmaps = heatmap_step(request, opened, answers[TEST], stage)
    return Grouped(request, opened, answers, heatmaps, cluster_step(request, opened, answers, heatmaps, stage))
