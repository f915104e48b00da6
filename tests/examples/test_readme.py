"""What the front pages show runs as it stands."""

import re
from pathlib import Path

import pandas as pd
import pytest

from skbst.datasets import make_bst_clips
from skbst.model_selection import KNNBlendSearchCV

pytest.importorskip("pyarrow", exc_type=ImportError)

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_python_of_the_readme(tmp_path, monkeypatch, capsys):
    """One block after the other, with fewer clips."""
    monkeypatch.chdir(tmp_path)
    make_bst_clips("own", n_clips=5, max_duration=0.5, random_state=1)
    (tmp_path / "own" / "audio").rename(tmp_path / "my_sounds")
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    namespace = {}
    for block in blocks:
        exec(compile(block.replace("n_clips=230", "n_clips=46"), "README.md", "exec"), namespace)
    assert "5 clips labelled, 0 were labelled already." in capsys.readouterr().out
    assert len(pd.read_parquet("labels")) == 5
    assert isinstance(namespace["search"], KNNBlendSearchCV)


def test_links_of_the_readme_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert len(links) > 8
    assert [link for link in links if not (TOP / link).exists()] == []


def test_scripts_that_are_named_are_there():
    pages = [TOP / "README.md", *(TOP / "docs").glob("*.rst"), *(TOP / "docs" / "guide").glob("*.rst")]
    named = {
        script
        for page in pages
        for script in re.findall(r"(?:examples|benchmarks)/[\w/]+\.py", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert [script for script in sorted(named) if not (TOP / script).exists()] == []


def test_every_page_of_the_guide_stands_in_its_list_once():
    index = (TOP / "docs" / "guide" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", index, re.MULTILINE)
    assert sorted(listed) == sorted(
        page.stem for page in (TOP / "docs" / "guide").glob("*.rst") if page.stem != "index"
    )
