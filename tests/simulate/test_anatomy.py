import numpy as np
import pytest

from deepdebug.simulate import landmarks, nominal, render
from deepdebug.simulate.anatomy import NAMES

POSES = [
    {},
    {"head_yaw": 25.0},
    {"head_yaw": -25.0, "head_pitch": 10.0},
    {"head_pitch": -20.0, "head_roll": 15.0},
    {"head_roll": -25.0},
    {"head_yaw": 20.0, "head_pitch": 20.0, "head_roll": 20.0},
]
CLEAR = {"noise_sigma": 0.0, "blur_sigma": 0.0, "gaze_mag": 0.0}
MIDDLE = np.arange(256) / 4 + 0.125


def points(parameters, *names):
    return landmarks(parameters)[0, [NAMES.index(name) for name in names]]


def weighted_middle(weight):
    total = weight.sum()
    return np.array([weight.sum(axis=0) @ MIDDLE, weight.sum(axis=1) @ MIDDLE]) / total


def near(place, radius):
    y, x = np.meshgrid(MIDDLE, MIDDLE, indexing="ij")
    return np.hypot(x - place[0], y - place[1]) < radius


def picture(**values):
    return render("face", nominal(1, **CLEAR, **values), size=256)[0, ..., 0]


@pytest.mark.parametrize("pose", POSES)
def test_iris_is_drawn_between_the_corners_of_the_eye(pose):
    changed = np.abs(picture(iris_tone=0.1, openness=1.0, **pose) - picture(iris_tone=0.6, openness=1.0, **pose))
    for side in ("left", "right"):
        corners = points(nominal(1, **pose), f"{side}_eye_outer", f"{side}_eye_inner")
        drawn = weighted_middle(changed * near(corners.mean(axis=0), 5.0))
        assert np.hypot(*(drawn - corners.mean(axis=0))) < 1.2


@pytest.mark.parametrize("pose", POSES)
def test_lids_are_drawn_at_their_landmarks(pose):
    opened, closed = picture(openness=1.0, **pose), picture(openness=0.0, **pose)
    for side in ("left", "right"):
        upper, lower = points(nominal(1, openness=1.0, **pose), f"{side}_eye_upper", f"{side}_eye_lower")
        changed = np.abs(opened - closed)
        shares = np.arange(-0.6, 1.7, 0.1)  # of the way from the upper to the lower landmark, and beyond
        along = np.array([changed[near(upper + share * (lower - upper), 0.5)].mean() for share in shares])
        assert abs(shares[np.argmax(along[:10])]) < 0.11
        assert along[(shares > 0) & (shares < 1)].min() > 0.03
        assert along[shares > 1.45].max() < 0.03


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("names", [("mouth_upper", "mouth_lower"), ("left_brow_outer_mid",), ("right_brow_inner_mid",)])
def test_mouth_and_brow_are_dark_at_their_landmarks(pose, names):
    drawn = picture(openness=1.0, **pose)
    place = points(nominal(1, **pose), *names).mean(axis=0)
    darkness = np.clip(drawn[near(place, 4.0)].max() - drawn, 0, None) * near(place, 2.2)
    assert drawn[near(place, 0.8)].mean() < 0.75 * drawn[near(place, 4.0)].max()
    assert np.hypot(*(weighted_middle(darkness**3) - place)) < 1.0


@pytest.mark.parametrize(
    ("pose", "axis", "sign"),
    [({"head_yaw": 30.0}, 0, 1), ({"head_yaw": -30.0}, 0, -1), ({"head_pitch": 20.0}, 1, -1)],
)
def test_nose_turns_with_the_head(pose, axis, sign):
    moved = points(nominal(1, **pose), "nose_tip") - points(nominal(1), "nose_tip")
    assert sign * moved[0, axis] > 4
    assert abs(moved[0, 1 - axis]) < 1


def test_roll_turns_the_landmarks_about_the_middle_of_the_head():
    straight, turned = landmarks(nominal(1))[0], landmarks(nominal(1, head_roll=25.0))[0]
    angle = np.deg2rad(25.0)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([32.0, 31.0])
    np.testing.assert_allclose(turned - centre, (straight - centre) @ rotation.T, atol=1e-4)


def test_mirrored_head_has_mirrored_landmarks():
    one, other = landmarks(nominal(2, head_yaw=[35.0, -35.0]))
    swapped = [name.replace("left", "?").replace("right", "left").replace("?", "right") for name in NAMES]
    mirrored = other[[NAMES.index(name) for name in swapped]] * [-1, 1] + [64, 0]
    np.testing.assert_allclose(one, mirrored, atol=1e-4)


def test_there_are_27_landmarks_inside_the_picture_in_every_pose():
    yaw, pitch, roll = (one.ravel() for one in np.meshgrid([-60, 0, 60], [-40, 0, 40], [-25, 0, 25]))
    found = landmarks(nominal(27, head_yaw=yaw, head_pitch=pitch, head_roll=roll))
    assert found.shape == (27, 27, 2)
    assert len(set(NAMES)) == 27
    assert 0 < found.min() <= found.max() < 64


def test_landmarks_scale_with_the_picture():
    np.testing.assert_allclose(landmarks(nominal(1), size=128), 2 * landmarks(nominal(1)))
