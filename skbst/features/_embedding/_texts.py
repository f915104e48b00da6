"""From clips to the texts that a text encoder reads."""

import warnings
from string import Formatter

import numpy as np
import pandas as pd

from skbst.audio import DecodeProblem
from skbst.exceptions import DataFormatError
from skbst.text import join_fields, split_tags

__all__ = ["FIELDS", "as_texts", "check_template", "join_table", "warn_of_lost", "without_surrogates"]

FIELDS = ("title", "tags", "description")


def as_texts(X):
    """Check a sequence of texts; missing ones become empty.

    Parameters
    ----------
    X : sequence of str
        Lists, Series and arrays alike.

    Returns
    -------
    texts : list of str

    Raises
    ------
    DataFormatError
        If it is a single text, empty, or holds anything else than text.
    """
    if isinstance(X, (str, bytes)):
        raise DataFormatError(f"Expected a sequence of texts; got the single text {X[:40]!r}. Pass [text].")
    values = np.asarray(X, dtype=object)
    if values.ndim != 1 or len(values) == 0:
        raise DataFormatError(f"Expected a sequence of at least one text, or a DataFrame; got shape {values.shape}.")
    texts = ["" if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in values]
    strange = [value for value in texts if not isinstance(value, str)]
    if strange:
        raise DataFormatError(f"{len(strange)} of {len(texts)} values are no text (first: {strange[0]!r}).")
    # numpy's own kind of str is one, but not all that read texts know it
    return [str(text) for text in texts]


def without_surrogates(texts):
    """Leave out what no tokenizer can encode: halves of surrogate pairs, as undecodable bytes of a file name become.

    Parameters
    ----------
    texts : list of str
        What an encoder would read.

    Returns
    -------
    texts : list of str
        The rest.

    problems : dict of int to DecodeProblem
        Positions of the texts that lost something and are not empty for it.
    """
    kept = [text if text.isascii() else text.encode("utf-8", errors="ignore").decode("utf-8") for text in texts]
    problems = {}
    for row, (before, after) in enumerate(zip(texts, kept)):
        n_lost = len(before) - len(after)
        if n_lost and after.strip():
            problems[row] = DecodeProblem("no Unicode", False, f"{n_lost} lone surrogate(s) were left out of the text")
    return kept, problems


def warn_of_lost(problems, n_texts, *, stacklevel):
    """Warn once of texts that lost something; `problems` is a report as from `problem_report`."""
    lost = problems[~problems["silent"]]
    if len(lost):
        warnings.warn(
            f"{len(lost)} of {n_texts} texts have lone surrogates, which no tokenizer reads (first: "
            f"{lost.index[0]!r}); the rest of each is embedded.",
            UserWarning,
            stacklevel=stacklevel,
        )


def check_template(template):
    """Refuse a template that asks for what a table of clips does not have, or for nothing."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise DataFormatError(f"template={template!r} is no format string ({error}).") from error
    if not names or not names <= set(FIELDS):
        raise DataFormatError(
            f"template={template!r} must name some of {{title}}, {{tags}} and {{description}}, and nothing else."
        )


def join_table(table, template=None):
    """Write each row of a table as one text.

    Parameters
    ----------
    table : DataFrame
        With some of the columns "title", "tags" and "description".

    template : str, default=None
        Such as ``"{title} ({tags})"``; None joins what is there as ``"{title}. {tags}. {description}"``.

    Returns
    -------
    texts : list of str
        A row without any of the fields gives an empty text, whatever the template says around them.
    """
    present = [field for field in FIELDS if field in table.columns]
    if not present:
        raise DataFormatError(
            f"A table of clips needs at least one of the columns {list(FIELDS)}; it has {list(table.columns)[:10]}."
        )
    columns = {field: as_texts([_joined(value) for value in table[field]]) for field in present}
    empty = [""] * len(table)
    rows = zip(*(columns.get(field, empty) for field in FIELDS))
    if template is None:
        return [join_fields(title, split_tags(tags), description) for title, tags, description in rows]
    return [_fill(template, title.strip(), ", ".join(split_tags(tags)), text.strip()) for title, tags, text in rows]


def _fill(template, title, tags, description):
    if not (title or tags or description):
        return ""
    return template.format(title=title, tags=tags, description=description).strip()


def _joined(value):
    """Tags may come as a list."""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple, np.ndarray)) else value
