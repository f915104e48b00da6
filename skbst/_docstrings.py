"""Docstrings that say what several objects share in one place, and are whole for who reads them."""

import ast
import inspect
import json
import re

__all__ = ["completed_by"]

_HEADING = re.compile(r"^([A-Z][A-Za-z ]+)\n(-{3,})\n", re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)
_DEFAULT = re.compile(r"default=.*$")


def completed_by(*sources):
    """Describe the parameters and attributes that a numpydoc docstring leaves out as `sources` describe them.

    Parameters come in the order of the signature and with the defaults of the signature; what the docstring says itself
    counts. Of the sources, the first that knows a name is asked.

    Parameters
    ----------
    *sources : class or function
        Their docstrings describe the shared parameters, and, for classes, the shared attributes, which follow the own.

    Returns
    -------
    complete : callable
        A decorator of a class or function. Python that keeps no docstrings (``-OO``) gets none.

    Examples
    --------
    >>> from skbst._docstrings import completed_by
    >>> def mean(values, axis=0):
    ...     '''Average.
    ...
    ...     Parameters
    ...     ----------
    ...     values : array-like
    ...         Numbers.
    ...
    ...     axis : int, default=0
    ...         Which axis.
    ...     '''
    >>> @completed_by(mean)
    ... def spread(values, axis=1):
    ...     '''Standard deviation.'''
    >>> print(spread.__doc__)
    Standard deviation.
    <BLANKLINE>
    Parameters
    ----------
    values : array-like
        Numbers.
    <BLANKLINE>
    axis : int, default=1
        Which axis.
    <BLANKLINE>
    """

    def complete(item):
        if item.__doc__ is None:
            return item
        sections = _sections(inspect.cleandoc(item.__doc__))
        known = [_sections(inspect.getdoc(source)) for source in sources if source.__doc__ is not None]
        own = _entries(sections.get("Parameters", ""))
        shared = _first_of(_entries(section.get("Parameters", "")) for section in known)
        parameters = {
            parameter.name: own.get(parameter.name) or _with_default(shared[parameter.name], parameter)
            for parameter in inspect.signature(item).parameters.values()
            if parameter.name in own or parameter.name in shared
        }
        sections["Parameters"] = "\n\n".join(dict.fromkeys(parameters.values()))
        if inspect.isclass(item):
            attributes = _entries(sections.get("Attributes", ""))
            shared = _first_of(_entries(section.get("Attributes", "")) for section in known)
            both = attributes | {name: text for name, text in shared.items() if name not in attributes}
            sections["Attributes"] = "\n\n".join(dict.fromkeys(both.values()))
        item.__doc__ = _joined(sections)
        return item

    return complete


def _sections(text):
    """Text of each section by its heading; what stands before the first under "". Order is kept."""
    parts = _HEADING.split(text)
    sections = {"": parts[0].strip("\n")}
    # a docstring without parameters of its own gets them in the usual place
    if "Parameters" not in parts:
        sections["Parameters"] = ""
    for heading, _, body in zip(parts[1::3], parts[2::3], parts[3::3]):
        sections[heading] = body.strip("\n")
        if heading == "Parameters" and "Attributes\n---" not in text:
            sections["Attributes"] = ""
    return sections


def _entries(body):
    """Entries of a section by name, each with its heading line, as they stand."""
    entries = {}
    for entry in _ENTRY.split(body):
        if entry.strip():
            head = entry.split("\n", 1)[0].split(" : ", 1)[0]
            entries.update(dict.fromkeys((name.lstrip("*") for name in head.split(", ")), entry.rstrip()))
    return entries


def _first_of(found):
    merged = {}
    for entries in found:
        merged = entries | merged
    return merged


def _with_default(entry, parameter):
    head, _, body = entry.partition("\n")
    default = parameter.default
    if default is not parameter.empty and not _says(head, default):
        text = json.dumps(default) if isinstance(default, str) else repr(default)
        head = _DEFAULT.sub(lambda _: f"default={text}", head)
    return f"{head}\n{body}"


def _says(head, default):
    """Whether a heading line has this default already, in whatever spelling: 1e-6 is 1e-06."""
    try:
        return ast.literal_eval(head.rpartition("default=")[2]) == default
    except (ValueError, SyntaxError):
        return False


def _joined(sections):
    parts = [sections[""]]
    parts += [f"{name}\n{'-' * len(name)}\n{body}" for name, body in sections.items() if name and body]
    return "\n\n".join(parts) + "\n"
