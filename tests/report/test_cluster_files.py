import numpy as np
import pytest
from PIL import Image

from deepdebug.errors import UsageError
from deepdebug.report.cluster_files import (
    LIST,
    MAX_FRAMES,
    remove_cluster_files,
    write_animation,
    write_animations,
    write_cluster_files,
)


def write_all(out, members, names, files):
    write_cluster_files(out, members, names, files, picture)
    write_animations(out, members, picture)


def picture(number):
    return np.full((8, 8, 3), number % 256, "uint8")


@pytest.fixture
def files(tmp_path):
    found = []
    for number in range(4):
        path = tmp_path / "set" / "ab"[number % 2] / "same name.PNG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path = path.with_name(f"{number}.PNG")
        Image.fromarray(picture(number)).save(path, format="PNG")
        found.append(path)
    return found


NAMES = ["a/../x.png", "b/x.png", "a/x.png", "ü 1.png"]


def test_members_are_copied_and_none_leaves_its_folder(tmp_path, files):
    out = tmp_path / "out"
    write_all(out, {1: [2, 0, 1], 2: [3]}, NAMES, files)
    assert sorted(one.name for one in out.iterdir()) == [LIST, "1", "2", "Cluster1_3.gif", "Cluster2_1.gif"]
    assert len(list((out / "1").iterdir())) == 3
    assert (out / "2" / "ü_1.png").read_bytes() == files[3].read_bytes()


def test_rows_of_an_array_become_pictures(tmp_path):
    write_cluster_files(tmp_path, {1: [0, 1]}, ["000000", "000001"], [None, None], picture)
    with Image.open(tmp_path / "1" / "000001.png") as image:
        np.testing.assert_array_equal(np.asarray(image), picture(1))


def test_clusters_of_an_earlier_run_are_replaced_and_other_files_stay(tmp_path, files):
    write_all(tmp_path / "out", {1: [0], 2: [1], 3: [2]}, NAMES, files)
    (tmp_path / "out" / "notes.txt").touch()
    write_all(tmp_path / "out", {1: [3]}, NAMES, files)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [LIST, "1", "Cluster1_1.gif", "notes.txt"]


def test_folders_that_others_have_made_stay(tmp_path, files):
    for name in ("7/photo.png", "1/mine.png", "Cluster1_9.gif"):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).touch()
    for members in ({1: [0], 2: [1]}, {1: [1]}):
        write_all(tmp_path / "out", members, NAMES, files)
    found = sorted(one.name for one in (tmp_path / "out").iterdir())
    assert found == [LIST, "1", "7", "Cluster1_1.gif", "Cluster1_9.gif"]
    assert (tmp_path / "out" / "1" / "mine.png").exists()


def test_list_that_names_files_elsewhere_removes_none(tmp_path, files):
    (tmp_path / "keep.png").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LIST).write_text('["../keep.png", "/etc/hosts", 3]')
    write_all(tmp_path / "out", {1: [0]}, NAMES, files)
    assert (tmp_path / "keep.png").exists()


def test_check_29_animation_shows_every_image_for_0_6_seconds(tmp_path):
    path = write_animation(tmp_path / "a.gif", [picture(number) for number in (10, 90, 200)])
    with Image.open(path) as animation:
        assert animation.n_frames == 3
        durations = []
        for frame in range(3):
            animation.seek(frame)
            durations.append(animation.info["duration"])
            shown = np.asarray(animation.convert("RGB"))
            assert np.abs(shown.astype(int) - (10, 90, 200)[frame]).max() <= 4
        assert durations == [600, 600, 600]
        assert animation.info["loop"] == 0


def test_animation_is_capped_and_cluster_is_not(tmp_path):
    count = MAX_FRAMES + 5
    write_all(tmp_path, {1: range(count)}, [f"{one}" for one in range(count)], [None] * count)
    assert len(list((tmp_path / "1").iterdir())) == count
    with Image.open(tmp_path / f"Cluster1_{count}.gif") as animation:
        assert animation.n_frames == MAX_FRAMES


def test_animation_of_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no picture"):
        write_animation(tmp_path / "a.gif", [])


def test_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="The cluster cannot be written"):
        write_cluster_files(tmp_path / "file", {1: [0]}, ["a"], [None], picture)


def test_linked_files_take_no_room_of_their_own_and_outlive_the_first(tmp_path, files):
    written = write_cluster_files(tmp_path / "a", {1: [0, 1]}, NAMES, files, picture)
    write_cluster_files(tmp_path / "b", {1: [1], 2: [0]}, NAMES, written, picture, link=True)
    linked = next((tmp_path / "b" / "2").iterdir())
    assert linked.samefile(written[0])
    assert not written[0].samefile(files[0])
    remove_cluster_files(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert linked.read_bytes() == files[0].read_bytes()
