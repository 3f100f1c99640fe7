import csv
import json
import os
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from deepdebug.case.folder import TEST, TRAINING
from deepdebug.errors import UsageError
from deepdebug.hudd import explaining, exports
from deepdebug.hudd.analysis import read_analysis
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.opening import Request, open_case
from deepdebug.hudd.steps import answer_step, cluster_step, heatmap_step
from deepdebug.hudd.tested import FailureRule, read_tested
from deepdebug.retraining.reporting import report_step
from tests.hudd.bright import write_case

pytestmark = pytest.mark.slow


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path / "case")


def request(case, **more):
    return Request(case, case / "T", **more)


class Stages:
    """Remembers which stages were begun, and may interrupt one."""

    def __init__(self, interrupt=""):
        self.names = []
        self._interrupt = interrupt

    def __call__(self, name, images):
        self.names.append((name, images))

        def advance(_):
            if name == self._interrupt:
                raise KeyboardInterrupt

        return advance


def run(wanted, stage=None):
    """Do all steps."""
    stage = stage or Stages()
    opened = open_case(wanted)
    answers = answer_step(wanted, opened, stage)
    heatmaps = heatmap_step(wanted, opened, answers[TEST], stage)
    analysis = cluster_step(wanted, opened, answers, heatmaps, stage)
    report_step(wanted.out, stage)
    return analysis, stage


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_steps_write_what_the_next_one_reads(case):
    opened = open_case(request(case))
    answered = answer_step(request(case), opened)
    assert sorted(one.name for one in (case / "T").glob("*.csv")) == ["testResult.csv", "trainResult.csv"]
    assert len(answered[TRAINING].tested.images) == 60
    table = read_tested(case / "T" / "testResult.csv")
    np.testing.assert_array_equal(table.failed, answered[TEST].tested.failed)
    found = heatmap_step(request(case), opened, answered[TEST])
    failed = [name for name, one in zip(table.images, table.failed, strict=True) if one]
    assert list(found.images) == failed
    assert list(found.layers) == ["conv1", "conv2"]


def test_planted_causes_become_groups_with_their_parameter(case):
    analysis, _ = run(request(case))
    assert analysis.case == "Stripes"
    assert analysis.sets[0] == (TEST, 60, 40)
    found = [{int(analysis.images[one][-7:-4]) % 3 for one in group.members} for group in analysis.groups]
    assert sorted(map(tuple, found)) == [(1,), (2,)]
    for group in analysis.groups:
        assert group.effects[0].name == "stripe"
        assert group.effects[0].q_value < 0.01
        assert group.pairs == (("dark", "light", 20),)
        assert group.members[0] in group.members
        assert [analysis.distances[one] for one in group.members] == sorted(
            analysis.distances[one] for one in group.members
        )
    assert analysis.significant
    assert analysis.variance_reduction.share == 1.0
    assert [one.name for one in analysis.baselines] == ["raw pixels", "pairs of expected and predicted class"]
    assert analysis.baselines[1].agreement == pytest.approx(0.0, abs=1e-9)


def test_check_29_every_file_reopens(case):
    analysis, _ = run(request(case))
    out = case / "T"
    assert read_analysis(out / "ClusterAnalysis" / "analysis.json") == analysis
    with (out / "ClusterAnalysis" / "clusters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == list(analysis.images)
    assert {row["cluster"] for row in rows} == {"1", "2"}
    for folder in ("LayerAll", "ClusterAnalysis/LayerAll", "ClusterAnalysis/Layerconv1", "ClusterAnalysis/Layerconv2"):
        assert len(list((out / folder).rglob("*.png"))) == 40
    for group in analysis.groups:
        names = {path.name for path in (out / "LayerAll" / str(group.number)).iterdir()}
        assert names == {f"dark_{analysis.images[one][-7:-4]}.png" for one in group.members}
        with Image.open(out / "LayerAll" / f"Cluster{group.number}_20.gif") as animation:
            assert animation.n_frames == 20
    page = (out / "report.html").read_text()
    assert "Stripes" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert json.loads((out / "Heatmaps" / "index.json").read_text())["complete"] is True


def test_second_run_does_nothing_but_the_page(case):
    run(request(case))
    before = contents(case / "T")
    _, stages = run(request(case))
    assert [name for name, _ in stages.names] == ["Report"]
    assert contents(case / "T") == before


@pytest.mark.parametrize("where", [TEST, TRAINING, "Heatmaps", "Clusters"])
def test_interrupted_run_ends_with_equal_bytes(case, where):
    run(request(case, batch_size=16))
    whole = contents(case / "T")
    parts = Request(case, case / "parts", batch_size=16)
    with pytest.raises(KeyboardInterrupt):
        run(parts, Stages(where))
    run(parts)
    assert contents(case / "parts") == whole


def test_published_pipeline_chooses_a_layer(case):
    analysis, _ = run(request(case, clustering=ClusterSettings(mode="hudd")))
    assert [one.name for one in analysis.layers] == ["conv1", "conv2", "pool", "dense"]
    chosen = [one.name for one in analysis.layers if one.chosen]
    assert len(chosen) == 1
    assert chosen != ["conv1"]
    assert (case / "T" / f"Layer{chosen[0]}").is_dir()
    assert not (case / "T" / "LayerAll").exists()


def test_groups_of_another_setting_replace_those_of_before(case):
    run(request(case))
    (case / "T" / "LayerAll" / "mine.txt").touch()
    analysis, stages = run(request(case, clustering=ClusterSettings(k=4)))
    assert ("Clusters", 40) in stages.names
    assert len(analysis.groups) == 4
    assert sorted(one.name for one in (case / "T" / "LayerAll").iterdir() if one.is_dir()) == ["1", "2", "3", "4"]
    assert (case / "T" / "LayerAll" / "mine.txt").exists()
    run(request(case, clustering=ClusterSettings(mode="hudd")))
    assert [one.name for one in (case / "T" / "LayerAll").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("change", ["image", "model", "rule", "table"])
def test_changed_inputs_are_asked_about_again(case, change):
    answer_step(request(case), open_case(request(case)))
    wanted = request(case)
    if change == "image":
        Image.new("L", (12, 12), 3).save(case / "DataSets" / TEST / "dark" / "000.png")
    elif change == "model":
        model = keras.saving.load_model(case / "DNNModels" / "bright.keras")
        model.layers[-1].bias.assign([0.5, 0.0])
        model.save(case / "DNNModels" / "bright.keras")
    elif change == "rule":
        wanted = request(case, failures=FailureRule("loss", 0.7))
    else:
        (case / "T" / "testResult.csv").unlink()
    stages = Stages()
    answer_step(wanted, open_case(wanted), stages)
    assert (TEST, 60) in stages.names
    assert ((TRAINING, 60) in stages.names) == (change in ("model", "rule"))


def test_unreadable_images_are_remembered_and_listed_on_the_page(case):
    (case / "DataSets" / TEST / "dark" / "001.png").write_bytes(b"")
    for _ in range(2):
        analysis, _ = run(request(case))
        assert [name for name, _ in analysis.left_out] == ["dark/001.png"]
    assert "dark/001.png" in (case / "T" / "report.html").read_text()


def test_case_without_a_training_set_is_tested_alone(case):
    (case / "DataSets" / TRAINING).rename(case / "other")
    assert list(answer_step(request(case), open_case(request(case)))) == [TEST]


def test_training_set_with_other_classes_is_told(case):
    folder = case / "DataSets" / TRAINING
    (folder / "light").rename(folder / "Bright")  # sorts before "dark": the labels would be swapped
    with pytest.raises(UsageError, match=r"Bright only in the TrainingSet; light only in the TestSet\. .*`classes` in"):
        open_case(request(case))


def test_training_set_of_another_kind_is_told(case):
    folder = case / "DataSets" / TRAINING
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("*/*.png"))]
    (folder / "targets.csv").write_text("\n".join(["image,value", *(f"{name},1" for name in names)]))
    with pytest.raises(UsageError, match="The TestSet has classes and the TrainingSet has values"):
        open_case(request(case))


def test_results_are_not_put_where_retrained_models_would_lie_among_the_originals(case):
    (case / "linked").mkdir()
    (case / "linked" / "DNNModels").symlink_to(case / "DNNModels")
    for out in (case, case / "DataSets" / "..", case / "linked"):
        with pytest.raises(UsageError, match=r"`--out` got .*, whose DNNModels is that of the case.* such as '.*T'"):
            open_case(Request(case, out))


def test_mark_that_cannot_be_read_is_told(case):
    opened = open_case(request(case))
    answer_step(request(case), opened)
    (case / "T" / "testResult.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        answer_step(request(case), opened)


def test_embedding_counts_beside_the_heatmaps(case):
    path = case / "features.npy"
    np.save(path, np.random.default_rng(0).random((60, 4), dtype="float32"))
    analysis, _ = run(request(case, embedding=path))
    assert [one.name for one in analysis.layers] == ["conv1", "conv2", "activations", "embedding"]
    np.save(path, np.zeros((59, 4)))
    with pytest.raises(UsageError, match="has 59 rows; expected one for each of the 60 images"):
        run(request(case, embedding=path))


def test_distances_are_kept_in_the_wanted_forms(case):
    run(request(case, exports=("npy", "parquet", "xlsx")))
    folder = case / "T" / "ClusterAnalysis" / "Distances"
    assert np.load(folder / "conv1.npy").shape == (40 * 39 // 2,)
    assert (folder / "conv1.parquet").is_file()
    assert (folder / "Layerconv1HMDistance.xlsx").is_file()


def test_halves_and_sums_of_heatmaps_are_enough(case):
    analysis, _ = run(request(case, dtype="float16", summed=True))
    assert len(analysis.groups) == 2
    assert [one.shape for one in analysis.layers] == [(12, 12), (12, 12)]


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_check_19_few_failures_give_a_page_that_says_so(case, failures):
    opened = open_case(request(case))
    loss = np.sort(answer_step(request(case), opened)[TEST].tested.loss)
    rule = FailureRule("loss", float(loss[-failures - 1]))
    analysis, _ = run(request(case, failures=rule))
    assert len(analysis.images) == failures
    assert len(analysis.groups) == 1
    assert analysis.p_value is None
    assert "Too few" in (case / "T" / "report.html").read_text()


def test_check_19_no_failure_is_told(case):
    wanted = request(case, failures=FailureRule("loss", 1e9))
    opened = open_case(wanted)
    answers = answer_step(wanted, opened)
    with pytest.raises(UsageError, match="fails on none"):
        heatmap_step(wanted, opened, answers[TEST])


def test_damaged_analysis_is_made_anew(case):
    first, _ = run(request(case))
    (case / "T" / "ClusterAnalysis" / "analysis.json").write_text("{}")
    again, stages = run(request(case))
    assert again == first
    assert ("Clusters", 40) in stages.names


def test_sketches_of_heatmaps_give_the_same_groups_and_keep_a_map_for_the_page(case):
    whole, _ = run(request(case))
    short, _ = run(Request(case, case / "short", storage="sketch"))
    assert [set(group.members) for group in short.groups] == [set(group.members) for group in whole.groups]
    assert [one.shape for one in short.layers] == [(256,), (256,)]
    page = (case / "short" / "report.html").read_text()
    assert "mean heatmap over the medoid" in page


def test_heatmaps_beyond_the_budget_are_sketched(case, monkeypatch):
    sizes = 40 * (12 * 12 * 1 + 12 * 12 * 2) * 4
    for budget, name in ((sizes, "whole"), (sizes - 1, "short")):
        monkeypatch.setattr(explaining, "BUDGET", budget)
        analysis, _ = run(Request(case, case / name))
        assert (analysis.layers[0].shape == (256,)) == (name == "short")


def test_sheet_without_room_is_refused_before_anything_is_computed(case, monkeypatch):
    monkeypatch.setattr(exports, "MOST_COLUMNS", 39)
    stages = Stages()
    with pytest.raises(UsageError, match="room for the distances of 39 images; there are 40 failures"):
        run(request(case, exports=("xlsx",)), stages)
    assert "Clusters" not in [name for name, _ in stages.names]


@pytest.mark.parametrize("moment", ["table", "mark", "index", "analysis"])
def test_run_killed_between_two_files_ends_with_equal_bytes(case, monkeypatch, moment):
    run(request(case))
    whole = contents(case / "T")
    other = request(case, failures=FailureRule("quantile", 0.7))
    names = {"table": "testResult.csv", "mark": "testResult.json", "index": "index.json", "analysis": "analysis.json"}
    real = Path.replace

    def replace(self, target):
        found = real(self, target)
        if Path(target).name == names[moment]:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        run(other)
    monkeypatch.undo()
    run(request(case))
    assert contents(case / "T") == whole


def test_table_that_was_edited_is_made_anew(case):
    opened = open_case(request(case))
    first = answer_step(request(case), opened)[TEST]
    path = case / "T" / "testResult.csv"
    path.write_text(path.read_text().replace("dark/001.png,Wrong", "dark/renamed.png,Correct"))
    again = answer_step(request(case), opened)[TEST]
    assert again.tested.images == first.tested.images


def test_heatmap_that_is_gone_is_made_anew(case):
    run(request(case))
    whole = contents(case / "T")
    (case / "T" / "Heatmaps" / "conv1.npy").unlink()
    run(request(case))
    assert contents(case / "T") == whole


def test_arrays_of_others_are_not_written_over(case):
    path = case / "T" / "Heatmaps" / "pixels.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.zeros(3))
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"holds 'pixels.npy', which is not of an earlier run"):
        run(request(case))
    assert path.read_bytes() == before


def test_groups_that_were_removed_come_back(case):
    run(request(case))
    whole = contents(case / "T")
    shutil.rmtree(case / "T" / "LayerAll")
    run(request(case))
    assert contents(case / "T") == whole


def test_changed_name_of_the_case_is_on_the_page(case):
    run(request(case))
    (case / "case.toml").write_text('[case]\nname = "Renamed"\n')
    run(request(case))
    assert "Renamed" in (case / "T" / "report.html").read_text()


def test_layers_may_have_the_names_of_our_files(case):
    model = keras.saving.load_model(case / "DNNModels" / "bright.keras")
    names = {"conv1": "hidden", "conv2": "map"}
    clone = keras.Sequential([keras.Input((12, 12, 1))])
    for layer in model.layers:
        config = layer.get_config()
        clone.add(type(layer).from_config({**config, "name": names.get(layer.name, layer.name)}))
    clone.set_weights(model.get_weights())
    clone.save(case / "DNNModels" / "bright.keras")
    analysis, _ = run(request(case))
    assert [one.name for one in analysis.layers] == ["hidden", "map"]
    assert [one.shape for one in analysis.layers] == [(12, 12, 1), (12, 12, 2)]
    assert len(analysis.groups) == 2


def test_raw_heatmaps_are_not_kept_in_16_bits(case):
    with pytest.raises(UsageError, match="float16 keeps the shape of each heatmap"):
        run(request(case, dtype="float16", clustering=ClusterSettings(mode="hudd")))


def test_sketches_keep_their_size_in_16_bits(case):
    analysis, _ = run(request(case, dtype="float16", storage="sketch"))
    assert np.load(case / "T" / "Heatmaps" / "conv1.npy").dtype == np.float32
    assert len(analysis.groups) == 2


def test_column_that_was_left_out_is_told_on_the_page(case):
    path = case / "DataSets" / TEST / "parameters.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},date", *(f"{line},day{n}" for n, line in enumerate(lines[1:]))]) + "\n")
    run(request(case))
    assert "holds 60 different words" in (case / "T" / "report.html").read_text()


def test_angle_that_is_no_parameter_is_told(case):
    (case / "case.toml").write_text('[parameters]\nangles = ["strpe"]\n')
    with pytest.raises(UsageError, match="`angles` names 'strpe', which is no parameter; expected some of stripe"):
        run(request(case))


@pytest.mark.skipif(os.name != "posix", reason="names of files are text there")
def test_names_that_are_no_utf_8_are_escaped(case):
    folder = os.fsencode(case / "DataSets" / TEST / "dark")
    os.rename(folder + b"/001.png", folder + b"/\xff.png")
    (case / "DataSets" / TEST / "parameters.csv").unlink()
    analysis, _ = run(request(case))
    assert "dark/\\xff.png" in analysis.images
