import csv
import io

from rich.console import Console

from deepdebug.report.conservation import LayerSums, render_csv, table

SUMS = (LayerSums("conv", 10.0, 9.5, 0.05), LayerSums('de"nse, [bold]', 10.0, 10.0, -1e-9))


def test_csv_can_be_read_back():
    rows = list(csv.reader(io.StringIO(render_csv(SUMS))))
    assert rows[0] == ["layer", "relevance_at_outputs", "relevance_at_inputs", "absorbed_share"]
    assert [row[0] for row in rows[1:]] == ["conv", 'de"nse, [bold]']
    assert [float(value) for value in rows[1][1:]] == [10.0, 9.5, 0.05]


def test_table_follows_relevance_from_the_output_to_the_input():
    buffer = io.StringIO()
    Console(file=buffer, width=100).print(table(SUMS))
    text = buffer.getvalue()
    assert text.index('de"nse, [bold]') < text.index("conv")
    assert "5.0%" in text
    assert "-0.0%" not in text
