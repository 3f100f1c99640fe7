"""Clusters as folders of images, with an animation each.

FOLDER/1/<images>        the members of cluster 1; copies of the files, or pictures of rows of an array
FOLDER/Cluster1_37.gif   they one after the other, the most typical one first
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepdebug.errors import UsageError
from deepdebug.files import file_names, unwritable, write_file
from deepdebug.report.overlay import Picture, enlarged, to_image

if TYPE_CHECKING:
    from PIL import Image

MILLISECONDS = 600  # per image: 100 images a minute, as in HUDD (ICSE 2022)
MAX_FRAMES = 100
SUFFIX = ".png"


def write_cluster_files(
    folder: Path,
    members: Mapping[int, Sequence[int]],
    names: Sequence[str],
    files: Sequence[Path | None],
    picture: Callable[[int], Picture],
) -> None:
    """Write the folders and animations; what an earlier run left in the folders of clusters is replaced.

    Args:
        folder: Where they go.
        members: Numbers of the images of every cluster, the most typical one first, by the number of the cluster.
        names: What every image is called.
        files: The file of every image, or `None` for one that is a row of an array.
        picture: Returns an image, of shape (height, width, 3), by its number.

    Raises:
        UsageError: When something cannot be written.
    """
    try:
        _clear(folder)
        for cluster, images in members.items():
            _write_members(folder / str(cluster), images, names, files, picture)
    except OSError as error:
        raise unwritable(folder, "cluster", error) from error
    for cluster, images in members.items():
        write_animation(folder / f"Cluster{cluster}_{len(images)}.gif", [picture(one) for one in images[:MAX_FRAMES]])


def write_animation(target: Path, pictures: Sequence[Picture]) -> Path:
    """Write pictures as an animation without end, 0.6 s each.

    Args:
        target: The `.gif` file.
        pictures: One or more, of shape (height, width, 3).

    Raises:
        UsageError: When there is none, or it cannot be written.
    """
    if not pictures:
        raise UsageError(f"There is no picture for {str(target)!r}.")
    frames = [to_image(enlarged(one)) for one in pictures]
    return write_file(target, lambda path: _save(frames, path), "animation")


def _save(frames: Sequence[Image.Image], path: Path) -> None:
    first, *others = frames
    first.save(path, format="GIF", save_all=True, append_images=others, duration=MILLISECONDS, loop=0)


def _clear(folder: Path) -> None:
    """Remove the clusters of an earlier run, and nothing else."""
    if not folder.is_dir():
        return
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink() and one.name.isdecimal():
            shutil.rmtree(one)
        elif one.name.startswith("Cluster") and one.suffix == ".gif":
            one.unlink()


def _write_members(
    folder: Path,
    images: Sequence[int],
    names: Sequence[str],
    files: Sequence[Path | None],
    picture: Callable[[int], Picture],
) -> None:
    folder.mkdir(parents=True)
    stems = file_names([Path(names[one]).with_suffix("").as_posix() for one in images])
    for image, stem in zip(images, stems, strict=True):
        file = files[image]
        if file is None:
            to_image(picture(image)).save(folder / f"{stem}{SUFFIX}")
        else:
            shutil.copyfile(file, folder / f"{stem}{file.suffix.lower()}")
