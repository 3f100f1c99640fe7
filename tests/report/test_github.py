from dataclasses import replace

import pytest

from deepdebug.report import github
from tests.golden.cases import clean, data_scale, dead_units, with_findings


def commands(report):
    return github.render(report).splitlines()


@pytest.mark.parametrize(
    ("severity", "command"),
    [("info", "::notice "), ("warn", "::warning "), ("error", "::error "), ("fatal", "::error ")],
)
def test_severity_chooses_the_command(severity, command):
    first, _ = commands(replace(clean(), findings=(replace(data_scale(), severity=severity),)))
    assert first.startswith(command)


def test_every_line_is_a_command_whatever_the_layer_is_called():
    lines = commands(with_findings())
    assert len(lines) == 4
    assert all(line.startswith(("::error title=DD", "::notice title=")) for line in lines)


def test_per_cent_signs_are_escaped_once():
    message = commands(replace(clean(), findings=(replace(dead_units(), layer="a%0Ab"),)))[0]
    assert "layer 'a%250Ab'" in message
    assert "93.8 %25 of the units" in message


def test_title_escapes_what_would_end_it():
    finding = replace(data_scale(), symptom="odd: name, really")
    assert "title=DD411 odd%3A name%2C really (SCL)::" in commands(replace(clean(), findings=(finding,)))[0]


def test_cause_and_fix_follow_on_a_new_line_of_the_annotation():
    line = next(line for line in commands(with_findings()) if "DD301" in line)
    assert line.endswith("%0ALikely cause: learning rate too high. Lower the learning rate from 0.1 to about 0.001.")


def test_clean_run_gives_its_verdict_as_a_notice():
    (line,) = commands(clean())
    assert line.startswith("::notice title=deepdebug::no finding in 4 of 6 checks; not run: DD204 (needs the gradient")
