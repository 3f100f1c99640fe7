"""The report as one HTML file that needs no network, and as a fragment for notebooks."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from deepdebug.report import summary, wording
from deepdebug.report.report import Report

if TYPE_CHECKING:
    from jinja2 import Environment

Groups = list[list[tuple[str, str]]]  # plots that stand side by side, each as caption and SVG
logger = logging.getLogger("deepdebug")


def render(report: Report, plots: bool = True) -> str:
    """Return a whole page.

    Args:
        report: The report.
        plots: Whether to draw the curves and maps. Defaults to `True`.
    """
    return environment().get_template("report.html.j2").render(_view(report, plots))


def render_fragment(report: Report) -> str:
    """Return one `<div>` whose styles touch nothing outside of it."""
    return environment().get_template("fragment.html.j2").render(_view(report, plots=True))


@cache
def environment() -> Environment:
    """Return the templates of all pages, which escape whatever comes from the user."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("deepdebug.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    for name in ("number", "title", "place", "moment", "action"):
        found.filters[name] = getattr(wording, name)
    return found


def _finalize(value: Any) -> Any:
    """Replace control characters in what comes from the user; markup of ours passes."""
    return wording.printable(value) if type(value) is str else value


def _view(report: Report, plots: bool) -> dict[str, Any]:
    facts = report.run.facts
    drawn, trouble = _draw(report) if plots else ([], "")
    return {
        "report": report,
        "tone": {0: "good", 1: "bad", 3: "open"}[report.exit_code],
        "status": wording.status(report),
        "versions": summary.versions(report),
        "spent": summary.spent(report),
        "plots": drawn,
        "trouble": trouble,
        "skipped": [(wording.check_name(one.check, report), one.reason) for one in report.skipped],
        "facts": summary.facts_rows(report),
        "layers": summary.layer_rows(facts),
        "inputs": summary.input_rows(facts),
        "labels": summary.label_rows(facts),
    }


def _draw(report: Report) -> tuple[Groups, str]:
    from markupsafe import Markup

    from deepdebug.report.plots import draw

    try:
        groups: Groups = [[(caption, Markup(svg)) for caption, svg in group] for group in draw(report)]  # noqa: S704 - our SVG
    except Exception as error:  # the words matter more than the pictures
        logger.debug("the plots failed", exc_info=True)
        return [], f"the plots failed: {type(error).__name__}: {error}"
    return [group for group in groups if group], ""
