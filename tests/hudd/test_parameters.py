import numpy as np
import pytest
from scipy.stats import circvar, mannwhitneyu

from deepdebug.errors import UsageError
from deepdebug.hudd.parameters import effects, variance_reduction

LABELS = np.repeat([0, 1, -1], [40, 30, 30])


def columns(seed=0):
    random = np.random.default_rng(seed)
    light = random.uniform(0.2, 1.2, 100)
    light[:40] = random.uniform(0.2, 0.35, 40)
    yaw = random.uniform(-20, 20, 100)
    yaw[40:70] = random.choice([-1, 1], 30) * random.uniform(50, 60, 30)
    angle = random.uniform(0, 360, 100)
    angle[40:70] = random.uniform(-20, 20, 30) % 360
    return {"light": light, "yaw": yaw, "angle": angle, "noise": random.normal(size=100), "same": np.ones(100)}


def by_name(found):
    return [{one.name: one for one in cluster} for cluster in found]


def test_planted_differences_are_found_and_noise_is_not():
    dark, turned = by_name(effects(LABELS, columns(), angles=("angle",)))
    assert dark["light"].q_value < 0.01
    assert turned["yaw"].q_value < 0.01  # both sides: the place is the same, the spread is not
    assert turned["angle"].q_value < 0.01
    assert min(dark["noise"].q_value, turned["noise"].q_value) > 0.05


def test_effects_come_with_the_least_likely_first_and_without_constants():
    found = effects(LABELS, columns(), angles=("angle",))
    for cluster in found:
        p_values = [one.p_value for one in cluster]
        assert p_values == sorted(p_values)
        assert "same" not in {one.name for one in cluster}
    assert found[0][0].name == "light"


def test_superiority_is_that_of_mann_and_whitney():
    values = columns()
    dark = by_name(effects(LABELS, values))[0]
    u = mannwhitneyu(values["light"][:40], values["light"][40:]).statistic
    assert dark["light"].superiority == pytest.approx(u / (40 * 60))


def test_quantiles_are_those_of_members_and_others():
    values = columns()
    dark = by_name(effects(LABELS, values))[0]["light"]
    np.testing.assert_allclose(dark.inside, np.quantile(values["light"][:40], (0.05, 0.5, 0.95)))
    np.testing.assert_allclose(dark.outside, np.quantile(values["light"][40:], (0.05, 0.5, 0.95)))


def test_quantiles_of_angles_lead_through_zero():
    turned = by_name(effects(LABELS, columns(), angles=("angle",)))[1]["angle"]
    low, middle, high = turned.inside
    assert 335 < low < 345
    assert min(middle, 360 - middle) < 8
    assert 15 < high < 25
    assert turned.superiority is None


def test_check_27_reduction_is_one_minus_the_ratio_of_variances():
    values = columns()
    found = by_name(effects(LABELS, values, angles=("angle",)))
    expected = 1 - values["light"][:40].var(ddof=1) / values["light"].var(ddof=1)
    assert found[0]["light"].reduction == pytest.approx(expected)
    turned = np.radians(values["angle"])
    assert found[1]["angle"].reduction == pytest.approx(1 - circvar(turned[40:70]) / circvar(turned))


def test_check_27_constant_parameter_and_whole_set_reduce_nothing():
    whole = np.zeros(100, int)
    assert variance_reduction(whole, {"light": columns()["light"], "same": np.ones(100)}).share == 0.0
    assert effects(whole, {"light": columns()["light"]})[0] == ()  # there are no others to differ from


def test_check_27_random_clusters_pass_the_published_test_by_chance_and_not_ours():
    random = np.random.default_rng(3)
    labels = random.integers(0, 20, 200)
    found = variance_reduction(labels, {f"p{one}": random.normal(size=200) for one in range(13)})
    assert found.share > 0.6
    assert found.share == pytest.approx(found.by_chance, abs=0.2)
    assert found.significant <= 0.1


def test_planted_fall_of_variance_is_significant():
    found = variance_reduction(LABELS, columns(), angles=("angle",))
    assert found.share == 1.0
    assert found.significant == 1.0
    assert found.by_chance < 0.1


def test_missing_values_are_left_out():
    values = columns()["light"]
    values[[0, 50]] = np.nan
    found = by_name(effects(LABELS, {"light": values}))[0]["light"]
    expected = 1 - np.nanvar(values[:40], ddof=1) / np.nanvar(values, ddof=1)
    assert found.reduction == pytest.approx(expected)
    unknown = np.where(LABELS == 1, np.nan, values)
    assert by_name(effects(LABELS, {"light": unknown}))[1] == {}


def test_false_alarms_keep_the_rate():
    random = np.random.default_rng(5)
    found = [
        one.q_value
        for _ in range(10)
        for cluster in effects(random.integers(0, 4, 60), {f"p{one}": random.normal(size=60) for one in range(5)})
        for one in cluster
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.03


def test_same_seed_gives_the_same_numbers():
    assert effects(LABELS, columns(), seed=1) == effects(LABELS, columns(), seed=1)


def test_column_of_another_length_is_told():
    with pytest.raises(UsageError, match="expected one number per image"):
        effects(LABELS, {"light": np.ones(3)})


def test_nothing_known_gives_no_effects_and_an_error_for_variances():
    assert effects(LABELS, {}) == ((), ())
    with pytest.raises(UsageError, match="no variance can fall"):
        variance_reduction(LABELS, {"same": np.ones(100)})


def test_parameter_of_two_values_comes_with_their_shares():
    glasses = np.concatenate([np.ones(30), np.zeros(70)])
    dark = by_name(effects(LABELS, {"glasses": glasses}))[0]["glasses"]
    assert dark.shares == (30 / 40, 0.0)
    assert by_name(effects(LABELS, columns()))[0]["light"].shares is None


def test_cluster_of_one_image_has_no_effects():
    labels = np.where(np.arange(100) == 0, 1, 0)
    assert effects(labels, {"light": columns()["light"]})[1] == ()


def test_opposite_directions_are_told_from_any():
    random = np.random.default_rng(0)
    angles = np.concatenate([random.choice([0.0, 180.0], 60), random.uniform(0, 360, 60)])
    found = effects(np.repeat([0, 1], 60), {"angle": angles}, angles=("angle",))
    assert found[0][0].p_value < 0.01


@pytest.mark.parametrize("values", [np.where(np.arange(100) % 2, 0.0, 360.0), np.full(100, 1e200)])
def test_values_at_the_edge_give_no_warning(values):
    values = values.copy()
    values[3] *= 2 if values[3] > 1e100 else 1
    effects(LABELS, {"a": values}, angles=("a",) if values.max() == 360 else ())
