import dataclasses
import re

import numpy as np
import pytest

from deepdebug.report.hudd.page import render_hudd
from deepdebug.report.hudd.retraining import counted, section, table, told
from deepdebug.retraining.comparing import changes
from deepdebug.retraining.statistics import interval
from deepdebug.retraining.summary import (
    ArmResult,
    ChangedImage,
    ClusterResult,
    Retrained,
    read_retrained,
    write_retrained,
)
from tests.report.hudd_factory import FakePictures, analysis

SPACE = "\N{NO-BREAK SPACE}"


def arm(name, accuracies, p_value=None, superiority=None, **more):
    mean = interval(accuracies) if accuracies else None
    found = ArmResult(name, len(accuracies), (), 120, 300, tuple(accuracies), mean, p_value, superiority, ())
    return dataclasses.replace(found, **more)


def retrained(**more):
    before, after = np.array([True] * 30 + [False] * 70), np.array([False] * 20 + [True] * 14 + [False] * 66)
    half = np.arange(100) % 2 == 0
    found = Retrained(
        fingerprint="abc",
        images=100,
        before=0.7,
        arms=(
            arm("HUDD", [0.86, 0.87, 0.88]),
            arm("BL1", [0.80, 0.81, 0.82], 0.01, 1.0),
            arm("BL2", [0.85, 0.87, 0.89], 0.8, 0.5),
        ),
        shown="HUDD_02",
        model="HUDD_02_87.00.keras",
        changes=(
            ("all", changes(before, after, {"all images": half | True})),
            ("class", changes(before, after, {"left": half, "right": ~half})),
            ("planted cause", changes(before, after, {"<C1>": half})),
        ),
        clusters=(ClusterResult(1, 20, 6, 6, 15, ("<near>.png",)), ClusterResult(2, 10, 3, 2, None)),
        fixed=(ChangedImage("left/<1>.png", "left", "right", "left"),),
        broken=(ChangedImage("2.png", "", "loss 1.5", "loss 4"),),
        findings=(("HUDD_02", 2),),
        settings=(("epochs", "10"), ("learning_rate", "None")),
    )
    return dataclasses.replace(found, **more)


PIXELS = {"fixed": np.zeros((1, 8, 8, 3)), "broken": np.full((1, 8, 8, 3), 255.0), "chosen-1": np.ones((1, 8, 8, 3))}


def test_what_it_brought_is_told_and_that_three_runs_cannot_tell_more():
    assert told(retrained()).replace(SPACE, " ") == (
        "With 120 new labels, HUDD gets 87.0 % (84.5 to 89.5 %) of the test set right instead of 70.0 %. It is better "
        "than BL1 with as many labels. It is not told apart by chance from BL2 with as many labels. With 3 runs of an "
        "arm no difference can be clear; repeat it with --runs 10."
    )
    enough = retrained(arms=(arm("HUDD", [0.86] * 4), arm("BL2", [0.85] * 4, 0.8, 0.5)))
    assert told(enough).endswith("It is not told apart by chance from BL2 with as many labels.")


def test_one_run_has_no_interval_and_is_compared_with_nothing():
    found = retrained(arms=(arm("HUDD", [0.86]), arm("BL1", [0.8])))
    assert told(found).replace(SPACE, " ") == (
        "With 120 new labels, HUDD gets 86.0 % of the test set right instead of 70.0 %."
    )
    assert table(found)[1][3:] == (f"80.0{SPACE}%", "-", "-")


def test_worse_is_said_as_plainly_as_better():
    found = retrained(arms=(arm("HUDD", [0.8, 0.81]), arm("BL1", [0.9, 0.91], 0.001, 0.0)))
    assert "It is worse than BL1 with as many labels." in told(found)


def test_nothing_is_compared_where_hudd_does_not_come_first():
    found = retrained(arms=(arm("BL2", [0.8, 0.81], 0.001, 1.0), arm("HUDD", [0.9, 0.91]), arm("BL1", [0.7], 0.01, 1)))
    assert "It is" not in told(found)


def test_intervals_end_where_accuracies_do():
    found = retrained(arms=(arm("HUDD", [0.97, 1.0]), arm("BL1", [0.0, 0.03])))
    assert "98.5 % (79.4 to 100.0 %)" in told(found).replace(SPACE, " ")
    assert "(0.0 to " in table(found)[1][3]
    assert section(found, PIXELS).ends[1].replace(SPACE, " ") == "100.0 %"


def test_retraining_that_diverged_altogether():
    found = retrained(
        arms=(arm("HUDD", [], diverged=("HUDD_01",), runs=1),), shown="", model="", changes=(), fixed=(), broken=()
    )
    assert "No retraining of HUDD can be used" in told(found)
    assert counted(found) == ""
    page = render_hudd(analysis(), FakePictures(), found, {})
    assert "Kept out:</b> HUDD_01" in page


def test_counts_of_all_images():
    assert counted(retrained()) == "20 images mended, 4 broken (McNemar p 0.00154)"


def test_places_of_bars_lie_inside_and_grow_with_the_accuracy():
    one = section(retrained(), PIXELS)
    means = [row.mean for row in one.arms]
    assert means[1] < means[2] <= means[0]
    assert all(0 <= place <= 220 for row in one.arms for place in (row.low, row.high, *row.dots))
    assert one.before < means[1]


def test_page_shows_everything_and_escapes_names():
    page = render_hudd(analysis(), FakePictures(), retrained(), PIXELS)
    assert "What retraining brought" in page
    assert "&lt;C1&gt;" in page
    assert "<C1>" not in page
    assert "left/&lt;1&gt;.png" in page
    assert "loss 1.5" in page
    assert "&lt;near&gt;.png" in page
    assert "15 (75" in page
    for heading in ("By root-cause cluster", "By class", "By planted cause", "Images that are right now"):
        assert heading in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


def test_page_says_how_was_trained_what_diagnose_found_and_what_the_test_set_was_used_for():
    page = render_hudd(analysis(), FakePictures(), retrained(), PIXELS)
    assert "Trained with epochs 10, learning rate of the model." in page
    assert "HUDD_02 (2 findings)" in page
    assert "HUDD looked for images like the failures of this very test set" in page
    page = render_hudd(analysis(), FakePictures(), retrained(arms=(arm("BL2", [0.8]),), findings=()), PIXELS)
    assert "Found by Diagnose" not in page
    assert "HUDD looked" not in page


def test_page_without_retraining_says_nothing_of_it():
    assert "retraining brought" not in render_hudd(analysis(), FakePictures())


def test_summary_is_read_back_for_its_own_analysis_only(tmp_path):
    path = write_retrained(tmp_path / "summary.json", retrained())
    assert read_retrained(path, "abc") == retrained()
    assert read_retrained(path, "other") is None
    path.write_text("{}")
    assert read_retrained(path, "abc") is None
    assert read_retrained(tmp_path / "none.json", "abc") is None


@pytest.mark.parametrize("change", ["format", "field"])
def test_summary_of_another_version_is_not_read(tmp_path, change):
    path = write_retrained(tmp_path / "summary.json", retrained())
    text = path.read_text()
    path.write_text(
        text.replace('"format": 1', '"format": 2') if change == "format" else text.replace('"shown"', '"run"')
    )
    assert read_retrained(path, "abc") is None
