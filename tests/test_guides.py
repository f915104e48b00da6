"""The code of the user guide runs and prints what the pages say."""

import doctest
import os
from pathlib import Path

import pytest

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
