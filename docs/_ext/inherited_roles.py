"""Turns scikit-learn's links to its own glossary and guide, which inherited docstrings carry, into plain words."""

import re

# :term:`metadata routing <metadata_routing>`, :ref:`User Guide <label>`, :term:`array-like`
ROLE = re.compile(r":(?:term|ref):`([^`<]+?)\s*(?:<[^`>]*>)?`", re.DOTALL)


def plain_words(app, what, name, obj, options, lines):
    text = ROLE.sub(r"\1", "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app):
    """Run after numpydoc, which adds the docstrings of inherited properties."""
    app.connect("autodoc-process-docstring", plain_words, priority=900)
    return {"parallel_read_safe": True}
