"""Clusters as folders of images, with an animation each.

FOLDER/1/<images>        the members of cluster 1; copies of the files, or pictures of rows of an array
FOLDER/Cluster1_37.gif   they one after the other, the most typical one first
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepdebug.errors import UsageError
from deepdebug.files import file_names, unwritable, write_file, write_text
from deepdebug.report.overlay import Picture, enlarged, to_image

if TYPE_CHECKING:
    from PIL import Image

MILLISECONDS = 600  # per image: 100 images a minute, as in HUDD (ICSE 2022)
MAX_FRAMES = 100
SUFFIX = ".png"
LIST = ".clusters.json"  # names of the files of a run, so that the next one removes no other

Members = Mapping[int, Sequence[int]]
Show = Callable[[int], Picture]


def write_cluster_files(
    folder: Path,
    members: Members,
    names: Sequence[str],
    files: Sequence[Path | None],
    picture: Show,
    *,
    link: bool = False,
) -> list[Path | None]:
    """Write a folder of images per cluster; what an earlier run has written there is replaced, and nothing else.

    Args:
        folder: Where they go.
        members: Numbers of the images of every cluster, by the number of the cluster.
        names: What every image is called.
        files: The file of every image, or `None` for one that is a row of an array.
        picture: Returns an image, of shape (height, width, 3), by its number.
        link: Whether the files are linked and take no room of their own, for files that are ours; where the system has
            no links they are copied. Defaults to `False`.

    Returns:
        For every image the file that was written, `None` for one in no cluster.

    Raises:
        UsageError: When something cannot be written.
    """
    plans = {cluster: _file_names(images, names, files) for cluster, images in members.items()}
    written: list[Path | None] = [None] * len(names)
    try:
        remove_cluster_files(folder)
        _note(folder, [f"{cluster}/{name}" for cluster, found in plans.items() for name in found])
        for cluster, images in members.items():
            (folder / str(cluster)).mkdir(exist_ok=True)
            for image, name in zip(images, plans[cluster], strict=True):
                target = folder / str(cluster) / name
                _write_image(target, files[image], functools.partial(picture, image), link)
                written[image] = target
    except OSError as error:
        raise unwritable(folder, "cluster", error) from error
    return written


def write_animations(folder: Path, members: Members, picture: Show) -> None:
    """Write an animation per cluster, of at most 100 images, into a folder of `write_cluster_files`.

    Args:
        folder: Where they go.
        members: Numbers of the images of every cluster, the most typical one first, by the number of the cluster.
        picture: Returns an image, of shape (height, width, 3), by its number.

    Raises:
        UsageError: When something cannot be written.
    """
    names = {cluster: f"Cluster{cluster}_{len(images)}.gif" for cluster, images in members.items()}
    try:
        _note(folder, names.values())
    except OSError as error:
        raise unwritable(folder, "animation", error) from error
    for cluster, images in members.items():
        write_animation(folder / names[cluster], [picture(one) for one in images[:MAX_FRAMES]])


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


def remove_cluster_files(folder: Path) -> None:
    """Remove the files that earlier runs have written into a folder, and folders left empty.

    Args:
        folder: One of `write_cluster_files`; in any other nothing is removed.
    """
    for name in _listed(folder):
        path = folder / name
        if path.parent.resolve() in (folder.resolve(), folder.resolve() / path.parent.name):
            path.unlink(missing_ok=True)
            _remove_empty(path.parent)
    (folder / LIST).unlink(missing_ok=True)
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not empty, or not there
        folder.rmdir()


def _listed(folder: Path) -> list[str]:
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _note(folder: Path, names: Iterable[str]) -> None:
    """Note which files are to come, beside those of before."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / LIST, json.dumps([*_listed(folder), *names]), "list of images")


def _save(frames: Sequence[Image.Image], path: Path) -> None:
    first, *others = frames
    first.save(path, format="GIF", save_all=True, append_images=others, duration=MILLISECONDS, loop=0)


def _file_names(images: Sequence[int], names: Sequence[str], files: Sequence[Path | None]) -> list[str]:
    stems = file_names([os.path.splitext(names[one])[0] for one in images])
    endings = [SUFFIX if (file := files[one]) is None else file.suffix.lower() for one in images]
    return [f"{stem}{ending}" for stem, ending in zip(stems, endings, strict=True)]


def _write_image(target: Path, file: Path | None, picture: Callable[[], Picture], link: bool) -> None:
    if file is None:
        to_image(picture()).save(target)
        return
    if link:
        with contextlib.suppress(OSError):
            os.link(file, target)
            return
    shutil.copyfile(file, target)
