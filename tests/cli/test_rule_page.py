from typing import ClassVar

from deepdebug.cli.rule_page import rule_page


class Documented:
    """Find a thing that is
    described on two lines.

    What it does:
        Looks: at this.

            Indented more.

    How to fix:
        Mend it.

    Example:

    >>> 1 + 1
    2
    """

    code: ClassVar[str] = "DD990"
    symptom: ClassVar[str] = "thing"
    abbreviation: ClassVar[str] = "THG"


class Bare:
    code: ClassVar[str] = "DD991"
    symptom: ClassVar[str] = "bare"
    abbreviation: ClassVar[str] = "BAR"


def test_summary_is_put_on_one_line():
    assert rule_page(Documented).summary == "Find a thing that is described on two lines."


def test_sections_keep_their_order_and_inner_indentation():
    assert dict(rule_page(Documented).sections) == {
        "What it does": "Looks: at this.\n\n    Indented more.",
        "How to fix": "Mend it.",
        "Example": ">>> 1 + 1\n2",
    }


def test_title_names_code_symptom_and_abbreviation():
    assert rule_page(Documented).title == "DD990 thing (THG)"


def test_class_without_a_docstring_gives_an_empty_page():
    page = rule_page(Bare)
    assert (page.summary, dict(page.sections)) == ("", {})
