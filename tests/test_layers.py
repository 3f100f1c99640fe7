"""Imports go down only, and looking at a recorded run loads no Keras."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "deepdebug"
# Level of every module, by the longest fitting start of its name. A module may import from its own level and below.
LEVELS = {
    "deepdebug.version": 0,
    "deepdebug.errors": 0,
    "deepdebug.records": 0,
    "deepdebug.facts": 0,
    "deepdebug.observation": 0,
    "deepdebug.pace": 0,
    "deepdebug.strict_json": 0,
    "deepdebug.files": 0,
    "deepdebug.array_file": 0,
    "deepdebug.row_file": 0,
    "deepdebug.case": 1,
    "deepdebug.hudd": 1,
    "deepdebug.hudd.explaining": 2,
    "deepdebug.hudd.heatmap_layers": 2,
    "deepdebug.hudd.opening": 2,
    "deepdebug.hudd.viewing": 2,
    "deepdebug.hudd.page": 4,
    "deepdebug.hudd.cluster_folders": 4,
    "deepdebug.hudd.requests": 3,
    "deepdebug.hudd.steps": 4,
    "deepdebug.hudd.arrays": 4,
    "deepdebug.retraining": 1,
    "deepdebug.retraining.improvement": 1,
    "deepdebug.retraining.jobs": 2,
    "deepdebug.retraining.looking": 2,
    "deepdebug.retraining.filling": 4,
    "deepdebug.retraining.grouped": 4,
    "deepdebug.retraining.records": 3,
    "deepdebug.retraining.arrays": 4,
    "deepdebug.retraining.choosing": 4,
    "deepdebug.retraining.reporting": 4,
    "deepdebug.retraining.running": 4,
    "deepdebug.retraining.seeing": 4,
    "deepdebug.retraining.steps": 4,
    "deepdebug.retraining.summarising": 4,
    "deepdebug.retraining.summary": 3,
    "deepdebug.retraining.training": 4,
    "deepdebug.retraining.two_models": 4,
    "deepdebug.retraining.workflow": 4,
    "deepdebug.simulate": 1,
    "deepdebug.simulate.build": 2,
    "deepdebug.simulate.training": 2,
    "deepdebug.observe": 1,
    "deepdebug.detectors": 1,
    "deepdebug.diagnosis": 1,
    "deepdebug.deepdiagnosis": 1,
    "deepdebug.lrp": 2,
    "deepdebug.model": 2,
    "deepdebug.report": 3,
    "deepdebug.config": 3,
    "deepdebug": 4,
}
# Beside the standard library and numpy; None stands for anything.
LIBRARIES: dict[int, tuple[str, ...] | None] = {
    0: ("pydantic_core",),
    1: ("scipy", "PIL"),
    2: ("scipy", "keras"),
    3: ("jinja2", "markupsafe", "matplotlib", "rich", "pydantic", "PIL"),
    4: None,
}
# Of the fourth level, these judge without a model.
WITHOUT_KERAS = (
    "deepdebug.observe", "deepdebug.detectors", "deepdebug.diagnosis", "deepdebug.deepdiagnosis", "deepdebug.report",
    "deepdebug.config", "deepdebug.recording", "deepdebug.recording_reader", "deepdebug.judging", "deepdebug.presets",
    "deepdebug.cli", "deepdebug.case", "deepdebug.hudd.clusters",
)  # fmt: skip
BACKENDS = ("tensorflow", "jax", "torch")


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imports(name: str, anywhere: bool = True) -> set[str]:
    """Return the modules that a module imports, without what stands under `if TYPE_CHECKING`.

    Args:
        name: Name of the module.
        anywhere: Whether imports inside functions count too.
    """
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef) and not anywhere:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; the level of the other module cannot be seen"
            found |= {_module_or_parent(f"{node.module}.{alias.name}") for alias in node.names}
        waiting.extend(ast.iter_child_nodes(node))
    return found


def _module_or_parent(name: str) -> str:
    return name if name in MODULES or not name.startswith("deepdebug.") else name.rpartition(".")[0]


def level(name: str) -> int:
    start = max((start for start in LEVELS if name == start or name.startswith(f"{start}.")), key=len)
    return LEVELS[start]


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name):
    above = {one for one in imports(name) if is_in(one, ("deepdebug",)) and level(one) > level(name)}
    # The package itself may be asked for its public names, which it gets only when asked.
    assert above - {"deepdebug"} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if LIBRARIES[level(name)] is not None])
def test_libraries_are_those_of_the_level(name):
    allowed = LIBRARIES[level(name)]
    if name.startswith("deepdebug.hudd."):
        allowed = (*allowed, "sklearn", "kneed", "umap", "threadpoolctl", "pydantic", "pyarrow", "xlsxwriter")
    if name == "deepdebug.retraining.jobs":
        allowed = (*allowed, "dask", "distributed")
    if name.startswith("deepdebug.model.backend."):
        allowed = (*allowed, name.rpartition(".")[2])
    others = {one.partition(".")[0] for one in imports(name)} - {"deepdebug", "numpy"} - set(sys.stdlib_module_names)
    assert others <= set(allowed)


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend_is_imported_in_its_own_module_only(backend):
    users = {name for name in MODULES if any(is_in(one, (backend,)) for one in imports(name))}
    assert users <= {f"deepdebug.model.backend.{backend}"}


def test_private_keras_is_imported_in_one_module_only():
    users = {name for name in MODULES if any(is_in(one, ("keras.src",)) for one in imports(name))}
    assert users == {"deepdebug.model.private"}


def test_every_module_has_a_level_of_its_own_choosing():
    top = {name for name in MODULES if level(name) == 4}
    known = (
        "callback", "watch", "presets", "judging", "recording", "recording_reader", "cli", "demo", "__main__",
        "hudd.arrays", "hudd.cluster_folders", "hudd.page", "hudd.steps", "retraining.arrays",
        "retraining.choosing", "retraining.filling", "retraining.grouped", "retraining.running", "retraining.seeing",
        "retraining.steps", "retraining.reporting", "retraining.summarising", "retraining.training",
        "retraining.two_models", "retraining.workflow",
    )  # fmt: skip
    assert {name for name in top if not is_in(name, tuple(f"deepdebug.{one}" for one in known))} == {"deepdebug"}


def loaded_by(statement: str, *packages: str) -> set[str]:
    """Run `statement` in a new Python and return which of the packages it loaded."""
    script = f"{statement}\nimport sys\nprint(*[name for name in {packages!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stdout.split())


def test_judging_a_recorded_run_loads_no_keras():
    names = [name for name in MODULES if is_in(name, WITHOUT_KERAS) and not name.endswith("__main__")]
    assert loaded_by("import deepdebug, " + ", ".join(names), "keras", *BACKENDS) == set()


@pytest.mark.parametrize("name", [name for name in MODULES if is_in(name, WITHOUT_KERAS)])
def test_no_module_that_judges_imports_keras(name):
    assert not {one for one in imports(name, anywhere=False) if is_in(one, ("keras", *BACKENDS))}


@pytest.mark.slow
def test_callback_loads_one_of_our_backend_modules_only():
    ours = [f"deepdebug.model.backend.{backend}" for backend in BACKENDS]
    statement = "from deepdebug.callback import Diagnose\nfrom deepdebug.model import backend\nbackend.current()"
    chosen = os.environ.get("KERAS_BACKEND", "tensorflow")
    assert loaded_by(statement, *ours) == {f"deepdebug.model.backend.{chosen}"}
