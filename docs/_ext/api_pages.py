"""Writes the API reference from the packages' own ``__all__``, so that it is said in one place."""

import importlib
import inspect
from pathlib import Path

import skbst

HEADER = """.. This page is made by docs/_ext/api_pages.py.

API reference
=============

"""


def is_at_home(found, module):
    """Whether a room documents a name: no module, and nothing that has moved to another room."""
    home = getattr(found, "__module__", None) or ""
    return not inspect.ismodule(found) and (
        not home.startswith("skbst.") or f"{home}.".startswith(f"{module.__name__}.")
    )


def write_api(app, config):
    parts = [HEADER]
    for name in sorted(skbst.__all__):
        if name.startswith("_") or importlib.util.find_spec(f"skbst.{name}") is None:
            continue
        module = importlib.import_module(f"skbst.{name}")
        summary = (module.__doc__ or "").strip().splitlines()[0]
        title = f"skbst.{name}"
        parts.append(f"{title}\n{'-' * len(title)}\n\n{summary}\n\n.. currentmodule:: skbst.{name}\n")
        public = [key for key in module.__all__ if is_at_home(getattr(module, key), module)]
        documented = [
            key for key in public if callable(getattr(module, key)) and hasattr(getattr(module, key), "__name__")
        ]
        objects = [key for key in public if key not in documented]
        parts.append("\n.. autosummary::\n   :toctree: api/generated\n   :nosignatures:\n")
        parts.append("".join(f"\n   {key}" for key in sorted(documented)) + "\n")
        if objects:
            parts.append("\nObjects: " + ", ".join(f"``{key}``" for key in sorted(objects)) + ".\n\n")
    target = Path(app.srcdir) / "api.rst"
    text = "\n".join(parts)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def setup(app):
    """Run before Sphinx lists its sources, so that a first build knows the page."""
    app.connect("config-inited", write_api)
    return {"parallel_read_safe": True}
