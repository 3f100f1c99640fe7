"""A case whose improvement set has no labels, and a person who fills them in."""

import csv

from deepdebug.case.folder import IMPROVEMENT


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_labels(case):
    """Lay the images of the improvement set out flat, without any labels."""
    folder = case / "DataSets" / IMPROVEMENT
    for path in sorted(folder.glob("*/*.png")):
        path.rename(folder / f"{path.parent.name[0]}{path.name}")
    for path in (folder / "dark", folder / "light"):
        path.rmdir()
    (folder / "parameters.csv").unlink()


def fill(out, label=lambda name: "dark" if name.startswith("d") else "light"):
    path = out / "UnsafeSet" / "to_label.csv"
    rows = table(path)
    for row in rows:
        row["label"] = label(row["image"])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path
