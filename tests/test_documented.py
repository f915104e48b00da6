"""Every estimator's HTML representation links to a page that the documentation has."""

import html
import importlib.util
import inspect
import re
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

from skbst._versioned import DocumentedMixin, docs_address

EXTENSION = Path(__file__).parents[1] / "docs" / "_ext" / "api_pages.py"


def load_api_pages():
    spec = importlib.util.spec_from_file_location("skbst_api_pages", EXTENSION)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


api_pages = load_api_pages()
ESTIMATORS = {
    f"{room.__name__}.{name}": getattr(room, name)
    for room in api_pages.rooms()
    for name in room.__all__
    if inspect.isclass(getattr(room, name)) and issubclass(getattr(room, name), BaseEstimator)
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files that autosummary makes of the reference."""
    app = type("App", (), {"srcdir": tmp_path_factory.mktemp("docs")})
    api_pages.write_api(app, None)
    found, room, folder = set(), None, None
    for line in (app.srcdir / "api.rst").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            room = match[1]
        elif match := re.match(r"   :toctree: (\S+)", line):
            folder = match[1]
        elif match := re.fullmatch(r"   (\w+)", line):
            found.add(f"{folder}/{room}.{match[1]}.html")
    return found


def unfitted(cls):
    """An instance, whatever its constructor asks for: it stores and does nothing else."""
    needed = [
        p for p in inspect.signature(cls).parameters.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    needed += [
        p for p in inspect.signature(cls).parameters.values() if p.default is p.empty and p.kind == p.KEYWORD_ONLY
    ]
    return cls(**{parameter.name: None for parameter in needed})


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_links_to_its_page(name, pages):
    estimator = unfitted(ESTIMATORS[name])
    link = estimator._get_doc_link()
    address = docs_address()
    assert link.startswith(f"{address}/")
    assert link.removeprefix(f"{address}/") in pages
    assert link.removesuffix(".html").endswith(name)


@pytest.mark.parametrize("name", ["skbst.neural.BranchClassifier", "skbst.features.LogMelFeaturizer"])
def test_the_html_representation_has_the_link(name):
    estimator = ESTIMATORS[name]()
    text = html.unescape(estimator._repr_html_())
    assert f'href="{estimator._get_doc_link()}"' in text
    # the parameters link into the page
    assert f"{estimator._get_doc_link()}#:~:text=" in text


def test_a_system_links_its_steps():
    from skbst.systems import system_1

    system = system_1(embeddings="builtin", size="small")
    text = system._repr_html_()
    assert "api/generated/skbst.systems.SystemPipeline.html" in text
    assert "api/generated/skbst.features.ClipFeaturizer.html" in text


def test_a_build_of_ones_own(monkeypatch):
    monkeypatch.setenv("SKBST_DOCS", "file:///home/{ann}/html/")
    link = ESTIMATORS["skbst.neighbors.KNNPriorBlender"](None)._get_doc_link()
    assert link == "file:///home/{ann}/html/api/generated/skbst.neighbors.KNNPriorBlender.html"


def test_other_peoples_classes_have_no_page_here():
    class Mine(DocumentedMixin, BaseEstimator):
        pass

    assert Mine()._get_doc_link() == ""
