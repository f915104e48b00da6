"""The laws of the house that a file can break: docs/guide/architecture.rst, CONTRIBUTING.md."""

import ast
import inspect
from pathlib import Path

import pytest

import skbst

PACKAGE = Path(skbst.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in FILES]
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in zip(NAMES, FILES)}

LONGEST_ROW = 14
# rows that are longer for now; numbers may only fall
LONG_ROWS = {".": 16}
LONGEST_BODY, LONGEST_FILE, MOST_PARAMETERS = 50, 350, 20
# each of them is torchaudio's or librosa's, and the tests hold its values against theirs
MANY_PARAMETERS = {"features/_spectra/_mfcc_featurizer.py": 21}
# one class that a reader finds whole in one file
LONG_FILES = {
    "neural/_branch_classifier.py": 450,
    "neighbors/_knn_prior_blender.py": 480,
}


def functions_of(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length_of_body(function):
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_a_folder_is_a_table_of_contents():
    rows = {}
    for name in NAMES:
        if not name.endswith("__init__.py"):
            folder = Path(name).parent.as_posix()
            rows[folder] = rows.get(folder, 0) + 1
    assert {folder: n for folder, n in rows.items() if n > LONG_ROWS.get(folder, LONGEST_ROW)} == {}


@pytest.mark.parametrize("name", NAMES)
def test_files_and_bodies_are_short(name):
    tree = TREES[name]
    lines = len((PACKAGE / name).read_text(encoding="utf-8").splitlines())
    assert lines <= LONG_FILES.get(name, LONGEST_FILE)
    assert {f.name: length_of_body(f) for f in functions_of(tree) if length_of_body(f) > LONGEST_BODY} == {}


def test_constructors_have_few_parameters():
    many = {}
    for name, tree in TREES.items():
        for function in functions_of(tree):
            n_parameters = len(function.args.args) + len(function.args.kwonlyargs) - 1
            if function.name == "__init__" and n_parameters > MANY_PARAMETERS.get(name, MOST_PARAMETERS):
                many[name] = n_parameters
    assert many == {}


def is_number(node):
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, (ast.Tuple, ast.List)):
        return bool(node.elts) and all(map(is_number, node.elts))
    parts = (
        [node.operand] if isinstance(node, ast.UnaryOp) else [getattr(node, name, None) for name in ("left", "right")]
    )
    return isinstance(node, (ast.UnaryOp, ast.BinOp)) and all(map(is_number, parts))


def has_a_why(lines, number):
    """A comment behind it, or above it without an empty line between."""
    while lines[number].strip():
        if lines[number].startswith("#") or "  #" in lines[number]:
            return True
        number -= 1
    return False


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("neural/", "nn/"))])
def test_numbers_of_a_file_say_why(name):
    lines = (PACKAGE / name).read_text(encoding="utf-8").splitlines()
    numbers = [node for node in TREES[name].body if isinstance(node, ast.Assign) and is_number(node.value)]
    assert [lines[node.lineno - 1] for node in numbers if not has_a_why(lines, node.lineno - 1)] == []


def test_no_mixin_has_a_single_host():
    classes = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    mixins = {node.name for node in classes if node.name.endswith("Mixin")}
    hosts = {mixin: [node.name for node in classes if mixin in map(ast.unparse, node.bases)] for mixin in mixins}
    assert {mixin: found for mixin, found in hosts.items() if len(found) < 2} == {}


def test_nothing_prints():
    """But the command, whose business it is, and what draws a bar."""
    calls = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {name for name in calls if not name.startswith("cli/")} == set()


def test_private_parts_of_scikit_learn_come_through_one_door():
    """One file follows a rename."""
    found = {
        f"{name}: {node.module}.{alias.name}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn") and name != "_sklearn.py"
        for alias in node.names
        if any(part.startswith("_") for part in (*node.module.split("."), alias.name))
    }
    assert found == set()


def test_the_rooms_are_those_that_the_package_names():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists() and path.name[0] != "_"}
    assert rooms - {"cli"} == {name for name in skbst.__all__ if not name.startswith("_")}
    for room in rooms:
        assert inspect.getdoc(__import__(f"skbst.{room}", fromlist=["x"]))
