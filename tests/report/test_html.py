import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from deepdebug.report import html, plots
from tests.factory import healthy_run
from tests.golden.cases import CASES, clean, with_findings
from tests.report.test_series import deep_run

VOID = {"meta", "br", "img", "path", "use", "image", "rect", "link"}


class Page(HTMLParser):
    """Collects tags with attributes, checks that they are nested, and collects the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page():
    return html.render(with_findings())


@pytest.mark.parametrize("case", CASES)
def test_tags_are_nested_and_closed(case):
    assert Page(html.render(CASES[case]())).open == []


def test_page_loads_nothing(page):
    for tag, attributes in Page(page).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "img"}
        for name in ("src", "href", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"url\((?!#)|@import", page)


def test_policy_of_the_page_forbids_to_load_anything(page):
    policy = next(attributes["content"] for tag, attributes in Page(page).tags if "http-equiv" in attributes)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_hostile_names_are_text_and_never_tags(page):
    parsed = Page(page)
    assert "<script>alert('1')</script> & [bold]%0A" in parsed.text
    assert "\x1b" not in page


def test_verdict_versions_and_time_stand_in_the_header(page):
    header = page[page.index("<header") : page.index("</header>")]
    for expected in ("Most likely cause: learning rate too high", "3 findings", "keras 3.15.1", "0.25 s of deepdebug"):
        assert expected in header


def test_card_holds_numbers_fix_path_and_how_to_silence(page):
    text = Page(page).text
    for expected in (
        "one update changes the weights by 12 % of their size",
        "the gradient norm before the first update is 0.5",
        "optimizer=keras.optimizers.Adam(0.001)",
        "update ratio above 0.1? yes: learning rate",
        'Diagnose(ignore=["DD101", "DD301"])',
    ):
        assert expected in text


def test_causes_are_called_advice_where_no_fault_was_found(page):
    report = with_findings()
    mild = replace(report, findings=tuple(replace(one, severity="info") for one in report.findings))
    assert "<h2>Likely causes</h2>" in page
    assert "<h2>Advice</h2>" in html.render(mild)
    assert "Likely causes" not in html.render(mild)


def test_checks_not_made_are_listed_by_name(page):
    assert "DD415 train-validation-overlap" in page


def test_curves_and_maps_are_drawn(page):
    assert page.count("<svg") == 5


def test_failing_plots_leave_the_words(monkeypatch):
    def fail(report):
        raise MemoryError("no room")

    monkeypatch.setattr(plots, "draw", fail)
    text = html.render(with_findings())
    assert "the plots failed: MemoryError: no room" in text
    assert "learning rate too high" in text


@pytest.mark.slow
def test_page_of_a_deep_and_long_run_stays_small():
    run = deep_run(70, epochs=210)
    assert len(html.render(replace(clean(), run=run)).encode()) < 2_000_000


def test_fragment_is_one_element_with_scoped_styles():
    fragment = with_findings()._repr_html_()
    assert Page(fragment).tags[0] == ("div", {"class": "deepdebug"})
    assert not {"html", "body", "head", "script"} & {tag for tag, _ in Page(fragment).tags}
    style = fragment[fragment.index("<style>") + 7 : fragment.index("</style>")]
    selectors = re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", re.sub(r"@media[^{]*", "", style))
    assert len(selectors) > 20
    assert all(part.strip().startswith(".deepdebug") for each in selectors for part in each.split(",") if each.strip())


def test_fragment_holds_no_element_ids_of_ours():
    ids = [attributes["id"] for tag, attributes in Page(html.render(clean(), plots=False)).tags if "id" in attributes]
    assert ids == []


def test_run_that_is_not_finished_says_so():
    assert "the run did not reach its end" in html.render(replace(clean(), run=healthy_run(2)), plots=False)


def modules_after(program):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_the_report_loads_no_heavy_library():
    loaded = modules_after("import deepdebug.report.html, deepdebug.report.plots, deepdebug.report.console")
    assert not {"keras", "matplotlib", "rich", "jinja2", "pydantic"} & loaded


def test_drawing_never_chooses_a_window_system():
    loaded = modules_after("from tests.golden.cases import clean; clean().to_html()")
    assert "matplotlib.figure" in loaded
    assert not {"matplotlib.pyplot", "keras"} & loaded
