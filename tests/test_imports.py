"""Imports go down the floors, and the light parts stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skbst

PACKAGE = Path(skbst.__file__).parent

FLOORS = {
    "_folds": 0,
    "_docstrings": 0,
    "_block_names": 0,
    "_files": 0,
    "_groups": 0,
    "_optional": 0,
    "_paths": 0,
    "_proba": 0,
    "_progress": 0,
    "_sklearn": 0,
    "_tables": 0,
    "_torch": 0,
    "_version": 0,
    "_vectors": 0,
    "_versioned": 0,
    "exceptions": 0,
    "taxonomy": 1,
    "metrics": 1,
    "audio": 2,
    "text": 2,
    "datasets": 2,
    "submission": 2,
    "features": 3,
    "nn": 4,
    "neighbors": 4,
    "neural": 5,
    "ensemble": 6,
    "sampling": 6,
    "model_selection": 7,
    "conformal": 7,
    "curation": 7,
    "systems": 8,
    "persistence": 8,
    "library": 8,
    "plotting": 9,
    "cli": 10,
    "__main__": 10,
}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("skbst"):
            yield node.module
            if node.module == "skbst":
                yield from (f"skbst.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("skbst"))


def test_every_part_has_a_floor():
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__", "__pycache__"} <= set(FLOORS)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return
    for module in imports_of(path):
        names = module.split(".")
        if len(names) == 1 or names[1] == parts[0]:
            continue
        assert FLOORS[names[1]] <= FLOORS[parts[0]], f"{'/'.join(parts)} imports {module} from a higher floor"


@pytest.mark.parametrize(
    "module", ["skbst", "skbst.metrics", "skbst.datasets", "skbst.submission", "skbst.text", "skbst.features"]
)
def test_no_torch_before_it_is_needed(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'torchaudio', 'transformers', 'laion_clap', 'matplotlib') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def private_imports_of(path):
    """Private files of other rooms that a file imports; the small doors of floor 0 are everybody's."""
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for module in imports_of(path):
        names = module.split(".")
        if len(names) > 2 and names[1] != room and any(name.startswith("_") for name in names[2:]):
            yield f"{path.relative_to(PACKAGE).as_posix()} imports {module}"


def test_no_room_reaches_into_anothers_private_files():
    found = sorted(line for path in PACKAGE.rglob("*.py") for line in private_imports_of(path))
    assert found == []
