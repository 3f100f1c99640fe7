"""The plots of a report as SVG text; matplotlib is imported when the first one is drawn, and pyplot never.

Text and axes take the colour of the surrounding page, so that a plot reads in light and dark.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from deepdebug.records import Finding
from deepdebug.report.report import Report
from deepdebug.report.series import MEASURES, LayerMap, Measure, curves, layer_map, learning_rates
from deepdebug.report.wording import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"  # replaced by the text colour of the page
COLORS = ("#2b83cc", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # after Okabe and Ito, colour-blind safe
MAX_CURVES = 12
MAX_NAME = 30
MAX_TICKS = 13
BROKEN = "#e03131"
MISSING = "#8a8f98"
Plot = tuple[str, str]  # caption and SVG
Points = Mapping[str, Sequence[tuple[int, float]]]


def draw(report: Report) -> tuple[list[Plot], list[Plot]]:
    """Return the curves over epochs and the maps of layers by checks, those without data left out."""
    with _settings():
        return list(_curve_plots(report)), list(_map_plots(report))


def _curve_plots(report: Report) -> Iterator[Plot]:
    losses, metrics = curves(report.run)
    rates = learning_rates(report.run)
    marks = [one for one in report.findings if one.epoch >= 0 and one.severity != "info"]
    rest = "; dotted lines: first epoch of a finding" if marks else ""
    if losses:
        yield f"Loss by epoch{rest}", _svg(_curves(losses, "loss", marks, may_be_log=True))
    if metrics:
        yield f"Metrics by epoch{rest}", _svg(_curves(metrics, "value", marks))
    if rates:
        yield f"Learning rate by epoch{rest}", _svg(_curves({"learning_rate": rates}, "learning rate", marks))


def _map_plots(report: Report) -> Iterator[Plot]:
    wanted = [finding.layer for finding in report.findings if finding.layer]
    for measure in MEASURES:
        cells = layer_map(report.run, measure, wanted)
        if cells is not None:
            yield _caption(measure, cells), _svg(_map(measure, cells))


def _caption(measure: Measure, cells: LayerMap) -> str:
    parts = [f"{measure.title}: {measure.note}"]
    if cells.broken.any():
        parts.append("a red cross marks NaN or infinity")
    if np.isnan(cells.values).any():
        parts.append("grey: not measured")
    if cells.omitted:
        parts.append(f"{len(cells.layers)} of {len(cells.layers) + cells.omitted} layers shown")
    if cells.checks_per_column > 1:
        parts.append(f"each column is the median of {cells.checks_per_column} checks")
    return "; ".join(parts)


@contextmanager
def _settings() -> Iterator[None]:
    """Draw with matplotlib's own defaults, whatever style the user has set."""
    import matplotlib.style

    ours = {
        "svg.fonttype": "none", "svg.hashsalt": "deepdebug", "text.parse_math": False, "font.size": 9.0,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": False, "legend.frameon": False,
    }  # fmt: skip
    with matplotlib.style.context(["default", ours]), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # glyphs that matplotlib's font lacks: the browser draws the text
        yield


def _curves(points: Points, label: str, marks: Sequence[Finding], may_be_log: bool = False) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.add_subplot()
    names = list(points)[:MAX_CURVES]
    families = list(dict.fromkeys(name.removeprefix("val_") for name in names))
    for name in names:
        epochs, values = zip(*points[name], strict=True)
        family = families.index(name.removeprefix("val_"))
        axes.plot(
            epochs, np.where(np.isfinite(values), values, np.nan), label=_short(name),
            color=COLORS[family % len(COLORS)], linestyle="--" if name.startswith("val_") else "-",
            marker="o" if len(epochs) <= 30 else "", markersize=3, linewidth=1.4,
        )  # fmt: skip
    if may_be_log:
        _scale(axes, [value for name in names for _, value in points[name]])
    _mark_broken(axes, [epoch for name in names for epoch, value in points[name] if not np.isfinite(value)])
    _mark_findings(axes, marks)
    axes.set_xlabel("epoch (from 0)")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc="best")
    return figure


def _scale(axes: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter

    finite = [value for value in values if np.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) > 50 * min(finite):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def _mark_broken(axes: Axes, epochs: Sequence[int]) -> None:
    for epoch in sorted(set(epochs))[:1]:
        axes.axvline(epoch, color=BROKEN, linewidth=1.0)
        axes.annotate(
            "NaN or infinite", (epoch, 0.02), xycoords=("data", "axes fraction"), fontsize=8, rotation=90,
            ha="right", va="bottom", color=BROKEN,
        )  # fmt: skip


def _mark_findings(axes: Axes, marks: Sequence[Finding]) -> None:
    first, last = axes.get_xlim()
    groups: list[tuple[int, list[str]]] = []
    for finding in sorted(marks, key=lambda one: one.epoch):
        if not groups or finding.epoch - groups[-1][0] > (last - first) / 5:
            groups.append((finding.epoch, []))
        if finding.code not in groups[-1][1]:
            groups[-1][1].append(finding.code)
    for epoch, codes in groups:
        axes.axvline(epoch, color=INK, linewidth=0.9, linestyle=":", alpha=0.7)
        more = f" +{len(codes) - 2}" if len(codes) > 2 else ""
        axes.annotate(
            " ".join(codes[:2]) + more, (epoch, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 2),
            textcoords="offset points", fontsize=7, ha="left", va="bottom",
        )  # fmt: skip


def _map(measure: Measure, cells: LayerMap) -> Figure:
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    rows, columns = cells.values.shape
    figure = Figure(figsize=(6.4, 1.2 + 0.19 * rows), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(
        cells.values, aspect="auto", interpolation="nearest", vmin=measure.low, vmax=measure.high,
        cmap=colormaps[measure.colors].with_extremes(bad=MISSING),
    )  # fmt: skip
    y, x = np.nonzero(cells.broken)
    axes.scatter(x, y, marker="x", s=max(4, min(28, 2500 / columns)), color=BROKEN, linewidths=1.0)
    axes.set_yticks(range(rows), [_short(name) for name in cells.layers], fontsize=8)
    places = range(0, columns, math.ceil(columns / MAX_TICKS))
    axes.set_xticks(places, ["start" if cells.epochs[place] < 0 else str(cells.epochs[place]) for place in places])
    axes.set_xlabel("epoch (from 0)")
    axes.tick_params(length=2)
    figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    return figure


def _short(name: str) -> str:
    """Shorten a long name in the middle, since nested layers differ in both ends."""
    name = printable(name)
    half = (MAX_NAME - 1) // 2
    return name if len(name) <= MAX_NAME else f"{name[:half]}\u2026{name[-half:]}"


def _svg(figure: Figure) -> str:
    """Return the figure as an SVG element for use inside HTML: no prolog, no global style, no fixed text colour."""
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, dpi=144, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, count=1, flags=re.DOTALL)
    size = 'role="img" style="stroke-linejoin:round;stroke-linecap:butt;width:100%;height:auto"'
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf"<svg \1 {size}>", text, count=1)
    return text.replace(INK, "currentColor").replace("xlink:href", "href")
