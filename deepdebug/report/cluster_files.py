"""Clusters as folders of images, with an animation each.

FOLDER/1/<images>        the members of cluster 1; copies of the files, or pictures of rows of an array
FOLDER/Cluster1_37.gif   they one after the other, the most typical one first
"""

from __future__ import annotations

import json
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
LIST = ".clusters.json"  # names of the files of a run, so that the next one removes no other


def write_cluster_files(
    folder: Path,
    members: Mapping[int, Sequence[int]],
    names: Sequence[str],
    files: Sequence[Path | None],
    picture: Callable[[int], Picture],
) -> None:
    """Write the folders and animations; what an earlier run has written there is replaced, and nothing else.

    Args:
        folder: Where they go.
        members: Numbers of the images of every cluster, the most typical one first, by the number of the cluster.
        names: What every image is called.
        files: The file of every image, or `None` for one that is a row of an array.
        picture: Returns an image, of shape (height, width, 3), by its number.

    Raises:
        UsageError: When something cannot be written.
    """
    animations = [f"Cluster{cluster}_{len(images)}.gif" for cluster, images in members.items()]
    plans = {cluster: _file_names(images, names, files) for cluster, images in members.items()}
    own = [f"{cluster}/{name}" for cluster, found in plans.items() for name in found]
    try:
        _clear(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LIST).write_text(json.dumps([*own, *animations]), encoding="utf-8")
        for cluster, images in members.items():
            (folder / str(cluster)).mkdir(exist_ok=True)
            for image, name in zip(images, plans[cluster], strict=True):
                _write_image(folder / str(cluster) / name, files[image], image, picture)
    except OSError as error:
        raise unwritable(folder, "cluster", error) from error
    for name, images in zip(animations, members.values(), strict=True):
        write_animation(folder / name, [picture(one) for one in images[:MAX_FRAMES]])


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
    """Remove the files that the list of an earlier run names, if they lie in the folder, and folders left empty."""
    if not (folder / LIST).is_file():
        return
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except ValueError:
        return
    for name in listed if isinstance(listed, list) else []:
        path = folder / str(name)
        if path.parent.resolve() in (folder.resolve(), folder.resolve() / path.parent.name):
            path.unlink(missing_ok=True)
            if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()


def _file_names(images: Sequence[int], names: Sequence[str], files: Sequence[Path | None]) -> list[str]:
    stems = file_names([Path(names[one]).with_suffix("").as_posix() for one in images])
    endings = [SUFFIX if (file := files[one]) is None else file.suffix.lower() for one in images]
    return [f"{stem}{ending}" for stem, ending in zip(stems, endings, strict=True)]


def _write_image(target: Path, file: Path | None, image: int, picture: Callable[[int], Picture]) -> None:
    if file is None:
        to_image(picture(image)).save(target)
    else:
        shutil.copyfile(file, target)
