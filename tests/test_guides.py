"""The code of the user guide runs and prints what the pages say."""

import doctest
import os
import re
from pathlib import Path

import pytest

from skbst.neural import Recipe

PAGES = sorted((Path(__file__).parents[1] / "docs" / "guide").glob("*.rst"))
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def examples_of(page):
    return doctest.DocTestParser().get_doctest(page.read_text(encoding="utf-8"), {}, page.name, str(page), 0)


@pytest.mark.parametrize("page", [page for page in PAGES if examples_of(page).examples], ids=lambda page: page.stem)
def test_examples_of_the_page(page, tmp_path, monkeypatch):
    """Indented examples read real data by the names of its folders, and need SKBST_DATA."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    test, data = examples_of(page), os.environ.get("SKBST_DATA")
    if data:
        for folder in Path(data).iterdir():
            (tmp_path / folder.name).symlink_to(folder)
    else:
        test.examples = [example for example in test.examples if not example.indent]
    said = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert not result.failed, "".join(said)


def test_tests_that_a_page_names_are_there():
    page = (PAGES[0].parent / "promises.rst").read_text(encoding="utf-8")
    section = page.split("Kinds, and the tests that hold them")[1].split("What it costs")[0]
    named = re.findall(r"``([a-z_/]+(?:\.py)?)``", section.replace("``tests``", ""))
    assert len(named) > 20
    assert [name for name in named if not (Path(__file__).parent / name).exists()] == []


def test_the_table_of_recipes_names_all_in_which_they_differ():
    page = (PAGES[0].parent / "neural.rst").read_text(encoding="utf-8")
    table = page.split("The recipe\n---")[1].split("What does not stand in the table")[0]
    report, small = Recipe().get_params(), Recipe.small().get_params()
    assert [name for name in report if report[name] != small[name] and f"``{name}``" not in table] == []
