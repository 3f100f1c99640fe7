import io
from dataclasses import replace

from rich.console import Console

from deepdebug.records import Fix
from deepdebug.report import console
from tests.golden.cases import clean, learning_rate, not_judged, with_findings


def test_text_is_plain_and_narrow():
    text = console.render(with_findings())
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= console.WIDTH


def test_markup_in_names_is_shown_and_not_obeyed():
    assert "[bold]" in console.render(with_findings())


def test_fix_as_code_is_never_wrapped():
    code = f"model.compile({', '.join(f'argument_{number}=1' for number in range(20))})"
    diagnosis = replace(learning_rate(), fix=Fix("Do this.", code))
    assert code in console.render(replace(with_findings(), diagnoses=(diagnosis,)))


def test_fix_without_code_leaves_no_gap():
    diagnosis = replace(learning_rate(), fix=Fix("Do this.", ""))
    assert "Fix: Do this.\n  For:" in console.render(replace(with_findings(), diagnoses=(diagnosis,)))


def test_explained_findings_stand_under_their_cause_only():
    text = console.render(with_findings())
    cause, other = text.split("Other findings")
    assert ("DD101" in cause, "DD101 dead-units" in other) == (True, False)
    assert "DD411" in other


def test_checks_not_made_are_listed_with_the_reason():
    assert "DD204 zero-gradient: needs the gradient, which was switched off" in console.render(clean())


def test_nothing_judged_says_so_first():
    assert console.render(not_judged()).startswith("deepdebug: nothing could be judged\n")


def shown(**settings):
    buffer = io.StringIO()
    console.show(with_findings(), Console(file=buffer, force_terminal=True, width=100, **settings))
    return buffer.getvalue()


def test_terminal_gets_colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;31m" in shown()


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;31m" not in shown()


def test_report_goes_to_standard_output_by_default(capsys):
    console.show(clean())
    captured = capsys.readouterr()
    assert captured.out.startswith("deepdebug: no fault found\n")
    assert captured.err == ""
