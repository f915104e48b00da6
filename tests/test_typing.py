"""The public signatures are typed, and the types are those of the docstrings."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import skbst

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("skbst_stubs", ROOT / ".ci" / "stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_has_types_and_the_stubs_have_them(generator):
    """After a change of a signature or of a type in a docstring: python .ci/stubs.py."""
    stale = [
        path.relative_to(ROOT).as_posix()
        for path, text in generator.stubs().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == []


@pytest.mark.parametrize(
    ("text", "given", "annotation"),
    [
        ("int", True, "int"),
        ("float in [0, 1)", True, "float"),
        ('{"a", "b"} or None', True, 'Literal["a", "b"] | None'),
        ("str or path-like, default=None", True, "str | PathLike[str]"),
        ("array-like of shape (n_samples, n_classes), bool", True, "ArrayLike"),
        ("FeatureBundle or array-like of shape (n_samples, n_features)", True, "FeatureBundle | ArrayLike"),
        ("ndarray of shape (n_samples,), int, or None", False, "NDArray[Any] | None"),
        ("DataFrame, Series, sequence of paths, or array-like of shape (n, m)", True, None),
        ("dict of str to float", False, "dict[str, float]"),
        (":class:`~sklearn.utils.Bunch` or tuple", False, "Bunch | tuple[Any, ...]"),
        ("classifier", True, "Any"),
    ],
)
def test_numpydoc_types_are_read(generator, text, given, annotation):
    expected = "pandas.DataFrame | pandas.Series | Sequence[str | PathLike[str]] | ArrayLike"
    assert generator.type_of(text, given=given) == (annotation or expected)


def test_what_says_no_type_is_refused(generator):
    def bare(first):
        """Do it.

        Parameters
        ----------
        first
            Something.
        """

    def speechless(first):
        """Do it.

        Parameters
        ----------
        first : int
            One.
        """
        return first

    with pytest.raises(generator.Untyped, match="first has no type"):
        generator.signature_of(bare, "bare")
    with pytest.raises(generator.Untyped, match="what it returns"):
        generator.signature_of(speechless, "speechless")
    with pytest.raises(generator.Untyped, match="wombat"):
        generator.type_of("wombat", given=True)


def test_the_marker_and_the_stubs_are_shipped():
    package = Path(skbst.__file__).parent
    assert (package / "py.typed").is_file()
    settings = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert "py.typed, *.pyi" in settings


@pytest.mark.slow
def test_a_typed_user_is_understood_and_corrected(tmp_path):
    pytest.importorskip("mypy")
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\nstrict = True\nfollow_imports = silent\nfollow_imports_for_stubs = True\n[mypy-pandas.*,sklearn.*,matplotlib.*]\nignore_missing_imports = True\n"
    )
    options = ["--config-file", str(config), "--cache-dir", str(tmp_path / "cache")]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "tests/typing/user.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
