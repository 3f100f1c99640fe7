"""The manifest holds the published facts: counts, verdicts, and what is known of each model."""

from collections import Counter

import pytest
from pydantic import ValidationError

from benchmarks.models444.manifest import MANIFEST, TOOLS, architectures, read_manifest


@pytest.fixture(scope="module")
def rows():
    return read_manifest()


def test_every_model_is_there_once_with_its_published_label(rows):
    assert len({row.id for row in rows}) == len(rows) == 391
    assert Counter((row.dataset, row.group) for row in rows) == {
        ("Blob", "buggy"): 48, ("Blob", "normal"): 39, ("Circle", "buggy"): 71, ("Circle", "normal"): 36,
        ("MNIST", "buggy"): 38, ("MNIST", "normal"): 78, ("CIFAR", "buggy"): 46, ("CIFAR", "normal"): 35,
    }  # fmt: skip


def test_fidelity_is_what_could_be_recovered(rows):
    assert Counter(row.fidelity for row in rows) == {"exact": 16, "default": 125, "stand-in": 250}
    kept = [row for row in rows if row.fidelity != "stand-in"]
    assert Counter(row.group for row in kept if row.structure == "exact") == {"buggy": 48, "normal": 16}


@pytest.mark.parametrize(
    ("tool", "buggy", "normal"),
    [
        ("deepdiagnosis", (138, 203), (68, 188)),
        ("deeplocalize", (191, 203), (133, 186)),
        ("autotrainer", (203, 203), (0, 188)),
    ],
)
def test_published_verdicts_add_up_to_the_published_totals(rows, tool, buggy, normal):
    for group, (flagged, answered) in (("buggy", buggy), ("normal", normal)):
        known = [row.published(tool) for row in rows if row.group == group]
        assert (sum(one is True for one in known), sum(one is not None for one in known)) == (flagged, answered)


def test_umlaut_was_run_on_two_data_sets(rows):
    flagged = Counter((row.dataset, row.group) for row in rows if row.published("umlaut"))
    assert flagged == {("MNIST", "buggy"): 26, ("MNIST", "normal"): 68, ("CIFAR", "buggy"): 46, ("CIFAR", "normal"): 35}


def test_symptoms_of_deepdiagnosis_are_those_of_the_logs(rows):
    counts = Counter((row.deepdiagnosis, row.group) for row in rows)
    assert (counts["dead_node", "buggy"], counts["dead_node", "normal"]) == (8, 58)
    assert counts["vanishing_gradient", "buggy"] == 31
    assert TOOLS[0] == "deepdiagnosis"


def test_every_row_has_an_architecture_and_none_is_left_over(rows):
    assert {row.architecture for row in rows} == set(architectures())


def test_value_of_the_wrong_kind_names_row_and_column(tmp_path):
    header, first, *_ = MANIFEST.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "manifest.csv"
    path.write_text(f"{header}\n{first.replace(',256,', ',many,')}\n", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"0\.batch_size"):
        read_manifest(path)
