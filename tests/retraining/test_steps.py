import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from deepdebug.case.folder import IMPROVEMENT, TEST, TRAINING
from deepdebug.errors import UsageError
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.marks import read_mark
from deepdebug.hudd.opening import Request
from deepdebug.hudd.requests import read_request
from deepdebug.hudd.tested import FailureRule, judged_classes, read_tested
from deepdebug.model.saved import load_model
from deepdebug.retraining import choosing, seeing, steps, summarising
from deepdebug.retraining.asked import MODES, Choice, Retraining, TrainSettings
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.filling import without_marked
from deepdebug.retraining.grouped import group_failures
from deepdebug.retraining.labels import FiledLabels, OwnLabels, read_labels
from deepdebug.retraining.records import read_record, write_record
from deepdebug.retraining.reporting import report_step
from deepdebug.retraining.running import Outcome
from deepdebug.retraining.shards import FINGERPRINT, read_arrays, write_shard
from deepdebug.retraining.steps import label_source, retrain
from deepdebug.retraining.summarising import summarise
from deepdebug.retraining.training import Trained
from deepdebug.retraining.workflow import unsafe_set
from tests.hudd.bright import write_case
from tests.hudd.test_steps import Stages, contents
from tests.retraining.unlabelled import fill, table, without_labels

pytestmark = pytest.mark.slow
PARTS = (TRAINING, TEST, IMPROVEMENT)
QUICK = TrainSettings(epochs=2, batch_size=16)
ENGINE = Engine()


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path / "case", parts=PARTS)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Do all jobs in this process, which spares loading Keras once more for each."""

    def run_jobs(_engine, work, jobs, done=lambda _: None):
        for job in jobs:
            work(job)
            done(job)

    monkeypatch.setattr(seeing, "run_jobs", run_jobs)
    monkeypatch.setattr(steps, "run_jobs", run_jobs)
    seeing._looker.cache_clear()


def choose(case, choice=None, stage=None, **more):
    """Do all steps up to the unsafe set."""
    grouped = group_failures(Request(case, case / "T", **more))
    looked, unsafe = unsafe_set(grouped, choice or Choice(), ENGINE, stage or Stages())
    return grouped, looked, unsafe


def improve(case, *, stage=None, choice=None, request=None, **asked):
    """Do all steps."""
    grouped, looked, unsafe = choose(case, choice, **(request or {}))
    wanted = Retraining(**{"settings": QUICK, **asked})
    records = retrain(grouped, looked, unsafe, wanted, stage or Stages())
    source = label_source(grouped.opened, looked, wanted.labels)
    found = summarise(grouped, looked, without_marked(unsafe, source), records)
    report_step(grouped.request.out)
    return records, found


def test_check_21_unsafe_set_holds_what_looks_like_the_clusters(case):
    grouped, looked, unsafe = choose(case)
    assert [len(one.members) for one in grouped.analysis.groups] == [20, 20]
    assert unsafe.quotas.tolist() == [6, 6]  # 20 / 60 * 60 * 0.3
    stripe = {one.number: {int(grouped.analysis.images[member][-7:-4]) % 3 for member in one.members}
              for one in grouped.analysis.groups}  # fmt: skip
    for image, cluster in zip(unsafe.chosen.images, unsafe.chosen.clusters, strict=True):
        assert {int(looked.images.names[image][-7:-4]) % 3} == stripe[cluster + 1]


def test_unsafe_set_lies_in_folders_and_tables(case):
    _, looked, unsafe = choose(case)
    folder = case / "T" / "UnsafeSet"
    rows = table(folder / "unsafe.csv")
    assert list(rows[0]) == ["image", "cluster", "rank", "distance"]
    assert [row["image"] for row in rows] == [looked.images.names[one] for one in unsafe.chosen.images]
    assert len(list(folder.glob("1/*.png"))) == len(list(folder.glob("2/*.png"))) == 6
    assert list(table(folder / "to_label.csv")[0]) == ["image", "cluster", "rank", "distance", "label"]


def test_check_21_no_label_is_read_before_images_are_chosen(case, monkeypatch):
    def of(self, rows):
        raise AssertionError("a label was read")

    monkeypatch.setattr(OwnLabels, "of", of)
    for mode in MODES:
        choose(case, Choice(mode))


def test_check_22_an_image_that_failed_before_goes_to_its_own_cluster(case):
    grouped = group_failures(Request(case, case / "T"))
    group = grouped.analysis.groups[1]
    name = grouped.analysis.images[group.members[3]]
    shutil.copy(case / "DataSets" / TEST / name, case / "DataSets" / IMPROVEMENT / "dark" / "known.png")
    _, looked, unsafe = choose(case)
    place = [looked.images.names[one] for one in unsafe.chosen.images].index("dark/known.png")
    assert (unsafe.chosen.clusters[place], unsafe.chosen.ranks[place]) == (1, 0)
    assert unsafe.chosen.distances[place] == pytest.approx(0, abs=1e-3)


def test_killed_choice_leaves_no_mark_that_belongs_to_other_files(case, monkeypatch):
    grouped, looked, _ = choose(case)
    whole = contents(case / "T" / "UnsafeSet")

    def write_table(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(choosing, "write_table", write_table)
        with pytest.raises(KeyboardInterrupt):
            choosing.choose(grouped, looked, Choice(factor=0.6), ENGINE)
    choosing.choose(grouped, looked, Choice(), ENGINE)
    assert contents(case / "T" / "UnsafeSet") == whole


@pytest.mark.parametrize("gone", ["unsafe.csv", "1"])
def test_part_of_the_unsafe_set_that_was_removed_is_written_anew(case, gone):
    grouped, looked, _ = choose(case)
    folder = case / "T" / "UnsafeSet"
    whole = contents(folder)
    shutil.rmtree(folder / gone) if gone == "1" else (folder / gone).unlink()
    choosing.choose(grouped, looked, Choice(), ENGINE)
    assert contents(folder) == whole


@pytest.mark.parametrize("storage", ["full", "sketch"])
@pytest.mark.parametrize("mode", ["default", "hudd"])
def test_copy_of_a_failure_is_where_the_failure_is(case, mode, storage):
    grouped = group_failures(Request(case, case / "T", storage=storage, clustering=ClusterSettings(mode=mode)))
    failures = grouped.analysis.images
    shutil.copy(case / "DataSets" / TEST / failures[-1], case / "DataSets" / IMPROVEMENT / "dark" / "known.png")
    looked = seeing.look(grouped, ENGINE)
    place = looked.images.names.index("dark/known.png")
    np.testing.assert_allclose(looked.vectors[place], looked.members[-1], atol=1e-4)
    compared = [one["name"] for one in read_mark(case / "T" / "Improvement" / "members.json")["scales"]]
    if mode == "hudd":
        assert compared == [one.name for one in grouped.analysis.layers if one.chosen] != []
    else:
        assert compared == ["conv1", "conv2"]


def test_retraining_mends_planted_causes(case):
    records, found = improve(case, settings=TrainSettings(epochs=60, batch_size=16, patience=60, learning_rate=0.02))
    assert records[0].accuracy > 0.9
    assert found.before == pytest.approx(1 / 3)
    assert all(one.mended > 15 for one in found.clusters)
    changes = {one.name: one for kind, groups in found.changes for one in groups}
    assert changes["all images"].fixed > 30
    assert changes["cluster 1"].before == 0
    assert found.shown == "HUDD_01"
    page = (case / "T" / "report.html").read_text()
    assert "What retraining brought" in page
    assert "By root-cause cluster" in page


def test_check_29_every_file_of_a_run_reopens(case):
    records, _ = improve(case)
    folder = case / "T" / "Retraining" / "HUDD_01"
    assert read_record(folder / "record.json") == records[0]
    tested = read_tested(folder / "testResult.csv")
    assert 1 - tested.failed.mean() == pytest.approx(records[0].accuracy)
    model = load_model(case / "T" / "DNNModels" / records[0].model)
    assert records[0].model == f"HUDD_01_{100 * records[0].accuracy:.2f}.keras"
    assert model.count_params() == load_model(case / "DNNModels" / "bright.keras").count_params()
    assert json.loads((folder / "diagnosis" / "report.json").read_text())
    assert records[0].labels == 12
    assert len(records[0].curves["val_loss"]) == 2


def test_check_24_arms_are_compared_on_equal_terms(case):
    records, found = improve(case, arms=("HUDD", "BL1", "BL2", "entropy"), runs=2)
    assert [(one.arm, one.run) for one in records] == [
        (arm, run) for arm in ("HUDD", "BL1", "BL2", "entropy") for run in (1, 2)
    ]
    assert len({(one.labels, one.training, one.settings) for one in records}) == 1
    assert [one.arm for one in found.arms] == ["HUDD", "BL1", "BL2", "entropy"]
    assert found.arms[0].p_value is None
    assert 0 <= found.arms[1].superiority <= 1


def test_finished_runs_are_not_done_again(case):
    records, _ = improve(case, arms=("HUDD", "BL2"))
    before = contents(case / "T")
    stage = Stages()
    assert improve(case, arms=("HUDD", "BL2"), stage=stage)[0] == records
    assert stage.names == []
    assert contents(case / "T") == before


@pytest.mark.parametrize(
    "gone", ["Retraining/BL2_01/record.json", "Retraining/BL2_01/testResult.csv", "DNNModels/BL2_01_*.keras"]
)
def test_run_whose_file_is_gone_is_done_again_alone_and_gives_equal_bytes(case, gone):
    improve(case, arms=("HUDD", "BL2"))
    before = contents(case / "T" / "DNNModels")
    next((case / "T").glob(gone)).unlink()
    stage = Stages()
    improve(case, arms=("HUDD", "BL2"), stage=stage)
    assert [name for name, _ in stage.names] == ["Retraining"]
    assert contents(case / "T" / "DNNModels") == before


@pytest.mark.parametrize("patience", [3, 4])  # models of one accuracy, and so of one name, or of two
@pytest.mark.parametrize("last", ["carry_out", "save_model", "write_tested", "write_record"])
def test_killed_retraining_leaves_no_record_that_belongs_to_another_model(case, monkeypatch, last, patience):
    grouped, looked, unsafe = choose(case)
    monkeypatch.setattr(steps, "carry_out", _without_training)
    first = Retraining(settings=TrainSettings(epochs=1, patience=3))
    (record,) = retrain(grouped, looked, unsafe, first)
    models, folder = case / "T" / "DNNModels", case / "T" / "Retraining" / "HUDD_01"
    shutil.copy(models / record.model, models / "HUDD_01_95.00_deployed.keras")
    whole = contents(models) | contents(folder)
    with monkeypatch.context() as killed:
        killed.setattr(steps, last, _interrupt)
        with pytest.raises(KeyboardInterrupt):
            retrain(grouped, looked, unsafe, Retraining(settings=TrainSettings(epochs=2, patience=patience)))
    assert not (folder / "record.json").exists()
    assert len(list(models.glob("HUDD_01_*.keras"))) >= 2  # there is always a model, and the copy stays
    assert retrain(grouped, looked, unsafe, first) == [record]
    assert contents(models) | contents(folder) == whole


def _interrupt(*_args, **_more):
    raise KeyboardInterrupt


def _without_training(_plan, _labels, material, settings, **_more):
    """Stand for a retraining: `epochs` says how the model differs, `patience` how many images it gets wrong."""
    model, images = material.model(), len(material.test.expected)
    model.set_weights([one + settings.epochs for one in model.get_weights()])
    scores = np.tile(np.array([1.0, 0.0], np.float32), (images, 1))
    expected = (np.arange(images) < settings.patience).astype(np.int64)
    tested = judged_classes(material.test.images.names, material.test.classes, scores, expected, material.rule)
    return Outcome(Trained(model, {}, 1, 0.0, 0), tested, "start")


def test_record_that_a_run_with_other_inputs_writes_meanwhile_is_not_taken(case, monkeypatch):
    grouped, looked, unsafe = choose(case)
    monkeypatch.setattr(steps, "carry_out", _without_training)
    path = case / "T" / "Retraining" / "HUDD_01" / "record.json"

    def run_jobs(_engine, work, jobs, _done):
        work(jobs[0])
        write_record(path, replace(read_record(path), fingerprint="other"))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(steps, "run_jobs", run_jobs)
        with pytest.raises(UsageError, match=r"record\.json' was written by another run .*run the command again"):
            retrain(grouped, looked, unsafe, Retraining(settings=QUICK))
    (record,) = retrain(grouped, looked, unsafe, Retraining(settings=QUICK))
    assert record.fingerprint != "other"


def test_copy_of_a_retrained_model_stays(case):
    for name in ("HUDD_01_93.21.keras", "HUDD_01_93.21_deployed.keras", "HUDD_010_93.21.keras", "HUDD_01_93.2.keras"):
        (case / name).touch()
    assert [one.name for one in steps.earlier_models(case, "HUDD_01")] == ["HUDD_01_93.21.keras"]


def test_other_settings_train_anew(case):
    first, _ = improve(case)
    second, _ = improve(case, settings=TrainSettings(epochs=3, batch_size=16))
    assert first[0].fingerprint != second[0].fingerprint
    assert len(list((case / "T" / "DNNModels").iterdir())) == 1


def test_page_is_made_without_pictures_that_are_not_of_its_summary(case, monkeypatch):
    monkeypatch.setattr(steps, "carry_out", _without_training)
    improve(case)
    page, folder = case / "T" / "report.html", case / "T" / "Retraining"
    whole = page.read_bytes()
    with monkeypatch.context() as killed:
        killed.setattr(summarising, "write_shard", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            improve(case, choice=Choice(factor=0.6))  # shows more chosen images, and so other names than pictures
    report_step(case / "T")
    assert "What retraining brought" in page.read_text(encoding="utf-8")
    for spoil in (lambda path: path.write_bytes(b"no arrays"), lambda path: path.unlink()):
        spoil(folder / "changed.npz")
        report_step(case / "T")
    improve(case)
    assert page.read_bytes() == whole


def test_labels_that_a_person_fills_in(case):
    without_labels(case)
    choose(case)
    with pytest.raises(UsageError, match=r"no labels\. Fill in to_label\.csv"):
        improve(case)
    records, _ = improve(case, labels=fill(case / "T"))
    assert records[0].labels == 12


def test_folders_that_are_nearly_classes_are_told(case):
    folder = case / "DataSets" / IMPROVEMENT
    (folder / "parameters.csv").unlink()
    (folder / "dark").rename(folder / "Dark")
    with pytest.raises(UsageError, match=r"has folders for the classes light and others, Dark, .* Rename"):
        improve(case)


def right_label(name):
    return name.split("/")[0]


def test_image_nobody_can_label_is_left_out_and_every_arm_has_one_label_less(case):
    arms = ("HUDD", "BL1", "BL2", "entropy")
    grouped, looked, unsafe = choose(case)
    source = FiledLabels(fill(case / "T", right_label), looked.images.names, ("dark", "light"), ())
    plans = steps._plans(
        steps._pool(grouped, looked, unsafe, OwnLabels(np.zeros(60, int)), Retraining()), Retraining(arms)
    )
    others = {looked.images.names[one] for plan in plans[1:] for one in plan.labelled}
    marked = {table(case / "T" / "UnsafeSet" / "to_label.csv")[0]["image"], *sorted(others)[:3]}
    assert source.missing(plans[2].labelled).any()
    path = fill_all(case, lambda name: "-" if name in marked else right_label(name))
    ours = {row["image"] for row in table(case / "T" / "UnsafeSet" / "unsafe.csv")}
    records, found = improve(case, labels=path, arms=arms)
    assert {one.labels for one in records} == {12 - len(marked & ours)}
    assert sum(one.chosen for one in found.clusters) == records[0].labels


def fill_all(case, label):
    """Return a table with every image of the improvement set."""
    folder = case / "DataSets" / IMPROVEMENT
    names = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.png"))
    path = case / "all.csv"
    path.write_text("\n".join(["image,label", *(f"{name},{label(name)}" for name in names)]) + "\n")
    return path


def test_labels_that_other_arms_need_are_asked_for_in_the_table_itself(case):
    arms = ("HUDD", "BL1", "BL2", "entropy")
    choose(case)
    path = fill(case / "T", right_label)
    filled = table(path)
    with pytest.raises(UsageError, match=r"has no label for \d+ of \d+ images .*BL1.*BL2.*entropy") as caught:
        improve(case, labels=path, arms=arms)
    added = table(path)[len(filled) :]
    assert f"{len(added)} rows were added" in str(caught.value)
    assert "run the same command again" in str(caught.value)
    assert "HUDD" not in str(caught.value)
    assert table(path)[: len(filled)] == filled
    assert {row["cluster"] + row["rank"] + row["distance"] + row["label"] for row in added} == {""}
    records, _ = improve(case, labels=fill(case / "T", right_label), arms=arms)
    assert [one.labels for one in records] == [12] * 4
    assert table(path)[: len(filled)] == filled


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", r"no label for 12 of 12 images"),
        ("grey", r"as 'grey', and 11 more images as what is no class; expected one of dark, light"),
    ],
)
def test_missing_and_unknown_labels_are_told(case, label, message):
    choose(case)
    with pytest.raises(UsageError, match=message):
        improve(case, labels=fill(case / "T", lambda _: label))


def test_labels_stay_when_images_are_chosen_again(case):
    choose(case)
    path = fill(case / "T")
    known = read_labels(path, ["label"])
    choose(case, Choice(factor=0.6))
    again = read_labels(path, ["label"])
    assert len(again) == 24
    assert all(again[name] == said for name, said in known.items())


def test_check_25_without_failing_images_bl1_trains_on_the_training_set_alone(case):
    for part in ("top", "bottom"):
        for path in (case / "DataSets" / IMPROVEMENT).glob("*/*.png"):
            if int(path.stem) % 3 == {"top": 1, "bottom": 2}[part]:
                path.unlink()
    records, found = improve(case, arms=("HUDD", "BL1"), choice=Choice(factor=0.1))
    assert [one.bag for one in records] == [2, 0]
    assert "none of the labelled images wrong" in found.arms[1].notes[0]
    assert "none of the labelled images wrong" in (case / "T" / "report.html").read_text()


def test_fewer_images_than_the_quota_are_all_chosen(case):
    _, looked, unsafe = choose(case, Choice(factor=9.0))
    assert sorted(unsafe.chosen.images) == list(range(len(looked.images.names)))


def test_retraining_that_diverges_is_kept_out_with_its_diagnosis(case):
    settings = TrainSettings(epochs=3, batch_size=16, optimizer="sgd", learning_rate=1e38)
    records, found = improve(case, settings=settings)
    assert records[0].diverged
    assert records[0].model == ""
    assert found.arms[0].diverged == ("HUDD_01",)
    assert not (case / "T" / "DNNModels").exists()
    report = json.loads((case / "T" / "Retraining" / "HUDD_01" / "diagnosis" / "report.json").read_text())
    assert report["findings"]
    assert "Kept out" in (case / "T" / "report.html").read_text()
    assert improve(case, settings=settings)[0] == records  # it is not tried again


def test_image_that_cannot_be_read_is_left_out(case):
    (case / "DataSets" / IMPROVEMENT / "dark" / "broken.png").write_bytes(b"no image")
    _, looked, _ = choose(case)
    assert [name for name, _ in looked.left_out] == ["dark/broken.png"]
    assert "dark/broken.png" not in looked.images.names
    records, _ = improve(case)
    assert records[0].labels == 12


def test_cases_that_lack_a_part(tmp_path):
    without = write_case(tmp_path / "one", parts=(TRAINING, TEST))
    with pytest.raises(UsageError, match=r"There is no folder .*ImprovementSet"):
        choose(without)
    without = write_case(tmp_path / "two", parts=(TEST, IMPROVEMENT))
    with pytest.raises(UsageError, match="has no TrainingSet"):
        improve(without)


def test_model_without_failures_is_told(case):
    with pytest.raises(UsageError, match="nothing to improve"):
        choose(case, failures=FailureRule("loss", 1e9))


def test_later_steps_know_what_was_asked_of_earlier_ones(case):
    choose(case, layers=("conv2",))
    moved = case.rename(case.with_name("moved"))
    assert read_request(moved, moved / "T") == Request(moved, moved / "T", layers=("conv2",))


def test_changed_improvement_set_is_looked_at_again(case):
    choose(case)
    stage = Stages()
    choose(case, stage=stage)
    assert [name for name, _ in stage.names] == ["Matching"]
    stage.names.clear()
    next((case / "DataSets" / IMPROVEMENT).glob("*/*.png")).unlink()
    choose(case, stage=stage)
    assert [name for name, _ in stage.names] == ["ImprovementSet", "Distances", "Matching"]


def test_interrupted_look_ends_with_equal_bytes(case, monkeypatch):
    monkeypatch.setattr(seeing, "SHARD", 16)
    choose(case, batch_size=16)
    whole = contents(case / "T" / "Improvement")
    shutil.rmtree(case / "T" / "Improvement")
    with pytest.raises(KeyboardInterrupt):
        choose(case, stage=_InterruptSecond(), batch_size=16)
    assert len(list((case / "T" / "Improvement").glob("seen-*.npz"))) == 1
    choose(case, batch_size=16)
    assert contents(case / "T" / "Improvement") == whole


def test_killed_look_leaves_no_mark_that_belongs_to_other_vectors(case, monkeypatch):
    grouped, looked, _ = choose(case)
    other = replace(grouped, request=replace(grouped.request, normalise="l2"))

    def write_mark(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(seeing, "write_mark", write_mark)
        with pytest.raises(KeyboardInterrupt):
            seeing.look(other, ENGINE)
    np.testing.assert_array_equal(seeing.look(grouped, ENGINE).members, looked.members)


@pytest.mark.parametrize("kind", ["seen", "near"])
def test_shards_with_other_inputs_are_not_taken(case, monkeypatch, kind):
    choose(case)
    folder, engine = case / "T" / "Improvement", ENGINE
    whole = contents(folder)

    def spoil():
        path = folder / f"{kind}-0000000.npz"
        write_shard(path, {name: array for name, array in read_arrays(path).items() if name != FINGERPRINT}, "other")

    def run_jobs(_engine, work, jobs, _done):
        for job in jobs:
            work(job)
        spoil()

    spoil()
    grouped, looked, _ = choose(case)  # one from before is made anew
    assert contents(folder) == whole
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(seeing, "run_jobs", run_jobs)
        spoil()
        with pytest.raises(UsageError, match=rf"{kind}-0000000\.npz' was written by another run"):
            seeing.look(grouped, engine) if kind == "seen" else seeing.compare(grouped, looked, engine)


def test_worker_does_not_look_with_the_vectors_of_another_run(case):
    grouped, *_ = choose(case)
    job = seeing.LookJob(grouped.request, 0, 60, case / "T" / "Improvement", "other")
    with pytest.raises(UsageError, match=r"members\.json' was written by another run"):
        seeing.look_at_shard(job)


class _InterruptSecond(Stages):
    def __call__(self, name, images):
        def advance(done):
            if done:
                raise KeyboardInterrupt

        return advance


def test_jobs_find_their_files_from_another_folder(case, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()

    def run_jobs(_engine, work, jobs, done=lambda _: None):
        for job in jobs:
            with contextlib.chdir(tmp_path / "elsewhere"):
                work(job)
            done(job)

    monkeypatch.chdir(case.parent)
    monkeypatch.setattr(seeing, "run_jobs", run_jobs)
    monkeypatch.setattr(steps, "run_jobs", run_jobs)
    records, _ = improve(Path(case.name))
    assert records[0].accuracy is not None
    assert not list((tmp_path / "elsewhere").iterdir())


def test_optimizer_that_keras_does_not_know(case):
    with pytest.raises(UsageError, match=r"`--optimizer` got 'best', which Keras does not know"):
        improve(case, settings=TrainSettings(optimizer="best"))


def test_compiled_model_keeps_its_own_settings(case):
    path = case / "DNNModels" / "bright.keras"
    model = keras.saving.load_model(path)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.25), keras.losses.CategoricalCrossentropy(from_logits=True))
    model.save(path)
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.model.optimizer.get_config(), self.model.loss.get_config()))

    grouped, looked, unsafe = choose(case)
    original = steps.carry_out
    try:
        steps.carry_out = lambda *args, **more: original(*args, callbacks=[Spy()], **more)
        records = retrain(grouped, looked, unsafe, Retraining(settings=QUICK))
    finally:
        steps.carry_out = original
    optimizer, loss = seen[0]
    assert (optimizer["learning_rate"], optimizer["momentum"]) == (0.5, 0.25)
    assert loss["from_logits"] is True
    assert not records[0].diverged


def test_settings_that_cannot_be_used():
    with pytest.raises(UsageError, match=r"`--mode` got BL3; expected some of HUDD"):
        Retraining(("HUDD", "BL3"))
    with pytest.raises(UsageError, match="`--runs` got 0"):
        Retraining(runs=0)
    with pytest.raises(UsageError, match=r"`--select` got 'near'"):
        Choice("near")


def test_vectors_are_those_of_the_views_that_were_clustered(case):
    grouped, looked, _ = choose(case)
    pairs = np.random.default_rng(0).integers(0, 40, (200, 2))
    apart = np.linalg.norm(looked.members[pairs[:, 0]] - looked.members[pairs[:, 1]], axis=1)
    mean = np.mean([np.sum((looked.members - one) ** 2, axis=1).mean() for one in looked.members]) * 40 / 39
    assert mean == pytest.approx(1, rel=0.15)  # the mean squared distance of two failures is 1
    labels = np.array(seeing.cluster_labels(grouped.analysis))
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    assert apart[same].mean() < 0.5 * apart[~same].mean()


def test_empty_unsafe_set_says_what_to_do(case):
    grouped, looked, unsafe = choose(case)
    nothing = replace(unsafe, chosen=unsafe.chosen.take(np.zeros(0, np.int64)))
    with pytest.raises(UsageError, match=r"No image .* was chosen.* `--select Mixed`.* larger --factor"):
        retrain(grouped, looked, nothing, Retraining(settings=QUICK))
