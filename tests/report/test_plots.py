import math
from dataclasses import replace

import matplotlib as mpl

from deepdebug.report.plots import draw
from tests.factory import change_layer, change_variable, healthy_run, with_metric
from tests.golden.cases import HOSTILE, clean, with_findings


def captions(report):
    return [caption for group in draw(report) for caption, _ in group]


def pictures(report):
    return "".join(svg for group in draw(report) for _, svg in group)


def test_run_is_drawn_as_curves_and_maps_and_empty_maps_are_left_out():
    names = [caption.split(":")[0].split(" by")[0].split(";")[0] for caption in captions(clean())]
    assert names == ["Loss", "Metrics", "Update ratio", "Gradient", "Dead units"]


def test_changing_learning_rate_is_drawn():
    run = clean().run
    run = replace(run, observations=[replace(seen, learning_rate=seen.epoch + 2.0) for seen in run.observations])
    assert any(caption.startswith("Learning rate") for caption in captions(replace(clean(), run=run)))


def test_run_without_observations_is_not_drawn():
    assert draw(replace(clean(), run=replace(clean().run, observations=()))) == ([], [])


def test_findings_are_marked_by_code_at_their_epoch():
    drawn = pictures(with_findings())
    assert drawn.count(">DD101<") == drawn.count(">DD301<") == 2


def test_names_of_layers_are_escaped():
    drawn = pictures(with_findings())
    assert "<script" not in drawn
    assert "&lt;script" in drawn
    assert "\x1b" not in drawn


def test_dollar_signs_are_no_formulas():
    run = replace(healthy_run(2), facts=replace(healthy_run(2).facts, model="m"))
    named = with_metric(run, "$\\frac{1}{$", [0.1, 0.2])
    assert "$\\frac{1}{$" in pictures(replace(clean(), run=named))


def test_letters_that_the_font_lacks_raise_no_warning():
    assert "損失" in pictures(replace(clean(), run=with_metric(healthy_run(2), "損失", [0.1, 0.2])))


def test_loss_that_stops_being_finite_is_marked():
    run = with_metric(healthy_run(3), "loss", [1.0, math.nan, math.inf])
    assert "NaN or infinite" in pictures(replace(clean(), run=run))


def test_loss_that_was_never_finite_is_drawn_all_the_same():
    run = with_metric(healthy_run(2), "loss", [math.nan, math.nan])
    assert "NaN or infinite" in pictures(replace(clean(), run=run))


def test_single_epoch_is_drawn():
    assert len(captions(replace(clean(), run=healthy_run(1)))) == 5


def test_captions_explain_crosses_holes_and_bins():
    run = change_layer(healthy_run(401), "hidden", only=(3,), non_finite=0.5)
    run = change_layer(run, "hidden", only=range(100, 200), dead_fraction=None)
    dead = next(caption for caption in captions(replace(clean(), run=run)) if caption.startswith("Dead"))
    assert "a red cross marks NaN or infinity; grey: not measured; each column is the median of 3 checks" in dead


def test_zero_and_huge_updates_can_be_drawn():
    run = change_variable(healthy_run(3), "model/hidden/kernel", update_rms=0.0, gradient_rms=0.0)
    run = change_variable(run, "model/head/kernel", update_rms=1e30, gradient_rms=math.inf)
    assert len(captions(replace(clean(), run=run))) == 5


def test_picture_takes_its_ink_from_the_page_and_leaks_no_style():
    drawn = pictures(with_findings())
    assert "currentColor" in drawn
    assert "<style" not in drawn
    assert "<metadata" not in drawn
    assert drawn.startswith("<svg viewBox=")


def settings():
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}


def test_style_and_settings_of_the_user_are_neither_used_nor_changed():
    expected = pictures(clean())
    with mpl.rc_context({"lines.linewidth": 17.0, "axes.facecolor": "#123456", "font.size": 30.0}):
        before = settings()
        assert pictures(clean()) == expected
        assert settings() == before


def test_findings_of_neighbouring_epochs_share_one_mark():
    report = with_findings()
    finding = replace(report.findings[1], code="DD102", epoch=3)
    more = replace(finding, code="DD103")
    drawn = pictures(replace(report, findings=(*report.findings, finding, more)))
    assert drawn.count(">DD301 DD102 +1<") == 2


def test_hostile_name_is_drawn_in_full_or_cut_in_the_middle():
    assert HOSTILE[:14].replace("<", "&lt;").replace(">", "&gt;") in pictures(with_findings())
