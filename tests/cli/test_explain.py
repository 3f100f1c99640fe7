import pytest

from deepdebug.cli.main import app
from deepdebug.detectors import all_rules
from deepdebug.errors import UsageError


def explained(runner, *arguments):
    result = runner.invoke(app, ["explain", *arguments])
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_page_has_title_sections_and_how_to_switch_it_off(runner):
    page = explained(runner, "DD101")
    headings = [line for line in page.splitlines() if line and not line.startswith(" ")]
    assert headings[0] == "DD101 dead-units (DNS)"
    assert headings[2:] == ["What it does", "Why it matters", "How to fix", "Args", "Example", "Switch it off"]
    assert 'Diagnose(ignore=["DD101"])' in page


def test_example_keeps_its_lines(runner):
    assert "    >>> DeadUnits(max_fraction=0.5).code\n    'DD101'\n" in explained(runner, "DD101")


def test_symptom_names_the_same_page(runner):
    assert explained(runner, "dead-units") == explained(runner, "DD101")


def test_start_of_a_code_gives_every_page_of_the_family(runner):
    family = [rule for rule in all_rules() if rule.code.startswith("DD1")]
    page = explained(runner, "DD1")
    assert all(f"{rule.code} {rule.symptom} ({rule.abbreviation})\n" in page for rule in family)


def test_index_has_one_line_per_check(runner):
    lines = explained(runner, "--all").splitlines()
    assert [line.split()[0] for line in lines] == [rule.code for rule in all_rules()]
    assert any("dead-units" in line and "DNS" in line and line.endswith(".") for line in lines)


def test_unknown_check_is_refused_with_the_way_to_the_index(runner):
    result = runner.invoke(app, ["explain", "DD999"])
    assert isinstance(result.exception, UsageError)
    assert "deepdebug explain --all" in str(result.exception)


def test_no_check_at_all_is_refused(runner):
    result = runner.invoke(app, ["explain"])
    assert isinstance(result.exception, UsageError)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_check_has_a_whole_page(runner, rule):
    page = explained(runner, rule.code)
    for heading in ("What it does", "Why it matters", "How to fix"):
        assert f"\n{heading}\n    " in page
