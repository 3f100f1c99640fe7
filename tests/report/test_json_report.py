import json

import jsonschema
import pytest

from deepdebug.report import json_report
from tests.golden.cases import CASES, with_findings


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(json_report.published_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_published_schema_is_fresh():
    assert json.loads(json_report.published_schema()) == json.loads(json_report.generate_schema())


@pytest.mark.parametrize("case", CASES)
def test_report_fits_the_published_schema(case, validator):
    validator.validate(CASES[case]().to_dict())


@pytest.mark.parametrize(
    ("key", "value"), [("schema", 2), ("exit_code", "0"), ("seconds", "soon"), ("findings", [{"code": "DD101"}])]
)
def test_schema_refuses_other_content(key, value, validator):
    assert not validator.is_valid({**with_findings().to_dict(), key: value})


def test_non_finite_numbers_are_strings_of_strict_json():
    def forbid(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content = json.loads(with_findings().to_json(), parse_constant=forbid)
    assert content["findings"][0]["value"] == "NaN"
    assert content["findings"][0]["evidence"] == {"largest_gradient": "Infinity"}


def test_metrics_are_given_by_epoch():
    epochs = with_findings().to_dict()["epochs"]
    assert [one["epoch"] for one in epochs] == [0, 1, 2, 3]
    assert set(epochs[0]["metrics"]) == {"loss", "accuracy"}
