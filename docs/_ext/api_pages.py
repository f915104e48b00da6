"""Writes the API reference from the packages' own ``__all__``, so that it is said in one place."""

import importlib
import inspect
from pathlib import Path

import skbst

HEADER = """.. This page is made by docs/_ext/api_pages.py.

API reference
=============

"""


def rooms():
    """The public packages, in the order of their names."""
    names = sorted(name for name in skbst.__all__ if not name.startswith("_"))
    return [importlib.import_module(f"skbst.{name}") for name in names]


def documented_names(module):
    """Names of a room that get a page each: classes and functions that have not moved to another room."""
    found = {name: getattr(module, name) for name in module.__all__}
    return sorted(
        name
        for name, item in found.items()
        if callable(item) and hasattr(item, "__name__") and is_at_home(item, module)
    )


def is_at_home(item, module):
    """Whether an object is of a room itself, or of the small doors that have no page of their own."""
    home = getattr(item, "__module__", None) or ""
    return not home.startswith("skbst.") or f"{home}.".startswith((f"{module.__name__}.", "skbst._"))


def page_of(module):
    """The part of the reference that lists a room."""
    title, summary = module.__name__, (module.__doc__ or "").strip().splitlines()[0]
    names = documented_names(module)
    listed = "".join(f"\n   {name}" for name in names)
    text = f"{title}\n{'-' * len(title)}\n\n{summary}\n\n.. currentmodule:: {title}\n\n"
    text += f".. autosummary::\n   :toctree: api/generated\n   :nosignatures:\n{listed}\n"
    objects = sorted(
        name
        for name in module.__all__
        if name not in names
        and not inspect.ismodule(getattr(module, name))
        and is_at_home(getattr(module, name), module)
    )
    if objects:
        text += "\nObjects: " + ", ".join(f"``{name}``" for name in objects) + ".\n"
    return text + "\n"


def write_api(app, config):
    text = HEADER + "\n".join(page_of(module) for module in rooms())
    target = Path(app.srcdir) / "api.rst"
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def setup(app):
    """Run before Sphinx lists its sources, so that a first build knows the page."""
    app.connect("config-inited", write_api)
    return {"parallel_read_safe": True}
