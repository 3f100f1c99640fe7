"""How much relevance each layer kept, as a table on the terminal and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class LayerSums:
    """Relevance at both sides of a layer, summed over all images and elements.

    Args:
        layer: Name of the layer.
        outputs: Relevance at its output.
        inputs: Relevance at its inputs.
        absorbed: Share that did not arrive at its inputs; negative where relevance was added.
    """

    layer: str
    outputs: float
    inputs: float
    absorbed: float


def render_csv(sums: Sequence[LayerSums]) -> str:
    """Return the table as CSV with a heading, in the order in which data flow."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("layer", "relevance_at_outputs", "relevance_at_inputs", "absorbed_share"))
    writer.writerows(
        (one.layer, *(f"{value:.9g}" for value in (one.outputs, one.inputs, one.absorbed))) for one in sums
    )
    return buffer.getvalue()


def table(sums: Sequence[LayerSums]) -> Table:
    """Return the table for a terminal, in the order in which relevance flows: from the output to the input."""
    from rich.table import Table
    from rich.text import Text

    result = Table(title="Conservation: relevance by layer, summed over the images", title_justify="left")
    result.add_column("layer")
    for heading in ("at its outputs", "at its inputs", "absorbed"):
        result.add_column(heading, justify="right")
    for one in reversed(sums):
        result.add_row(Text(one.layer), f"{one.outputs:.4g}", f"{one.inputs:.4g}", f"{one.absorbed:z.1%}")
    return result
