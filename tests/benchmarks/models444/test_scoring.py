"""The score: published figures come out as published, outcomes and places of faults by rules, errors by id."""

import dataclasses
import math

import pytest

from benchmarks.models444.job import Request
from benchmarks.models444.manifest import fixed, programs, read_manifest
from benchmarks.models444.scoring import ablation, times
from benchmarks.models444.scoring.agreements import EVERY, KNOWN, NOT_LOST, OUTCOME, PUBLISHED
from benchmarks.models444.scoring.changes import changed_layers, kinds_of_change
from benchmarks.models444.scoring.outcomes import outcomes
from benchmarks.models444.scoring.pages import sheets
from benchmarks.models444.scoring.plots import draw
from benchmarks.models444.scoring.programs import CAUSES, blind, judge
from benchmarks.models444.scoring.results import Diagnosed, Found, Lost, Said, Seconds, Trained, read_repeats
from benchmarks.models444.scoring.score import same_verdicts, score
from benchmarks.models444.subsets import mended
from benchmarks.sheets import as_markdown
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json

ROWS = read_manifest()
SILENT = Said((), ())


def found(code="DD304", severity="error", layer=None, epoch=0):
    return Found(code, severity, "strong", layer, epoch, 1, 0.5)


def said(*codes, cause="learning_rate_high", severity="error", layer=None):
    findings = tuple(found(code, severity, layer) for code in codes)
    return Said(findings, (diagnosed(cause, *codes, layer=layer),) if codes else ())


def diagnosed(cause, *codes, layer=None):
    return Diagnosed(cause, "a fault", "MSG3", codes, (layer,))


def trained(row, default=SILENT, accuracy=(0.5, 0.8), preset=SILENT, repeat=0):
    ends = tuple(1.0 + 2.0 * epoch for epoch in range(len(accuracy) + 1))
    seconds = Seconds(plain=1.0, watched=1.04, whole=10.0, watching=0.4, deepdebug=1.0, ends=ends)
    verdicts = {"default": default, "deepdiagnosis": preset}
    return Trained(row, repeat, {"loss": (1.0,) * len(accuracy), "val_accuracy": accuracy}, seconds, verdicts)


@pytest.fixture(scope="module")
def perfect():
    """All rows as a tool that knows the label would have it; what is buggy learns nothing."""
    return [
        trained(row, said("DD304") if row.is_buggy else SILENT, (0.1, 0.1) if row.is_buggy else (0.7, 0.9))
        for row in ROWS
    ]


def value(scored, label, part, tool, measure="balanced accuracy"):
    return next(
        one.agreement.measures[measure].value
        for one in scored.compared
        if (one.label, one.part, one.tool) == (label, part, tool)
    )


@pytest.mark.parametrize(
    ("part", "tool", "balanced"),
    [
        (EVERY, "deepdiagnosis, published", 0.659),
        (EVERY, "deeplocalize, published", 0.613),
        (EVERY, "umlaut, published", 0.5),
        (NOT_LOST, "deepdiagnosis, published", 0.72),
        (NOT_LOST, "deeplocalize, published", 0.65),
        (KNOWN, "deepdiagnosis, published", 0.93),
        (EVERY, "flag everything", 0.5),
        (EVERY, "deepdebug", 1.0),
    ],
)
def test_published_columns_have_their_published_scores(perfect, part, tool, balanced):
    assert value(score("small", [perfect]), PUBLISHED, part, tool) == pytest.approx(balanced, abs=0.006)


def test_outcome_is_a_label_of_its_own(perfect):
    rows = [one.row for one in perfect]
    swapped = [
        dataclasses.replace(one, history={"val_accuracy": (0.9,)}) if one.row is rows[0] else one for one in perfect
    ]
    scored = score("small", [swapped])
    assert rows[0].is_buggy
    assert scored.disagree == (rows[0].id,)
    assert scored.errors[OUTCOME].alarms == (rows[0].id,)
    assert scored.errors[PUBLISHED].alarms == ()
    assert value(scored, PUBLISHED, EVERY, "deepdebug") == 1
    assert value(scored, OUTCOME, EVERY, "deepdebug") < 1


def test_outcome_goes_from_chance_to_the_best_model_and_takes_the_median_of_repetitions():
    blob, other = [row for row in ROWS if row.dataset == "Blob"][:2]
    repeats = [
        [trained(blob, accuracy=(0.9, last)), trained(other, accuracy=(0.8, 5 / 6))] for last in (1 / 3, 0.5, 0.8)
    ]
    reached = outcomes(repeats)
    assert reached[other.id].skill == 1
    assert reached[blob.id].best == 0.9
    assert reached[blob.id].skill == pytest.approx((0.5 - 1 / 3) / (5 / 6 - 1 / 3))
    assert reached[blob.id].is_faulty
    assert not reached[other.id].is_faulty


def test_accuracy_that_is_not_finite_is_none_at_all():
    blob, other = [row for row in ROWS if row.dataset == "Blob"][:2]
    reached = outcomes([[trained(blob, accuracy=(0.9, math.nan)), trained(other, accuracy=(0.8, None, 0.8))]])
    assert reached[blob.id].final == 0
    assert reached[blob.id].is_faulty


def test_published_verdicts_on_lost_models_say_nothing_of_ours(perfect):
    """Those of 250 models are about other models, so only 141 can be held against the outcome."""
    scored = score("small", [perfect])
    models = {
        one.label: one.agreement.models
        for one in scored.compared
        if (one.part, one.tool) == (EVERY, "deepdiagnosis, published")
    }
    assert models == {PUBLISHED: 391, OUTCOME: 141}
    assert value(scored, OUTCOME, NOT_LOST, "deepdiagnosis, published") == pytest.approx(0.72, abs=0.006)


def test_model_without_a_verdict_counts_as_wrong(perfect):
    buggy, normal = (next(row for row in ROWS if row.group == group) for group in ("buggy", "normal"))
    left = [one for one in perfect if one.row.id not in (buggy.id, normal.id)]
    lost = [Lost(row.id, 0, "crashed", "") for row in (buggy, normal)]
    known = {
        one.tool: one.agreement
        for one in score("small", [left], lost).compared
        if (one.label, one.part) == (PUBLISHED, EVERY)
    }
    assert (known["deepdebug"].misses, known["deepdebug"].alarms) == (1, 1)
    assert known["flag everything"].models == 389


def program(name):
    return next(row for row in ROWS if row.id == name), programs()[name]


def test_program_has_all_four_when_kind_place_symptom_and_cause_are_right():
    row, known = program("SO48221692")  # a sigmoid that cannot reach targets above 1
    right = judge(row, known, said("DD104", cause="output_range", layer="activation_3"))
    assert right.yes == ("IB", "FL", "FS", "LF")
    assert judge(row, known, said("DD104", cause="learning_rate_high", layer="dense_0")).yes == ("IB", "FS")
    assert judge(row, known, said("DD411", cause="data_scale")).yes == ("IB",)
    assert judge(row, known, said("DD104", severity="info", layer="activation_3")).yes == ()
    assert judge(row, known, SILENT).yes == ()
    assert (right.kinds, right.cause, right.has_alarm) == (("activation",), "output_range", True)
    assert not judge(row, known, said("DD104", severity="warn")).has_alarm


def test_preset_that_names_no_cause_goes_by_its_action():
    row, known = program("SO48934338")  # a learning rate of 0.1 that is too high
    assert judge(row, known, said("DD207", cause="")).yes == ("IB", "FL", "FS", "LF")
    assert judge(row, known, said("DD207", cause="")).cause == "MSG3"


def test_only_the_first_diagnosis_counts_and_three_are_told_beside_it():
    row, known = program("SO48934338")
    wrong, right = diagnosed("depth", "DD304"), diagnosed("learning_rate_high", "DD304")
    late = judge(row, known, Said((found(),), (wrong, wrong, right)))
    assert (late.yes, late.likely) == (("IB", "FS"), ("IB", "FL", "FS", "LF"))
    assert judge(row, known, Said((found(),), (wrong, wrong, wrong, right))).likely == ("IB", "FS")


def test_rules_alone_bring_a_tool_that_sees_nothing_so_far_and_no_farther():
    yes = [judge(*program(row.id), blind(row)).yes for row in ROWS if row.id in programs() and row.id != "SO50079585"]
    assert [sum(name in one for one in yes) for name in ("IB", "FL", "FS", "LF")] == [52, 25, 20, 27]


@pytest.mark.parametrize(
    ("name", "kinds", "places"),
    [
        ("SO48221692", ("activation",), {2, 3}),
        ("SO34673164", ("activation", "loss", "structure"), {0, 1, 6, 7}),
        ("UM1-A2", ("dropout",), {5, 11, 17}),
        ("UM1-A1", ("activation",), {18}),
        ("UM1-B3", ("validation",), set()),
        ("SO39525358", ("data",), set()),
        ("SO31556268", ("loss", "optimizer", "training"), set()),
        ("SO50306988", ("activation", "loss", "training", "units"), {2, 3}),
        ("GH11", ("structure",), {0, 1}),
    ],
)
def test_what_a_fix_changes_is_read_off_the_two_programs(name, kinds, places):
    row, known = program(name)
    assert kinds_of_change(row, known) == kinds
    assert changed_layers(row, fixed(row)) == places


def test_fix_that_could_not_be_made_out_changes_what_is_at_fault():
    row, known = program("GH4")
    assert kinds_of_change(row, known) == ("structure", "training")


def test_every_cause_of_ours_is_mended_by_some_change_or_by_none_on_purpose():
    from deepdebug.diagnosis.causes import CAUSES as OURS

    known = set().union(*CAUSES.values())
    assert {one for one in known if not one.startswith("MSG")} <= {one.name for one in OURS}
    assert {one.name for one in OURS} - known == {
        "batch_norm", "batch_norm_gap", "disconnected", "dropped_mask", "duplicates", "embedding_range", "frozen",
        "metric", "overflow", "penalty", "recurrent",
    }  # fmt: skip


def test_detector_is_credited_for_what_only_it_reports():
    buggy, normal = (next(row for row in ROWS if row.group == group) for group in ("buggy", "normal"))
    models = [
        trained(buggy, said("DD205", "DD101")),
        trained(buggy, said("DD101")),
        trained(normal, said("DD101")),
        trained(program("SO48934338")[0], said("DD205", severity="warn")),
        trained(normal, said("DD205", severity="warn")),
    ]
    parts = {one.name: one for one in ablation.published_symptoms(models, "default")}
    assert parts["dead node"] == ablation.Part("dead node", (2, 0), 1, (1, 0), 1)
    assert parts["vanishing gradient"] == ablation.Part("vanishing gradient", (1, 1), 0, (0, 1), 0)
    assert [one.name for one in ablation.every_detector(models, "default")] == ["DD101", "DD205"]


def test_detection_counts_from_the_first_alarm():
    row = next(row for row in ROWS if row.dataset == "Blob")
    early, late = Said((found("DD104"),), (), alarm=-1), Said((found("DD304", epoch=0),), (), alarm=1)
    models = [trained(row, one, accuracy=(0.5,) * 4) for one in (early, late, SILENT)]
    assert times.detections(models) == [times.Detection("Blob", 2, 0.5, 1.0, 0.25, 3.0)]


def test_overhead_is_that_of_the_timed_run_where_there_is_one(perfect):
    timed = [dataclasses.replace(one, seconds=dataclasses.replace(one.seconds, watching=4.5)) for one in perfect[:3]]
    own, other = score("small", [perfect]).overhead, score("small", [perfect], timed=timed).overhead
    assert (own.models, own.median) == (444, pytest.approx(1 + 0.4 / 9))
    assert (other.models, other.median) == (3, pytest.approx(1.5))


def test_overhead_is_the_median_of_ratios():
    models = [trained(row) for row in ROWS[:9]]
    costs = times.overhead(models)
    assert (costs.median, costs.written, costs.early) == pytest.approx((9.4 / 9, 10 / 9, 1.04))
    unknown = Seconds(None, None, 1.0, None, None)
    assert times.overhead([dataclasses.replace(one, seconds=unknown) for one in models]) is None


def test_repeated_verdicts_are_compared_model_by_model():
    first = [trained(row) for row in ROWS[:4]]
    second = [trained(ROWS[0], said("DD304")), *first[1:3]]
    assert same_verdicts([first, first]) == 1
    assert same_verdicts([first, second]) == pytest.approx(2 / 3)
    louder = [trained(row, said("DD304", severity="fatal")) for row in ROWS[:4]]
    assert same_verdicts([[trained(row, said("DD304")) for row in ROWS[:4]], louder]) == 0


def test_names_do_not_count(perfect):
    """With ids and architectures shuffled among the models of AUTOTRAINER, the same figures come out."""
    models = [
        dataclasses.replace(one, verdicts=perfect[place // 3].verdicts)
        for place, one in enumerate(perfect)
        if one.row.source == "autotrainer"
    ]
    renamed = [
        dataclasses.replace(one, row=dataclasses.replace(one.row, id=other.row.id, architecture=other.row.architecture))
        for one, other in zip(models, models[7:] + models[:7], strict=True)
    ]
    assert strict_json(score("small", [renamed]).compared) == strict_json(score("small", [models]).compared)


def test_results_are_read_as_written(tmp_path):
    request, row = Request("small", 0, tmp_path, tmp_path), ROWS[0]
    one = trained(row, said("DD304", layer="dense_2"), accuracy=(0.5, math.nan))
    line = {**dataclasses.asdict(one), "row": None, "id": row.id, "status": "done", "reason": "", "size": "small"}
    write_text(request.result(row), strict_json(line).decode(), "result")
    lost = {"id": ROWS[1].id, "size": "small", "repeat": 0, "status": "timed out", "reason": "ended after 900 seconds"}
    write_text(request.result(ROWS[1]), strict_json(lost).decode(), "result")
    ((read,),), (other,) = read_repeats(ROWS, "small", tmp_path)
    assert math.isnan(read.history["val_accuracy"][1])
    assert (read.row, read.verdicts, read.seconds) == (row, one.verdicts, one.seconds)
    assert (other.id, other.status) == (ROWS[1].id, "timed out")


def test_tables_and_picture_show_every_part(perfect, tmp_path):
    right = [trained(one) for one in mended(ROWS)]
    right[0] = trained(right[0].row, Said((found(severity="warn"),), (), failed=("DD101",)))
    scored = score("small", [perfect, perfect], [], right, again=perfect)
    text = as_markdown(sheets(scored))
    assert "| DeepDiagnosis, published | 52 | 46 | 34 | 38 | 28 |" in text
    assert "| DeepLocalize, published | 52 | 45 | 26 | 23 | 0 |" in text
    assert "| the same answer to all | 52 | 52 | 25 | 20 | 27 |" in text
    assert "Of 48 fixed programs 1 got a warning and 0 an alarm" in text
    assert "444 of 444 models, size small, 2 repetitions, 100.0% of the models with the same verdict" in text
    assert "0 misses and 0 false alarms by the published label" in text
    assert "| same verdict with the same seed | 100.0% | 100 % | not reproducible | yes |" in text
    strict_json(scored)
    draw(scored, tmp_path / "score.png")
    assert (tmp_path / "score.png").stat().st_size > 5_000
