import pytest
from PIL import Image

from deepdebug.case.folder import read_case
from deepdebug.errors import UsageError
from deepdebug.simulate import CASES
from deepdebug.simulate.order import SIZES, Order, case_file


@pytest.fixture
def case(tmp_path):
    for name in ("cat", "dog"):
        path = tmp_path / "DataSets" / "TestSet" / name / "a.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (2, 2)).save(path)
    (tmp_path / "DNNModels").mkdir()
    return tmp_path


def test_case_without_a_file_says_nothing_of_its_own(case):
    found = read_case(case)
    assert (found.name, found.classes, found.preprocessing.size) == (case.name, (), None)
    assert found.has("TestSet")
    assert not found.has("ImprovementSet")
    assert found.dataset("TestSet").classes == ("cat", "dog")


def test_case_file_names_case_classes_and_preprocessing(case):
    (case / "case.toml").write_text('[case]\nname = "PET"\nclasses = ["dog", "cat"]\n[preprocessing]\nsize = [8, 9]\n')
    found = read_case(case)
    assert (found.name, found.classes, found.preprocessing.size) == ("PET", ("dog", "cat"), (8, 9))
    assert found.dataset("TestSet").expected.tolist() == [1, 0]


def test_model_is_found_by_name_or_as_the_only_one(case):
    (case / "DNNModels" / "a.keras").touch()
    assert read_case(case).model_path().name == "a.keras"
    (case / "DNNModels" / "b.keras").touch()
    assert read_case(case).model_path("b").name == "b.keras"
    assert read_case(case).model_path("b.keras").name == "b.keras"


@pytest.mark.parametrize(
    ("models", "name", "message"),
    [
        ([], None, "There is no model in"),
        (["a", "b"], None, "has several models; choose one of a.keras, b.keras, with `deepdebug hudd run --model`"),
        (["a"], "c", "has no model 'c'; choose one of a.keras, with"),
        (["a"], "../a", "has no model '../a'"),
    ],
)
def test_model_that_is_not_there_is_told(case, models, name, message):
    for one in models:
        (case / "DNNModels" / f"{one}.keras").touch()
    with pytest.raises(UsageError, match=message):
        read_case(case).model_path(name)


def test_folder_that_is_no_case_is_told(tmp_path):
    with pytest.raises(UsageError, match="is no case: it has no folder DataSets"):
        read_case(tmp_path)


def test_case_that_is_no_table_is_told(case):
    (case / "case.toml").write_text("case = 3\n")
    with pytest.raises(UsageError, match=r"`case` in .* is 3; expected a table"):
        read_case(case)


def test_classes_that_are_no_names_are_told(case):
    (case / "case.toml").write_text("[case]\nclasses = [1]\n")
    with pytest.raises(UsageError, match=r"`classes` in \[case\] of .* is \[1\]; expected a list of names"):
        read_case(case)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[case]\nclases = ["a"]\n', "has the key 'clases'; did you mean 'classes'"),
        ("[preproc]\nscale = 1\n", "has the table 'preproc'; did you mean 'preprocessing'"),
        ("[case]\nfailures = 3\n", "`failures` in .case. of .* is 3"),
    ],
)
def test_what_is_nearly_a_name_of_ours_is_told(case, text, said):
    (case / "case.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_case(case)


def test_tables_for_others_may_stand_there(case):
    (case / "case.toml").write_text('[case]\nname = "PET"\nseed = 3\n[pictures]\nTestSet = 3\n')
    assert read_case(case).name == "PET"


@pytest.mark.parametrize("name", CASES)
def test_case_file_of_the_simulator_is_one(case, name):
    (case / "case.toml").write_text(case_file(Order(CASES[name], SIZES["fast"], 0, "gray", None)))
    assert read_case(case).name == name


def test_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="There is no folder"):
        read_case(tmp_path / "none")
