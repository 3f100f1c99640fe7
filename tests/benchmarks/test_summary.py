"""Means, intervals, targets and tables over made-up results."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.hudd.summary import Figures, estimate, record, reduced, shortcut_f1
from benchmarks.hudd.tables import markdown
from benchmarks.hudd.targets import Target, targets


def result(arm, ami, **changed):
    found = {
        "arm": arm, "view": None, "ami": ami, "ami_natural": ami, "ami_split": 0.6, "homogeneity": 0.9,
        "completeness": 0.6, "purity": 0.9, "coverage": 0.8,
        "coverage_strict": 0.5, "f1": {"patch": 0.95, "bar": 0.5}, "f1_strict": {"patch": 0.6, "bar": 0.4},
        "first": 0.7, "first_explained": 0.9, "clusters": 10, "inspected": 6.25, "reduction": None,
    }  # fmt: skip
    return found | changed


def line(family, seed, results):
    return {
        "family": family, "seed": seed, "accuracy": 0.9, "failing": 500, "clustered": 400, "single": 300,
        "causes": ["patch", "bar"], "planted": 2, "shortcut": "patch", "failing_by": {"patch": 200, "bar": 100},
        "seconds": {"training": 1.0}, "left_out": {}, "results": results,
    }  # fmt: skip


def figures():
    lines = []
    for seed, shift in enumerate((0.0, 0.04)):
        known = {"share": 1.0, "by_chance": 0.5, "significant": 0.75}
        arms = [result("mode hudd", 0.4), result("layer 1", 0.7), result("Z", 0.78 + shift, reduction=known)]
        lines.append(line("GD", seed, [*arms, result("F", 0.9), result("Z+F+I", 0.84), result("Z fine", 0.7)]))
        arms = [result("mode hudd", 0.6), result("layer 1", 0.81), result("Z", 0.8), result("Z+F+I", 0.7)]
        lines.append(line("MNIST", seed, [*arms, result("Z fine", 0.7, coverage=0.5)]))
    return Figures(lines)


def test_interval_is_that_of_student():
    values = [0.5, 0.6, 0.8, 0.7]
    found = estimate(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert estimate([0.5]).half is None


def test_mean_over_families_is_taken_seed_by_seed():
    found = figures().over_families("Z")
    assert found.mean == pytest.approx((0.79 + 0.81) / 2)
    assert found.half == pytest.approx(estimate([0.79, 0.81]).half)
    assert figures().over_families("Z", leave_out=["GD"]).mean == pytest.approx(0.8)


def test_score_that_some_families_lack_is_that_of_the_others():
    assert figures().over_families("Z", reduced("share")).mean == 1.0
    assert figures().over_families("pairs") is None
    assert figures().of("GD", "Z", shortcut_f1).mean == 0.95


def test_targets_say_where_they_are_missed():
    found = {one.name: one for one in targets(figures())}
    assert found["mean AMI over families, Z"].verdict == "met"
    assert found["mean AMI over families, Z+F+I"].verdict == "missed"
    ahead = found["AMI of Z above mode hudd, worst family"]
    assert (ahead.found, ahead.where, ahead.verdict) == (pytest.approx(0.2), "MNIST, against mode hudd", "missed")
    single = found["AMI of Z above its best single view, worst family"]
    assert (single.found, single.where) == (pytest.approx(-0.01), "MNIST, against layer 1")
    fused = found["AMI of Z+F+I above its best single view, worst family"]
    assert fused.where == "MNIST, against layer 1"
    assert found["coverage, mean over families, Z fine"].found == pytest.approx(0.65)
    assert found["% inspected, median over families, Z"].verdict == "met"
    assert [one.verdict for one in found.values()].count("missed") == 6


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert Target("", 0.5, None).verdict == "not measured"
    assert {one.verdict for one in targets(Figures([]))} == {"not measured"}


def test_record_holds_means_and_intervals():
    found = record(figures())
    assert found["families"]["GD"]["arms"]["Z"]["ami"] == [0.8, pytest.approx(estimate([0.78, 0.82]).half, abs=1e-4)]
    assert found["over_families"]["Z"]["coverage"] == [0.8, 0.0]


def test_tables_are_written_in_markdown():
    text = markdown(figures())
    assert "| Z | 0.80 ± 0.25 | 0.80 ± 0.00 | 0.80 ± 0.13 | 0.80 ± 0.00 |" in text
    assert "| GD (tuning) | 100 / 50 / 75 |" in text
    for table in text.split("\n\n")[1::2]:
        assert len({row.count("|") for row in table.splitlines()}) == 1
