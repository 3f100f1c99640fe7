"""The clusters of failing images as one HTML file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepdebug.report.html import environment
from deepdebug.report.hudd.chart import Chart, draw_chart
from deepdebug.report.hudd.cluster import cluster_view
from deepdebug.report.hudd.findings import baseline_rows, layer_rows, set_rows, variance_sentence
from deepdebug.report.hudd.map import draw_map
from deepdebug.report.hudd.marks import SHAPES
from deepdebug.report.hudd.pictures import Pictures
from deepdebug.report.hudd.retraining import Pixels, counted, section
from deepdebug.report.hudd.tree import draw_tree
from deepdebug.report.hudd.verdict import SAID, verdict

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis
    from deepdebug.retraining.summary import Retrained

TEMPLATE = "hudd.html.j2"


def render_hudd(
    analysis: Analysis, pictures: Pictures, retrained: Retrained | None = None, changed: Pixels | None = None
) -> str:
    """Return the whole page.

    Args:
        analysis: What is said.
        pictures: What the failing images look like, by their positions in `analysis.images`.
        retrained: What retraining brought. Defaults to `None`: nothing was retrained.
        changed: The images about which the models disagree; see `section`. Defaults to `None`: none are shown.
    """
    view = _view(analysis, pictures)
    view["retrained"] = None if retrained is None else section(retrained, changed or {})
    view["changed"] = "" if retrained is None else counted(retrained)
    return environment().get_template(TEMPLATE).render(view)


def _view(analysis: Analysis, pictures: Pictures) -> dict[str, Any]:
    return {
        "analysis": analysis,
        "verdict": verdict(analysis),
        "warnings": [one.text for one in analysis.notes if one.warning and one.code != SAID],
        "remarks": [one.text for one in analysis.notes if not one.warning and one.code != SAID],
        "sets": set_rows(analysis),
        "alone": len(analysis.images) - sum(len(group.members) for group in analysis.groups),
        "clusters": [cluster_view(group, analysis, pictures) for group in analysis.groups],
        "shapes": SHAPES,
        "map": draw_map(analysis),
        "tree": draw_tree(analysis),
        "charts": _charts(analysis),
        "layers": layer_rows(analysis.layers),
        "baselines": baseline_rows(analysis.baselines),
        "variance": variance_sentence(analysis.variance_reduction),
    }


def _charts(analysis: Analysis) -> dict[str, Chart]:
    curve = analysis.curve
    if curve is None:
        return {}
    drawn = {
        "heights": draw_chart("height of the merge", curve.numbers, curve.heights, curve.chosen),
        "wicd": draw_chart("WICD", curve.numbers, curve.wicd, curve.chosen),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}
