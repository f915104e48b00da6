"""Imports go down the floors, and the light parts stay light."""

import ast
import re
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


def documentation_of(tree):
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    return {id(node.body[0].value) for node in nodes if ast.get_docstring(node) is not None}


def modules_named_in(tree):
    """Everything of skbst that a file imports, or names in a text that is no documentation, such as ``sys.modules[...]``."""
    documentation = documentation_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"skbst.relative._{node.module}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skbst"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("skbst"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield from re.findall(r"\bskbst(?:\.\w+)+", node.value)


def private_imports_of(path):
    """Private parts of other rooms that a file reaches for; the small doors of floor 0 are everybody's."""
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for module in modules_named_in(ast.parse(path.read_text(encoding="utf-8"))):
        names = module.split(".")
        # a door of floor 0 is no room, whatever it hands out
        is_another_room = len(names) > 2 and names[1] != room and not names[1].startswith("_")
        if is_another_room and any(name.startswith("_") for name in names[2:]):
            yield f"{path.relative_to(PACKAGE).as_posix()} reaches for {module}"


def test_no_room_reaches_into_anothers_private_files():
    found = sorted(line for path in PACKAGE.rglob("*.py") for line in private_imports_of(path))
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "from skbst.neural._inference import forward_rows",
        "from skbst.neural import _inference",
        "import skbst.neural._inference",
        "from ..neural import BranchClassifier",
        "sys.modules.get('skbst.neural._inference')",
    ],
)
def test_every_way_to_reach_into_a_room_is_seen(line, monkeypatch, tmp_path):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "metrics").mkdir()
    path = tmp_path / "metrics" / "_mine.py"
    path.write_text(f'"""Nothing of skbst.neural._inference."""\n\n{line}\n')
    assert len(list(private_imports_of(path))) == 1
    path.write_text("from skbst._sklearn import _fit_context\nfrom skbst.taxonomy import BST\n")
    assert list(private_imports_of(path)) == []
