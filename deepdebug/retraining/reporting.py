"""The page about a case, with what retraining brought where there was one."""

from __future__ import annotations

from pathlib import Path

from deepdebug.hudd.analysis import read_analysis
from deepdebug.hudd.heatmaps import open_heatmaps
from deepdebug.hudd.opening import Stage, silent
from deepdebug.hudd.page import write_page
from deepdebug.hudd.steps import ANALYSIS, CLUSTERS, HEATMAPS, REPORT
from deepdebug.retraining.steps import FOLDER
from deepdebug.retraining.summarising import SUMMARY, analysis_hash, pictures_of
from deepdebug.retraining.summary import read_retrained


def report_step(out: Path, stage: Stage = silent) -> Path:
    """Write the page about an analysis that was made before, and about the retraining that belongs to it.

    Args:
        out: Folder of the results.
        stage: Is told of the beginning. Defaults to `silent`.

    Returns:
        The page.

    Raises:
        UsageError: When there is no analysis, or the page cannot be written.
    """
    analysis = read_analysis(out / CLUSTERS / ANALYSIS)
    advance = stage("Report", len(analysis.images))
    retrained = read_retrained(out / FOLDER / SUMMARY, analysis_hash(out))
    changed = None if retrained is None else pictures_of(out / FOLDER / SUMMARY)
    path = write_page(out / REPORT, analysis, open_heatmaps(out / HEATMAPS), retrained, changed)
    advance(len(analysis.images))
    return path
