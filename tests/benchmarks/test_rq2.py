"""The benchmark of HUDD's second research question: figures over made-up results, and digits from training to curve."""

import contextlib
import json

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from benchmarks.hudd import __main__ as benchmark
from benchmarks.hudd.rq2 import command
from benchmarks.hudd.rq2.figures import Figures, targets
from benchmarks.hudd.rq2.job import ARMS, CEILING, MODES, Request, judge, kept, to_do
from benchmarks.hudd.rq2.show import draw_curve, sheets
from deepdebug.retraining.records import versions
from tests.benchmarks.fake_data import write_digits

BEFORE = {"all": 0.80, "C1": 0.40, "C6": 0.50}
HUDD, BL2 = (0.90, 0.91, 0.92, 0.93), (0.84, 0.85, 0.86, 0.87)


def result(arm, accuracy, c1=0.75, c6=0.5, labels=30):
    after = {"all": accuracy, "C1": c1, "C6": c6}
    before, easier = {"unseen": BEFORE, "test": {**BEFORE, "all": 0.81}}, {**after, "all": accuracy + 0.02}
    after = {"unseen": after, "test": easier}
    return {
        "program": "a",
        "select": MODES.get(arm),
        "start": "w",
        "arm": arm,
        "labels": labels,
        "precision": 0.6,
        "before": before,
        "after": after,
    }


def line(run, results, family="GD", **changed):
    return {"family": family, "run": run, "versions": dict(versions()), "results": results, **changed}


def figures(ours=HUDD, theirs=BL2, **changed):
    return Figures(
        line(run, [result("HUDD", one, **changed), result("BL1", one), result("BL2", other)])
        for run, (one, other) in enumerate(zip(ours, theirs, strict=True), start=1)
    )


def verdicts(found):
    return {target.name.split(":")[0]: target.verdicts["GD"][0] for target in targets(found)}


def test_targets_go_by_the_test_that_no_step_has_seen():
    assert figures().accuracies("GD", "HUDD") == list(HUDD)
    assert figures().accuracies("GD", "HUDD", part="test") == pytest.approx([one + 0.02 for one in HUDD])


def test_every_run_draws_images_to_choose_from_of_its_own_and_the_tests_share_none(tmp_path):
    pytest.importorskip("tensorflow")
    from benchmarks.hudd.rq2.material import family
    from benchmarks.hudd.sizes import SIZES

    write_digits(tmp_path)
    for name in ("OC", "MNIST"):
        known = family(name, 0, SIZES["tiny"], tmp_path)
        sets = [known.training, known.test, known.unseen, known.improvement(1), known.improvement(2)]
        pictures = [{one.tobytes() for one in part.pictures} for part in sets]
        assert all(len(part.targets) == len(part.pictures) > 100 for part in sets)
        assert not any(pictures[1] & pictures[other] for other in (0, 2, 3, 4))
        assert not any(pictures[2] & pictures[other] for other in (0, 3, 4))
        assert not pictures[0] & pictures[3]
        assert len(pictures[3] & pictures[4]) < len(pictures[3])
        again = family(name, 0, SIZES["tiny"], tmp_path).improvement(2)
        np.testing.assert_array_equal(again.pictures, sets[4].pictures)


def test_arms_are_compared_by_mann_whitney_and_a12():
    p_value, a12 = figures().against("GD", "BL2")
    assert p_value == pytest.approx(stats.mannwhitneyu(HUDD, BL2).pvalue)
    assert a12 == 1.0
    assert figures().against("GD", "BL1")[1] == 0.5
    assert Figures([line(1, [result("HUDD", 0.9), result("BL2", 0.8)])]).against("GD", "BL2") is None


def test_a_gain_that_is_large_and_no_chance_meets_the_target_and_an_equal_one_misses_it():
    found = verdicts(figures())
    assert found["better than BL2"] == "met"
    assert found["better than BL1"] == "missed"


@pytest.mark.parametrize(("c1", "verdict"), [(0.71, "met"), (0.69, "missed")])
def test_error_on_planted_causes_has_to_be_halved(c1, verdict):
    assert verdicts(figures(c1=c1))["error on planted causes at least halved"] == verdict


def test_cause_that_no_label_can_mend_is_a_control_and_no_planted_cause():
    found = figures(c6=0.9)
    assert found.mendable("GD") == ("C1",)
    assert found.planted_errors("GD", "HUDD") == pytest.approx([0.25] * 4)
    assert found.planted_error_before("GD") == pytest.approx(0.6)
    assert verdicts(found)["C6 not credited"] == "missed"
    assert verdicts(figures())["C6 not credited"] == "met"


def test_one_run_below_the_original_model_misses_the_target():
    assert verdicts(figures())["accuracy never lower than before"] == "met"
    assert verdicts(figures(ours=(0.79, *HUDD[1:])))["accuracy never lower than before"] == "missed"


def test_run_that_diverged_has_no_accuracy():
    diverged = {**result("HUDD", 0.0), "after": None}
    found = Figures([line(1, [diverged]), line(2, [result("HUDD", 0.9)])])
    assert found.accuracies("GD", "HUDD") == [0.9]


def test_every_arm_has_a_row_and_every_case_stands_beside_the_published_figure():
    arms, causes, reached, published = sheets(figures())
    assert [row[:2] for row in arms.rows] == [("GD", "HUDD"), ("GD", "BL1"), ("GD", "BL2")]
    assert arms.rows[0][2:6] == ("4", "30", "80.0 to 91.5 (89.4 to 93.6)", "81.0 to 93.5 (91.4 to 95.6)")
    assert arms.rows[2][-2:] == ("0.029, 1.00", "1, 0.50")
    assert [row[1] for row in causes.rows] == ["before", "HUDD", "BL1", "BL2"]
    assert causes.rows[1][2:] == ("75.0", "50.0")
    assert len(reached.rows) == 7
    assert published.rows[0] == ("GD", "95.95", "96.23", "81.00", "93.50")
    assert published.rows[-1] == ("TS", "81.65", "93.03", "-", "-")


def test_results_that_do_not_compare_are_told_apart():
    lines = [line(run, [result("HUDD", 0.9)]) for run in (1, 2)]
    assert list(command._mixed([Figures(lines)])) == []
    other = line(3, [{**result("HUDD", 0.9), "start": "v", "program": "b"}])
    assert [text.split(",")[0] for text in command._mixed([Figures([*lines, other])])] == [
        "2 versions of the program",
        "2 models of GD",
    ]


def test_only_results_with_all_arms_count(tmp_path):
    asked = Request("fast", 0.3, ARMS, tmp_path, tmp_path, ceiling=1)
    assert to_do(["GD", "FLD"], [1, 2], asked) == [("GD", 1), ("FLD", 1), ("GD", 2), ("FLD", 2)]
    results = [result(arm, 0.9) for arm in ARMS]
    complete = [*results, result(CEILING, 0.9)]
    for content in ("", "{", json.dumps(line(1, results))):
        asked.path("GD", 1).write_text(content)
        assert kept("GD", 1, asked) is None  # the first run has the ceiling as well
    asked.path("GD", 1).write_text(json.dumps(line(1, complete, versions={"keras": "1.0"})))
    assert kept("GD", 1, asked) is None  # other versions of packages may give other numbers
    asked.path("GD", 1).write_text(json.dumps(line(1, [{**complete[0], "select": "Centroid"}, *complete[1:]])))
    assert kept("GD", 1, asked) is None  # the arm selected other images by then
    asked.path("GD", 1).write_text(json.dumps(line(1, complete)))
    asked.path("GD", 2).write_text(json.dumps(line(2, results)))
    asked.path("FLD", 2).write_text(json.dumps(line(2, results[:4], "FLD")))  # a regression is never unsure
    assert to_do(["GD", "FLD"], [1, 2], asked) == [("FLD", 1)]


class _Arms:
    """Stands for the arms of a run; dies with the arm that is told."""

    dies_with, start, done = "", "w", ()

    def __init__(self, *_):
        pass

    def results(self, arms, _seed, done):
        for arm in arms:
            if arm == self.dies_with:
                raise KeyboardInterrupt
            if arm not in done:
                type(self).done += (arm,)
                yield {name: value for name, value in result(arm, 0.9).items() if name not in ("program", "select")}


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Do a job with `_Arms`, and return the arms that were done for it."""
    seen, material = (pytest.importorskip(f"benchmarks.hudd.rq2.{name}") for name in ("seen", "material"))
    monkeypatch.setattr(seen, "Arms", _Arms)
    monkeypatch.setattr(material, "family", lambda *_: None)
    asked = Request("fast", 0.3, ARMS, tmp_path, tmp_path)

    def judge_once(dies_with="", start="w"):
        _Arms.dies_with, _Arms.start, _Arms.done = dies_with, start, ()
        with contextlib.suppress(KeyboardInterrupt):
            judge("GD", 1, asked)
        return _Arms.done

    judge_once.path = asked.path("GD", 1)
    judge_once.kept = lambda: kept("GD", 1, asked)
    return judge_once


def test_killed_job_goes_on_with_the_arms_that_are_not_done(judged):
    assert judged(dies_with="BL1") == ARMS[:2]
    assert judged.kept() is None
    assert judged() == ARMS[2:]
    assert [one["arm"] for one in judged.kept()["results"]] == list(ARMS)
    assert judged() == ()


def test_nothing_of_another_model_is_taken_over(judged):
    judged(dies_with="BL1")
    assert judged(start="v") == ARMS


def test_result_of_an_older_form_is_made_anew(judged):
    judged()
    content = json.loads(judged.path.read_text())
    content["results"][0].pop("program")
    judged.path.write_text(json.dumps(content))
    assert judged() == ARMS[:1]


def test_curve_has_a_panel_per_case(tmp_path):
    few = Figures([line(1, [result("HUDD", 0.85, labels=10), result("BL2", 0.82, labels=10)])])
    both = Figures(line(1, [result("HUDD", 0.9)], family) for family in ("GD", "OC"))
    for name, by_factor in (("one", {0.3: figures(), 0.1: few}), ("two", {0.3: both})):
        draw_curve(tmp_path / name, by_factor)
    with Image.open(tmp_path / "one") as one, Image.open(tmp_path / "two") as two:
        assert two.size == (2 * one.width, one.height)


@pytest.mark.slow
def test_digits_from_training_to_tables(tmp_path, capsys):
    pytest.importorskip("tensorflow")
    write_digits(tmp_path)
    summary = tmp_path / "summary.json"
    words = ["rq2", "--size", "tiny", "--families", "MNIST", "--runs", "1", "--factors", "0.3"]
    words += ["--data", str(tmp_path), "--workers", "1", "--json", str(summary)]
    assert benchmark.main(words) == 0
    printed = capsys.readouterr()
    assert "Targets" in printed.out
    assert "1 jobs done" in printed.err
    runs = {one["arm"]: one for one in json.loads(summary.read_text())["runs"]}
    assert list(runs) == [*ARMS, CEILING]
    assert runs["HUDD"]["labels"] == runs["BL1"]["labels"] == runs["entropy"]["labels"] < runs[CEILING]["labels"]
    assert runs["HUDD"]["precision"] > runs["BL2"]["precision"]
    assert 0 < runs["HUDD"]["after"][0]["unseen"]["all"] <= 1
    assert (tmp_path / "results" / "rq2" / "rq2-labels.png").read_bytes().startswith(b"\x89PNG")
    assert benchmark.main([*words, "--markdown"]) == 0
    printed = capsys.readouterr()
    assert "0 jobs done" in printed.err
    assert "| HUDD |" in printed.out
