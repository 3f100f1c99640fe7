import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from deepdebug.hudd.analysis import Branch, Effect
from deepdebug.hudd.notes import Note
from deepdebug.report.hudd.headline import effect_phrase, headline, strength
from deepdebug.report.hudd.map import MOST_POINTS, draw_map
from deepdebug.report.hudd.marks import mark
from deepdebug.report.hudd.means import MOST
from deepdebug.report.hudd.page import render_hudd
from deepdebug.report.hudd.verdict import group_verdict, standing_apart, verdict
from deepdebug.report.wording import number
from tests.golden.cases import HOSTILE
from tests.report.hudd_factory import FakePictures, analysis, effect, no_effect, regression
from tests.report.regenerate_hudd_page import FILE, rendered

VOID = {"meta", "img", "path", "rect", "line", "circle", "polyline"}
RAW = {"style"}


class Page(HTMLParser):
    """Collects tags with attributes and the text, and checks that tags are nested."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.parts, self.open = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.parts).replace("\N{NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if not RAW & set(self.open):
            self.parts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(one, pictures=None):
    return Page(render_hudd(one, pictures or FakePictures()))


@pytest.fixture(scope="module")
def html():
    return render_hudd(analysis(), FakePictures())


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_page_equals_the_golden_file():
    assert rendered() == FILE.read_bytes().decode()


def test_page_loads_nothing(html, page):
    assert not re.search(r"https?://|url\(|@import", html)
    assert not {"script", "link", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert attributes.get("href", "#").startswith("#")


def test_policy_of_the_page_forbids_to_load_anything(page):
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_every_link_leads_somewhere(page):
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {one["href"][1:] for tag in ("a", "use") for one in page.all(tag)} - {""}
    assert {"cluster-1", "cluster-2", "cluster-3", "left-out"} <= links <= targets


def test_every_image_has_a_description(page):
    assert all(one["alt"] for one in page.all("img"))


def test_no_identifier_is_used_twice(page):
    found = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("place", ["case", "model"])
def test_hostile_names_of_the_whole_are_text(place):
    assert_harmless(analysis(**{place: HOSTILE}))


def test_hostile_names_of_images_classes_parameters_and_layers_are_text():
    base = analysis()
    count = len(base.images)
    groups = tuple(
        replace(one, pairs=((HOSTILE, HOSTILE, 2),), effects=(effect(HOSTILE), no_effect(HOSTILE)))
        for one in base.groups
    )
    assert_harmless(
        replace(
            base, groups=groups, images=(HOSTILE,) * count, expected=(HOSTILE,) * count, predicted=(HOSTILE,) * count,
            layers=(replace(base.layers[0], name=HOSTILE),), settings=((HOSTILE, HOSTILE),),
            left_out=((HOSTILE, HOSTILE),), sets=((HOSTILE, 1, 1),),
            notes=(Note("one", HOSTILE), Note("two", HOSTILE, warning=True)),
        )
    )  # fmt: skip


def assert_harmless(one):
    html = render_hudd(one, FakePictures())
    parsed = Page(html)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert "<script>alert('1')</script>" in parsed.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", html)


def test_long_names_of_files_are_shortened_where_they_stand_and_whole_where_the_pointer_rests():
    name = f"folder/{'long' * 60}.png"
    base = analysis()
    parsed = page_of(replace(base, images=(name,) * len(base.images)))
    assert "…longlonglong.png"[-16:] in parsed.text
    assert any(name in one.get("title", "") for one in parsed.all("figure"))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (analysis(()), "No failures"),
        (analysis((1,), p_value=None), "Its only member"),
        (analysis((9,), p_value=0.3, merges=(), curve=None), "All 9 members"),
        (analysis(groups=()), "The failures were not grouped"),
        (regression(), "Below each: the loss"),
        (analysis((2,) * 40), "Cluster 40"),
        (analysis(places=(), merges=(), curve=None, layers=(), baselines=(), notes=(), left_out=()), "Cluster 3"),
        (analysis(sets=(), settings=(), variance_reduction=None), "Cluster 3"),
    ],
)
def test_page_is_whole_in_odd_cases(case, expected):
    parsed = page_of(case)
    assert expected in parsed.text
    assert len(parsed.all("section")) == len(case.groups)


def test_regression_shows_losses_and_no_classes():
    parsed = page_of(regression())
    assert "What is taken for what" not in parsed.text
    assert "loss 2.5" in parsed.text


def test_failures_in_no_cluster_are_counted():
    base = analysis()
    parsed = page_of(replace(base, groups=base.groups[:2], merges=base.merges[:1]))
    assert "5 failures are in no cluster." in parsed.text
    assert "024.png, in no cluster" in parsed.text


def test_without_heatmaps_none_is_shown_and_that_is_said():
    parsed = page_of(analysis(), FakePictures(side=None))
    assert "There is no heatmap of the input." in parsed.text
    assert not any("heatmap" in one["alt"] for one in parsed.all("img"))


def test_numbers_of_the_page_are_those_of_the_record(page):
    one = analysis()
    facts = [
        *(value for layer in one.layers for value in (layer.wicd, layer.agreement, layer.agreement_with_others)),
        *(baseline.agreement for baseline in one.baselines),
        *(value for found in one.groups[0].effects for value in (found.superiority, found.reduction, found.q_value)),
        *(value for found in one.groups[0].effects for value in (*found.inside, *found.outside)),
        *(distance for _, distance in one.groups[0].nearest),
        one.p_value,
        one.groups[0].p_value,
        *one.curve.heights,
        *one.curve.wicd,
        *(height for _, _, height, _ in one.merges),
    ]
    words = set(re.findall(r"[0-9.]*[0-9]", page.text))
    assert {number(value) for value in facts} <= words
    for expected in ("92 %", "85 %", "61 %", "12 failures, 48 % of all", "TestSet: 25 of 1,000 images failed (2 %)"):
        assert expected in page.text


def test_confusion_table_counts_members_and_other_failures(page):
    assert "open closed 10 (83 %) 0 % closed open 2 (17 %) 100 %" in page.text


def test_long_confusion_table_is_cut():
    base = analysis()
    pairs = tuple((f"class{one}", f"other{one}", 1) for one in range(9))
    group = replace(base.groups[0], pairs=pairs)
    assert "and 3 more, with 3 members" in page_of(replace(base, groups=(group, *base.groups[1:]))).text


def test_parameters_without_a_significant_difference_are_folded(page):
    assert "1 parameter without a significant difference" in page.text


def test_cluster_in_which_nothing_differs_says_so():
    base = analysis()
    groups = tuple(replace(one, effects=(no_effect(),)) for one in base.groups)
    assert (
        "No parameter differs from the other failures by more than chance allows."
        in page_of(replace(base, groups=groups)).text
    )


def test_warnings_stand_in_front_and_other_notes_at_the_end(page):
    text = page.text
    assert text.index("All images are equal in the view 'flat'.") < text.index("The clusters at a glance")
    assert text.index("Distances were computed for some pairs only.") > text.index("What was done")


def test_verdict_is_loud_where_no_cluster_is_significant():
    one = analysis(p_value=0.4, notes=(Note("no-cluster", "No cluster is significant: so and so.", warning=True),))
    parsed = page_of(one)
    assert ("p", {"class": "loud"}) in parsed.tags
    assert "No cluster is significant The failures cannot be told from one single cloud (p = 0.4" in parsed.text
    assert "so and so" not in parsed.text


def test_verdict_says_where_nothing_was_judged():
    assert verdict(analysis(p_value=None)).title == "Too few failures to judge"
    assert verdict(analysis(p_value=None)).tone == "open"


def test_verdict_names_the_clusters_with_a_gap_around_them():
    base = analysis()
    groups = (base.groups[0], replace(base.groups[1], p_value=0.2), replace(base.groups[2], p_value=None))
    one = replace(base, groups=groups)
    assert verdict(one).title == "3 clusters of failures"
    assert verdict(one).text.endswith("A clear gap lies around cluster 1.")
    assert [group_verdict(group, one).title for group in groups] == ["significant", "no clear gap", "not judged"]
    none = replace(base, groups=tuple(replace(group, p_value=0.2) for group in base.groups))
    assert "take their borders as fluid" in verdict(none).text


def test_clusters_with_a_gap_around_them_together_are_told_as_one():
    base = analysis((9, 3, 2))
    groups = tuple(replace(group, p_value=0.4) for group in base.groups)
    one = replace(base, groups=groups, branches=(Branch((2, 3), 0.001), Branch((1, 2), 0.001)))
    assert standing_apart(one) == ((2, 3),)  # 1 and 2 are more than half of all, so 3 alone would be the news
    assert verdict(one).text.endswith("A clear gap lies around clusters 2 and 3 together.")
    assert group_verdict(groups[1], one).title == "apart with 3"
    page = page_of(one)
    assert [attrs["class"] for tag, attrs in page.tags if "line" in attrs.get("class", "").split()].count(
        "line apart"
    ) == 2


def test_no_cluster_is_significant_where_all_together_are_not():
    one = analysis(p_value=0.4)
    assert group_verdict(one.groups[0], one).title == "not significant"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (effect(), "light lower than in other failures (97 % of comparisons): 0.2 to 0.34 against 0.25 to 1.1"),
        (effect(superiority=1.0), "light higher than in all other failures: 0.2 to 0.34 against 0.25 to 1.1"),
        (
            effect(superiority=0.001),
            "light lower than in other failures (over 99 % of comparisons): 0.2 to 0.34 against 0.25 to 1.1",
        ),
        (
            effect(superiority=0.5, inside=(0.6, 0.7, 0.8), outside=(0.0, 0.7, 1.4)),
            "light in a narrow range: 0.6 to 0.8 against 0 to 1.4",
        ),
        (
            effect(superiority=0.66, inside=(0.0, 0.9, 1.4), outside=(0.0, 0.7, 1.4)),
            "light mostly higher than in other failures (66 % of comparisons): 0 to 1.4 against 0 to 1.4",
        ),
        (
            effect(superiority=0.42, inside=(0.0, 0.6, 1.4), outside=(0.0, 0.7, 1.4)),
            "light slightly lower than in other failures (58 % of comparisons): 0 to 1.4 against 0 to 1.4",
        ),
        (
            effect(superiority=0.5, reduction=-0.7, inside=(-1.0, 0.7, 2.0), outside=(0.0, 0.7, 1.4)),
            "light varies more than in other failures: -1 to 2 against 0 to 1.4",
        ),
        (
            effect("patch", superiority=0.95, inside=(1.0, 1.0, 1.0), outside=(0.0, 0.0, 1.0)),
            "patch is 1 in nearly all members; in other failures 0 (0 to 1)",
        ),
        (
            effect("angle", superiority=None, inside=(350.0, 0.0, 10.0), outside=(20.0, 180.0, 340.0)),
            "angle mostly 350 through 0 to 10 degrees; in other failures spread over 320 degrees",
        ),
        (
            effect("angle", superiority=None, inside=(80.0, 90.0, 99.0), outside=(170.0, 180.0, 190.0)),
            "angle mostly 80 to 99 degrees; in other failures 170 to 190 degrees",
        ),
    ],
)  # fmt: skip
def test_effect_is_said_in_words(one, expected):
    assert plain(effect_phrase(one)) == expected


def with_effects(*effects):
    base = analysis()
    group = replace(base.groups[0], effects=effects)
    return group, replace(base, groups=(group, *base.groups[1:]))


def test_headline_begins_with_the_strongest_effect():
    clear, clearer = effect("light", superiority=0.2), effect("yaw", superiority=0.99)
    found = headline(*with_effects(clear, clearer))
    assert found.text.startswith("yaw higher")
    assert found.more[0].startswith("light lower")


def test_headline_leaves_out_weak_effects_beside_a_strong_one():
    weak = effect("noise", superiority=0.55, inside=(0.0, 0.6, 1.4), outside=(0.0, 0.7, 1.4))
    assert not any(one.startswith("noise") for one in headline(*with_effects(effect(), weak)).more)


def test_headline_ignores_effects_that_are_likely_by_chance():
    found = headline(*with_effects(effect(q_value=0.051)))
    assert plain(found.text) == "open taken for closed: 83 % of members, 0 % of other failures"


def test_headline_names_the_classes_beside_the_parameters_where_that_tells_something():
    assert headline(*with_effects(effect())).more[-1].startswith("open taken for closed")
    group, whole = with_effects(effect())
    alike = replace(whole, expected=("open",) * 25, predicted=("closed",) * 25)
    assert headline(group, alike).more == ()


def with_pairs(*pairs):
    group, whole = with_effects()
    right, said = zip(*(pair[:2] for pair in pairs for _ in range(pair[2])), strict=True)
    others = len(whole.images) - len(right)
    group = replace(group, pairs=pairs, members=tuple(range(len(right))))
    expected, predicted = (*right, *("x",) * others), (*said, *("y",) * others)
    return group, replace(whole, groups=(group,), expected=expected, predicted=predicted)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "b", 4), ("b", "c", 4), ("c", "a", 4)], "No class pair prevails; most often a taken for b: 33 % of"),
        ([("a", "z", 4), ("b", "z", 4), ("c", "a", 2)], "taken for z: 80 % of members, 0 % of other failures"),
        (
            [("a", "b", 4), ("a", "c", 4), ("a", "d", 4)],
            "a taken for other classes: all members, 0 % of",
        ),
        ([("x", "y", 3), ("x", "z", 2)], "x taken for y: 60 % of members, 100 % of other failures"),
    ],
)
def test_headline_names_the_class_that_the_mistakes_share(pairs, expected):
    assert plain(headline(*with_pairs(*pairs)).text).startswith(expected)


def test_headline_of_a_regression_without_parameters_compares_losses():
    one = regression()
    assert headline(one.groups[0], one).text == (
        "No parameters are known; median loss 1.69 against 3.25 in other failures"
    )


def test_parameter_in_which_nearly_all_failures_are_equal_is_weak():
    constant = Effect("glasses", 0.47, 1.0, 0.001, 0.01, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert strength(constant) < strength(effect(superiority=0.7, inside=(0.0, 1.0, 1.4)))


@pytest.mark.parametrize(("agreement", "expected"), [(0.75, "nearly the same"), (0.74, "other clusters")])
def test_baseline_is_said_in_words(agreement, expected):
    base = analysis()
    parsed = page_of(replace(base, baselines=(replace(base.baselines[0], agreement=agreement),)))
    assert f"The raw pixels alone give {expected}" in parsed.text


def test_variance_reduction_no_better_than_chance_is_called_so():
    base = analysis()
    found = replace(base.variance_reduction, share=0.85)
    assert "That is no more than chance gives." in page_of(replace(base, variance_reduction=found)).text


def test_contact_sheet_shows_the_medoid_first_and_the_whole_spread():
    parsed = page_of(analysis((100, 3)))
    shown = [one["alt"] for one in parsed.all("img") if "\N{RIGHTWARDS ARROW}" in one["alt"]][:24]
    assert shown[0].startswith("000.png")
    assert shown[-1].startswith("099.png")
    assert "24 of the 100 members" in parsed.text


def test_many_clusters_show_fewer_members_each():
    assert "8 of the 9 members" in page_of(analysis((9,) * 40)).text


def test_means_of_large_clusters_are_of_some_members_and_say_so():
    pictures = FakePictures()
    parsed = page_of(analysis((MOST + 300, 3)), pictures)
    assert f"Means of {MOST} of the 800 members" in parsed.text
    assert len(pictures.asked) < MOST + 100


def test_relevance_of_another_size_is_brought_to_the_image():
    assert page_of(analysis(), FakePictures(side=3)).text == page_of(analysis(), FakePictures(side=6)).text


def test_map_of_many_failures_is_thinned_and_keeps_every_medoid():
    drawn = draw_map(analysis((3000, 7)))
    assert drawn.shown <= MOST_POINTS
    assert drawn.total == 3007
    names = [{dot.name for dot in layer.dots} for layer in drawn.layers]
    assert "0000.png"[1:] in names[0]
    assert "3000.png" in names[1]
    assert f"{drawn.shown:,} of 3,007 failures are drawn" in page_of(analysis((3000, 7))).text


def test_map_keeps_every_point_inside_its_frame():
    base = analysis()
    for places in (base.places, ((2.0, 2.0),) * 25, tuple((0.0, float(one)) for one in range(25))):
        drawn = draw_map(replace(base, places=places))
        dots = np.array([(dot.x, dot.y) for layer in drawn.layers for dot in layer.dots])
        assert (dots > 0).all()
        assert (dots < (drawn.width, drawn.height)).all()


def test_numbers_on_the_map_do_not_cover_each_other():
    crowded = analysis((3,) * 12, places=((0.0, 0.0),) * 34 + ((1.0, 1.0), (-1.0, -1.0)))
    labels = draw_map(crowded).labels
    apart = [max(abs(a.x - b.x), abs(a.y - b.y)) for a in labels for b in labels if a.number < b.number]
    assert min(apart) >= 11


def test_clusters_differ_in_colour_or_shape():
    assert len({mark(one) for one in range(1, 37)}) == 36


def test_page_is_the_same_each_time(html):
    assert render_hudd(analysis(), FakePictures()) == html
