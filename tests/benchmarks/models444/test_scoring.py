"""The score: published figures come out as published, outcomes and places of faults by rules, errors by id."""

import dataclasses
import math

import pytest

from benchmarks.models444.job import Request
from benchmarks.models444.manifest import fixed, programs, read_manifest
from benchmarks.models444.scoring import ablation, times
from benchmarks.models444.scoring.agreements import EVERY, KNOWN, NOT_LOST, OUTCOME, PUBLISHED
from benchmarks.models444.scoring.outcomes import outcomes
from benchmarks.models444.scoring.pages import sheets
from benchmarks.models444.scoring.plots import draw
from benchmarks.models444.scoring.programs import ACTIONS, NAMING, changed_layers, judge
from benchmarks.models444.scoring.results import Diagnosed, Found, Said, Seconds, Trained, read_repeats
from benchmarks.models444.scoring.score import same_verdicts, score
from benchmarks.sheets import as_markdown
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json

ROWS = read_manifest()
SILENT = Said((), ())


def found(code="DD304", severity="error", layer=None, epoch=0):
    return Found(code, severity, "strong", layer, epoch, 1, 0.5)


def said(*codes, action="MSG3", severity="error", layer=None):
    findings = tuple(found(code, severity, layer) for code in codes)
    return Said(findings, (Diagnosed("a fault", action, tuple(codes), (layer,)),) if codes else ())


def trained(row, default=SILENT, accuracy=(0.5, 0.8), preset=SILENT, repeat=0):
    seconds = Seconds(plain=1.0, watched=1.04, whole=10.0, deepdebug=0.4)
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


def program(name):
    return next(row for row in ROWS if row.id == name), programs()[name]


def test_program_has_all_four_when_kind_place_symptom_and_action_are_right():
    row, known = program("SO48221692")  # a sigmoid that cannot reach targets above 1
    place = max(changed_layers(row, fixed(row)))
    layer = f"activation_{place}"
    assert judge(row, known, said("DD104", action="MSG2", layer=layer)).yes == ("IB", "FL", "FS", "LF")
    assert judge(row, known, said("DD104", action="MSG3", layer="dense_0")).yes == ("IB", "FS")
    assert judge(row, known, said("DD411", action="MSG0")).yes == ("IB",)
    assert judge(row, known, said("DD104", severity="info", layer=layer)).yes == ()
    assert judge(row, known, SILENT).yes == ()


def test_place_may_be_a_part_that_is_no_layer():
    row, known = program("SO48934338")  # a learning rate of 0.1 that is too high
    assert judge(row, known, said("DD207", action="MSG3")).yes == ("IB", "FL", "FS", "LF")


def test_only_the_first_action_and_the_first_three_places_count():
    row, known = program("SO48934338")
    wrong = tuple(Diagnosed("another", "MSG5", ("DD304",), (None,)) for _ in range(3))
    right = Diagnosed("the rate", "MSG3", ("DD304",), (None,))
    assert "FL" in judge(row, known, Said((found(),), (*wrong[:2], right))).yes
    assert "FL" not in judge(row, known, Said((found(),), (*wrong, right))).yes
    assert "LF" not in judge(row, known, Said((found(),), (*wrong[:2], right))).yes


def test_every_kind_of_fault_has_rules():
    kinds = {kind for known in programs().values() for kind in known.fault_types}
    assert kinds <= ACTIONS.keys()
    assert kinds <= NAMING.keys()


def test_changed_layer_and_the_activation_behind_it_are_one():
    for row in ROWS:
        mended = fixed(row)
        if mended is not None and row.architecture == mended.architecture:
            assert changed_layers(row, mended) == set(), row.id
    row, _ = program("SO39525358")
    assert changed_layers(row, row) == set()


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
    early = Said((found("DD104", epoch=-1), found("DD304", epoch=3)), ())
    late = Said((found("DD411", "warn", epoch=0), found("DD304", epoch=1)), ())
    models = [trained(row, one, accuracy=(0.5,) * 4) for one in (early, late, SILENT)]
    assert times.detections(models) == [times.Detection("Blob", 2, 0.5, 1.0, 0.25, 2.5)]


def test_overhead_is_the_median_of_ratios():
    models = [trained(row) for row in ROWS[:9]]
    assert times.overhead(models).median == pytest.approx(1.04)
    unknown = Seconds(None, None, 1.0, None)
    assert times.overhead([dataclasses.replace(one, seconds=unknown) for one in models]) is None


def test_repeated_verdicts_are_compared_model_by_model():
    first = [trained(row) for row in ROWS[:4]]
    second = [trained(ROWS[0], said("DD304")), *first[1:3]]
    assert same_verdicts([first, first]) == 1
    assert same_verdicts([first, second]) == pytest.approx(2 / 3)


def test_names_do_not_count(perfect):
    """With ids and architectures shuffled among the models of AUTOTRAINER, the same figures come out."""
    models = [one for one in perfect if one.row.source == "autotrainer"]
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
    mended = [trained(one) for one in map(fixed, ROWS) if one is not None]
    scored = score("small", [perfect, perfect], [], mended, perfect)
    text = as_markdown(sheets(scored))
    assert "| DeepDiagnosis | 52 | 46 | 34 | 38 | 28 |" in text
    assert "| DeepLocalize | 52 | 45 | 26 | 23 | 0 |" in text
    assert "Of 50 fixed programs 0 got a warning and 0 an alarm" in text
    assert "0 misses and 0 false alarms by the published label" in text
    assert "| same verdict with the same seed | 100.0% | 100 % | not reproducible | yes |" in text
    strict_json(scored)
    draw(scored, tmp_path / "score.png")
    assert (tmp_path / "score.png").stat().st_size > 5_000
