"""What the package declares is what it uses."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Import name by distribution name, where they differ.
IMPORT_NAMES = {"scikit-learn": "sklearn", "ml-dtypes": "ml_dtypes", "pillow": "PIL", "umap-learn": "umap"}
OPTIONAL = {"tensorflow", "jax", "torch", "umap", "pyarrow", "xlsxwriter", "dask", "distributed"}


def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def declared(text: str) -> set[str]:
    names = (re.split(r"[\s<>=!\[;]", line.strip(), maxsplit=1)[0] for line in text.splitlines() if line.strip())
    return {IMPORT_NAMES.get(name, name) for name in names}


def imported(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).split(".")[0])
    return found - set(sys.stdlib_module_names) - {"deepdebug"}


def test_everything_imported_is_declared_and_everything_declared_is_imported():
    requirements = declared(setup()["options"]["install_requires"])
    # pydantic brings pydantic_core, whose JSON writer is used by itself.
    assert imported(ROOT / "deepdebug") - OPTIONAL - {"pydantic_core"} == requirements


@pytest.mark.parametrize(
    "extra", ["tensorflow", "jax", "torch", "tensorboard", "features", "export", "distributed", "test"]
)
def test_extra_is_declared(extra):
    assert setup()["options.extras_require"][extra].strip()


def test_tools_of_the_tests_are_declared():
    extras = setup()["options.extras_require"]
    allowed = declared(extras["test"]) | declared(setup()["options"]["install_requires"]) | OPTIONAL
    used = imported(ROOT / "tests") | imported(ROOT / "benchmarks")
    assert used - allowed - {"tests", "benchmarks", "pydantic_core"} == set()


def test_version_is_the_one_of_the_package():
    from deepdebug import __version__
    from deepdebug.version import __version__ as source

    assert __version__ == source
    assert setup()["metadata"]["version"] == "attr: deepdebug.version.__version__"
