import json
from collections import ChainMap
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepdebug.errors import RecordingError, UsageError
from deepdebug.facts import DataFacts, Facts, FitFacts, InputFacts, LabelFacts, LayerFacts, VariableFacts
from deepdebug.observation import EpochEnd, LayerObservation, Observation, OutputObservation, VariableObservation
from deepdebug.recording import FILE_NAME, RecordingWriter
from deepdebug.recording_reader import read_recording, read_recordings
from deepdebug.records import Skipped
from deepdebug.strict_json import strict_json
from tests.factory import classifier_facts, healthy_layer, healthy_run, healthy_variable, kernel, observation
from tests.work import Work

DATA = DataFacts(rows=7, complete=False)
SKIPPED = Skipped("probe", "switched off")


def record(folder: Path, epochs: int = 3, end: bool = True, facts: Facts | None = None) -> Path:
    """Write a run and return the file."""
    facts = facts or classifier_facts()
    with RecordingWriter(folder, facts) as writer:
        for seen in healthy_run(epochs, facts).observations:
            writer.observation(seen)
        if end:
            writer.end(0.5)
        return writer.path


def lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def forbid(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_run_is_read_back_as_it_was_written(tmp_path):
    run = healthy_run(3, finished=True)
    record(tmp_path)
    read = read_recording(tmp_path)
    assert read.run.facts == run.facts
    assert list(read.run.observations) == run.observations
    assert (read.finished, read.seconds, read.torn_line) == (True, 0.5, None)


def test_file_itself_can_be_read_too(tmp_path):
    file = record(tmp_path)
    assert read_recording(file) == read_recording(tmp_path)


def test_log_dir_is_made(tmp_path):
    assert record(tmp_path / "runs" / "mlp").is_file()


def every_field(kind: type, **given: st.SearchStrategy) -> st.SearchStrategy:
    """Return records of that kind with all fields drawn, not the required ones only."""
    return st.builds(kind, **{field.name: given.get(field.name, ...) for field in fields(kind)})


def some(records: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(records, max_size=2).map(tuple)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
LAYERS = some(every_field(LayerFacts, config=st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)))
DATA_FACTS = every_field(DataFacts, inputs=some(every_field(InputFacts)), labels=some(every_field(LabelFacts)))
FACTS = every_field(
    Facts,
    layers=LAYERS,
    variables=some(every_field(VariableFacts)),
    fit=every_field(FitFacts),
    data=st.none() | DATA_FACTS,
    versions=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
OBSERVATIONS = every_field(
    Observation,
    metrics=st.dictionaries(st.text(max_size=5), st.floats(), max_size=3),
    layers=some(every_field(LayerObservation)),
    variables=some(every_field(VariableObservation)),
    outputs=some(every_field(OutputObservation)),
)

EPOCH_ENDS = every_field(EpochEnd, metrics=st.dictionaries(st.text(max_size=5), st.floats(), max_size=3))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=FACTS, seen=some(OBSERVATIONS), passed=some(EPOCH_ENDS), data=DATA_FACTS)
def test_every_record_survives_the_round_trip_as_strict_json(tmp_path_factory, facts, seen, passed, data):
    folder = tmp_path_factory.mktemp("run")
    with RecordingWriter(folder, facts) as writer:
        for one in seen:
            writer.observation(one)
        for one in passed:
            writer.epoch(one)
        writer.data(data)
    for line in lines(folder / FILE_NAME):
        json.loads(line, parse_constant=forbid)
    read = read_recording(folder)
    assert repr(read.facts) == repr(facts)  # as NaN differs from itself
    assert repr(read.observations) == repr(seen)
    assert repr(read.passed) == repr(passed)
    assert repr(read.later_data) == repr(((len(seen), data),))


def test_scalars_of_numpy_are_written_as_numbers(tmp_path):
    seen = observation(classifier_facts(), 0, metrics={"loss": np.float32("nan"), "count": np.int64(3)})
    with RecordingWriter(tmp_path, classifier_facts()) as writer:
        writer.observation(seen)
    metrics = read_recording(tmp_path).observations[0].metrics
    assert np.isnan(metrics["loss"])
    assert metrics["count"] == 3.0


def test_any_mapping_is_written_as_an_object():
    assert strict_json({"versions": ChainMap({"keras": "3"})}) == b'{"versions":{"keras":"3"}}'


def test_what_is_no_number_nor_string_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="object cannot be written as JSON; expected a number or a string"):
        RecordingWriter(tmp_path, classifier_facts(versions={"keras": object()}))
    assert list(tmp_path.iterdir()) == []


def test_later_data_are_kept_with_the_moment_of_their_arrival(tmp_path):
    run = healthy_run(2)
    with RecordingWriter(tmp_path, run.facts) as writer:
        writer.observation(run.observations[0])
        writer.data(DATA)
        writer.observation(run.observations[1])
    read = read_recording(tmp_path)
    assert read.later_data == ((1, DATA),)
    assert (read.facts.data, read.run.facts.data) == (None, DATA)


def test_parts_that_were_left_out_are_read_back(tmp_path):
    with RecordingWriter(tmp_path, classifier_facts()) as writer:
        writer.skipped(SKIPPED)
    assert read_recording(tmp_path).skipped == (SKIPPED,)


def test_killed_run_counts_as_interrupted(tmp_path):
    record(tmp_path, end=False)
    read = read_recording(tmp_path)
    assert (read.finished, read.run.finished, read.seconds) == (False, False, None)


def test_every_line_is_on_disk_before_the_next_one(tmp_path):
    writer = RecordingWriter(tmp_path, classifier_facts())
    writer.observation(observation(classifier_facts(), 0))
    assert len(read_recording(tmp_path).observations) == 1
    writer.close()


def test_second_fit_follows_the_first_and_is_the_default(tmp_path):
    record(tmp_path, epochs=3)
    record(tmp_path, epochs=5, facts=classifier_facts(model="second"))
    assert [len(one.observations) for one in read_recordings(tmp_path)] == [4, 6]
    assert read_recording(tmp_path).facts.model == "second"


def test_line_cut_off_by_a_kill_is_left_out_and_reported(tmp_path):
    file = record(tmp_path, end=False)
    whole = lines(file)
    for cut in (1, 20, len(whole[-1]) // 2, len(whole[-1]) - 2, len(whole[-1]) - 1):
        file.write_bytes(b"".join(whole[:-1]) + whole[-1][:cut])
        read = read_recording(file)
        complete = cut == len(whole[-1]) - 1  # only the newline is missing
        assert len(read.observations) == (4 if complete else 3)
        assert read.torn_line == (None if complete else len(whole))


def test_second_fit_after_a_kill_keeps_both_runs_readable(tmp_path):
    file = record(tmp_path, end=False)
    file.write_bytes(file.read_bytes()[:-20])
    record(tmp_path, epochs=1)
    first, second = read_recordings(tmp_path)
    assert (len(first.observations), first.torn_line) == (3, 5)
    assert (len(second.observations), second.torn_line, second.finished) == (2, None, True)


def test_fit_after_one_killed_at_its_first_line_is_readable(tmp_path):
    file = record(tmp_path, end=False)
    file.write_bytes(lines(file)[0][:30])
    record(tmp_path, epochs=1)
    assert len(read_recording(tmp_path).observations) == 2


@pytest.mark.parametrize(
    ("number", "damage", "message"),
    [
        (3, b"{\n", "line 3: expected a JSON object, found b'{'"),
        (3, b"\n", "line 3: expected a JSON object"),
        (3, b"[1]\n", "line 3: expected a JSON object"),
        (3, b'{"type":"surprise"}\n', "line 3: expected a line type that this version knows, found 'surprise'"),
        (3, b'{"type":"observation"}\n', "line 3: `observation`: .* found 'None'"),
        (1, b'{"type":"end","seconds":1}\n', "holds no run"),
        (1, b'{"type":"run","schema":1,"facts":{"model":3}}\n', "line 1: `facts.model`: .* found '3'"),
    ],
)
def test_damage_is_named_by_line_and_content(tmp_path, number, damage, message):
    file = record(tmp_path)
    whole = lines(file)
    whole[number - 1] = damage
    file.write_bytes(b"".join(whole))
    with pytest.raises(RecordingError, match=message):
        read_recording(file)


def test_message_about_damage_tells_file_and_way_out(tmp_path):
    file = record(tmp_path)
    file.write_bytes(b"".join([*lines(file), b"garbage\n"]))
    with pytest.raises(RecordingError) as caught:
        read_recording(file)
    assert str(file) in str(caught.value)
    assert "record the run again" in str(caught.value)


def test_lines_before_the_first_run_are_damage(tmp_path):
    file = record(tmp_path)
    file.write_bytes(b"".join([lines(file)[-1], *lines(file)]))
    with pytest.raises(RecordingError, match="line 1: expected a line of type 'run' before all others"):
        read_recording(file)


def test_newer_schema_asks_for_an_upgrade(tmp_path):
    file = record(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"schema":1', b'"schema":2'))
    with pytest.raises(RecordingError, match=r"expected recording schema 1, found 2.*pip install --upgrade deepdebug"):
        read_recording(file)


def test_missing_recording_is_wrong_use_and_names_the_path(tmp_path):
    with pytest.raises(UsageError, match=f"{tmp_path}.*does not exist"):
        read_recording(tmp_path)


def test_empty_file_holds_no_run(tmp_path):
    (tmp_path / FILE_NAME).touch()
    with pytest.raises(RecordingError, match="holds no run"):
        read_recording(tmp_path)


def test_unknown_extra_fields_of_the_same_schema_are_ignored(tmp_path):
    file = record(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"facts":{', b'"facts":{"later":1,'))
    assert len(read_recording(file).observations) == 4


def test_writing_an_epoch_of_thirty_layers_is_cheap(tmp_path):
    names = [f"layer_{number}" for number in range(30)]
    facts = replace(classifier_facts(), variables=tuple(kernel(name) for name in names))
    seen = observation(
        facts, 0, layers=tuple(healthy_layer(name) for name in names),
        variables=tuple(healthy_variable(f"{name}/{role}") for name in names for role in ("kernel", "bias")),
    )  # fmt: skip
    with RecordingWriter(tmp_path, facts) as writer, Work() as work:
        writer.observation(seen)
    assert 0 < work.calls <= 90  # none in Python for each layer or variable
