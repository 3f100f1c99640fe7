"""`deepdebug diagnose`: judge a recorded run again, without the model."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepdebug.config import Settings, load_settings
from deepdebug.errors import UsageError
from deepdebug.judging import conclude, replay
from deepdebug.recording_reader import Recording, read_recordings
from deepdebug.records import Skipped
from deepdebug.report.report import SUFFIXES, Report, write_whole


class Format(StrEnum):
    """The formats of a report."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    GITHUB = "github"


def diagnose(
    log_dir: Annotated[Path, typer.Argument(help="Folder given to Diagnose(log_dir=...), or the recording in it.")],
    *,
    preset: Annotated[str | None, typer.Option(help="default or deepdiagnosis.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Checks to make, such as DD1,dead-units.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Checks to leave out.")] = None,
    style: Annotated[Format | None, typer.Option("--format", help="Default: by the file name, else text.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write instead of standard output.")] = None,
    run: Annotated[int, typer.Option(help="Which run of the recording, 1 is the oldest, -1 the newest.")] = -1,
) -> None:
    """Judge a recorded run again, without the model.

    \b
    Examples:
      deepdebug diagnose runs/mlp                          text on the terminal
      deepdebug diagnose runs/mlp --output report.html     a page to look at
      deepdebug diagnose runs/mlp --ignore DD413,DNS       leave checks out
      deepdebug diagnose runs/mlp --preset deepdiagnosis   the published baseline
      deepdebug diagnose runs/mlp --format github          annotations in CI

    \b
    Exit codes:
      0  nothing found, or advice only
      1  findings
      2  wrong use, or the recording cannot be read
      3  nothing could be judged
    """  # noqa: D301 - typer keeps the lines that follow it
    settings = load_settings(preset=preset, select=_joined(select), ignore=_joined(ignore))
    report = rejudge(_chosen(read_recordings(log_dir), run), settings)
    _write(report, style or _format_of(output), output)
    raise typer.Exit(report.exit_code)


def rejudge(recording: Recording, settings: Settings) -> Report:
    """Judge a recorded run as the callback would have with these settings."""
    from deepdebug.presets import find_preset  # only here, so that the other commands start quickly

    preset = find_preset(settings.preset)
    detectors = preset.detectors(settings.select, settings.ignore)
    log = replay(
        recording.run,
        detectors,
        facts=recording.facts,
        later_data=recording.later_data,
        first_hit_wins=preset.first_hit_wins,
        arrange=preset.arrange,
    )
    return conclude(
        recording.run,
        log,
        detectors,
        preset.diagnose,
        preset=preset.name,
        skipped=[*recording.skipped, *_torn(recording)],
        seconds=recording.seconds,
    )


def _torn(recording: Recording) -> list[Skipped]:
    if recording.torn_line is None:
        return []
    reason = f"line {recording.torn_line} is cut off, as after a killed run; what would have followed is missing"
    return [Skipped("recording", reason)]


def _chosen(recordings: tuple[Recording, ...], run: int) -> Recording:
    index = run - 1 if run > 0 else run
    if run == 0 or not -len(recordings) <= index < len(recordings):
        raise UsageError(f"`--run` got {run}; the recording holds {len(recordings)}, counted from 1 or back from -1.")
    return recordings[index]


def _joined(names: list[str] | None) -> str | None:
    return ",".join(names) if names else None


def _format_of(output: Path | None) -> Format:
    if output is None:
        return Format.TEXT
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"`--output` got {str(output)!r}, whose ending tells no format. Expected {', '.join(SUFFIXES)}, or pass "
            "--format."
        )
    return Format(SUFFIXES[output.suffix.lower()])


def _write(report: Report, style: Format, output: Path | None) -> None:
    if output is not None:
        write_whole(output, report.render(style))
    elif style is Format.TEXT and sys.stdout.isatty():
        from deepdebug.report.console import show

        show(report)
    else:
        sys.stdout.write(report.render(style))
