"""How the documentation is built: python -m sphinx -W docs docs/_build/html."""

import sys
from pathlib import Path

import matplotlib as mpl

import skbst

mpl.use("Agg")
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skbst"
author = "the skbst developers"
copyright = "2026, the skbst developers"
version = release = skbst.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "inherited_roles",
]
exclude_patterns = ["_build", "_ext", "auto_examples/*.ipynb", "sg_execution_times.rst"]
default_role = "py:obj"
nitpicky = False

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": False}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"__init__\.py|/_\w+\.py",
    "show_memory": False,
    "download_all_examples": False,
    "abort_on_example_error": True,
    "within_subsection_order": "ExampleTitleSortKey",
    "reset_argv": "gallery_argv.reset_argv",
}

html_theme = "pydata_sphinx_theme"
html_title = "skbst"
html_static_path = ["_static"]
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False, "use_edit_page_button": False}
html_sidebars = {"index": [], "changes": []}
suppress_warnings = ["config.cache"]
