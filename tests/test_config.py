import pytest

from deepdebug.config import Settings, load_settings
from deepdebug.errors import UsageError


def write(folder, text):
    (folder / "pyproject.toml").write_text(f"[tool.deepdebug]\n{text}\n", encoding="utf-8")


def test_nothing_set_gives_the_defaults(tmp_path):
    assert load_settings(tmp_path, {}) == Settings()


def test_file_of_a_folder_above_is_read(tmp_path):
    write(tmp_path, 'select = ["DD1", "DNS"]\nignore = ["DD101"]\npreset = "deepdiagnosis"\nverbose = 0')
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    expected = Settings(select=("DD1", "DNS"), ignore=("DD101",), preset="deepdiagnosis", verbose=0)
    assert load_settings(folder, {}) == expected


def test_nearest_file_wins_even_without_our_table(tmp_path):
    write(tmp_path, "verbose = 0")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.other]\nx = 1\n", encoding="utf-8")
    assert load_settings(folder, {}) == Settings()


def test_log_dir_in_the_file_counts_from_the_file(tmp_path):
    write(tmp_path, 'log_dir = "runs"')
    folder = tmp_path / "a"
    folder.mkdir()
    assert load_settings(folder, {}).log_dir == str(tmp_path / "runs")


def test_environment_wins_over_the_file(tmp_path):
    write(tmp_path, 'ignore = ["DD101"]\npreset = "deepdiagnosis"')
    environment = {"DEEPDEBUG_IGNORE": "DD413, DD414", "DEEPDEBUG_VERBOSE": "0", "HOME": "/"}
    assert load_settings(tmp_path, environment) == Settings(
        ignore=("DD413", "DD414"), preset="deepdiagnosis", verbose=0
    )


def test_argument_wins_over_the_environment(tmp_path):
    environment = {"DEEPDEBUG_SELECT": "DD1", "DEEPDEBUG_LOG_DIR": "there"}
    settings = load_settings(tmp_path, environment, select=("DD2",), log_dir=tmp_path, preset=None)
    assert settings == Settings(select=("DD2",), log_dir=str(tmp_path))


def test_empty_argument_list_wins_as_well(tmp_path):
    assert load_settings(tmp_path, {"DEEPDEBUG_IGNORE": "DD1"}, ignore=()).ignore == ()


def test_codes_may_be_one_string_with_commas(tmp_path):
    write(tmp_path, 'select = "DD1,dead-units"')
    assert load_settings(tmp_path, {}).select == ("DD1", "dead-units")


def test_unknown_key_is_named_with_its_file_and_the_known_ones(tmp_path):
    write(tmp_path, 'slect = ["DD1"]')
    with pytest.raises(UsageError, match=r"`slect` in \[tool.deepdebug\] of .*pyproject.toml.*Expected one of: select"):
        load_settings(tmp_path, {})


def test_unknown_argument_is_named(tmp_path):
    with pytest.raises(UsageError, match="argument `colour`"):
        load_settings(tmp_path, {}, colour="red")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select = 3", "`select` .* is 3; expected codes"),
        ("ignore = [1]", r"`ignore` .* is \[1\]; expected codes"),
        ("preset = 1", "`preset` .* is 1; expected a string"),
        ("log_dir = 1", "`log_dir` .* is 1; expected a string"),
        ("verbose = true", "`verbose` .* is True; expected 0 or 1"),
        ("verbose = -1", "`verbose` .* is -1; expected 0 or 1"),
        ("verbose = [", "pyproject.toml cannot be read"),
    ],
)
def test_wrong_value_is_named_with_what_was_expected(tmp_path, text, message):
    write(tmp_path, text)
    with pytest.raises(UsageError, match=message):
        load_settings(tmp_path, {})


def test_wrong_environment_variable_is_named(tmp_path):
    with pytest.raises(UsageError, match="environment variable DEEPDEBUG_VERBOSE is 'loud'"):
        load_settings(tmp_path, {"DEEPDEBUG_VERBOSE": "loud"})


def test_process_environment_and_current_folder_are_the_defaults(tmp_path, monkeypatch):
    write(tmp_path, "verbose = 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPDEBUG_PRESET", "deepdiagnosis")
    assert load_settings() == Settings(preset="deepdiagnosis", verbose=0)
