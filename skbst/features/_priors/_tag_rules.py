"""Classes from tags, by a table."""

import os
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd

from skbst._paths import absolute_path
from skbst._sklearn import _fit_context, check_is_fitted
from skbst._tables import read_table
from skbst.exceptions import DataFormatError
from skbst.features._priors._base import PriorMaker
from skbst.features._priors._distribution import normalize_rows
from skbst.features._priors._own_rules import OWN_RULES
from skbst.taxonomy import Taxonomy
from skbst.text import split_tags, unfold_file_name

__all__ = ["TagRules"]

_GAP = re.compile(r"[\s_\-]+")


class TagRules(PriorMaker):
    """Let the tags of a clip vote for its class, each by its line in a table.

    A tag is compared in lower case with spaces and underscores as hyphens. What no line names says nothing; a clip
    without any such tag gets a row of 0. Words of the title, and pairs of neighbouring ones, vote like tags.

    Parameters
    ----------
    rules : mapping, DataFrame, path or None, default=None
        A mapping of tag to a label or to {label: weight}; a table, or a CSV file with one, of columns "tag", "label"
        and, if there is one, "weight". Labels are classes or top-level classes, whose weight is spread evenly
        over their children. None takes a small table of our own for BST.

    taxonomy : Taxonomy, default=None
        Names the classes; None takes BST.

    columns : sequence of str, default=("tags", "title")
        Columns that vote. "tags" is split into terms, others into words.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The columns: codes of the leaves, sorted.

    taxonomy_ : Taxonomy
        The tree.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.features import TagRules
    >>> clips = pd.DataFrame({"tags": ["Dog, bark", "unheard"], "title": ["my_dog.wav", "x"]})
    >>> rules = TagRules({"dog": "fx-a", "bark": {"fx-a": 1, "fx-n": 1}}).fit(clips)
    >>> rules.transform(clips)[:, rules.classes_ == "fx-a"].ravel().round(2)
    array([0.67, 0.  ], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        "rules": [Mapping, pd.DataFrame, str, os.PathLike, None],
        "taxonomy": [Taxonomy, None],
        "columns": ["array-like"],
    }

    def __init__(self, rules=None, *, taxonomy=None, columns=("tags", "title")):
        self.rules = rules
        self.taxonomy = taxonomy
        self.columns = columns

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Read the table of rules; labels are never looked at.

        Parameters
        ----------
        X : DataFrame
            Clips with some of `columns`; or a sequence of str, tags of each clip.

        y : None
            Ignored.

        Returns
        -------
        self : TagRules
        """
        self._start()
        self._table()
        _terms_of(X, self.columns)
        return self

    def transform(self, X):
        """Let the tags vote.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float32
            Rows sum to 1 or are 0.
        """
        check_is_fitted(self)
        table, nothing = self._table(), np.zeros(len(self.classes_))
        rows = [sum((table[term] for term in terms if term in table), nothing) for terms in _terms_of(X, self.columns)]
        return normalize_rows(np.stack(rows))

    def _table(self):
        """Mass of each tag that has a rule."""
        distributions = self._distributions
        rules = OWN_RULES if self.rules is None else self.rules
        if not isinstance(rules, Mapping):
            rules = _read_rules(rules)
        table = {}
        for tag, answer in rules.items():
            mass = distributions.mass(answer, where=f"rule for {tag!r}: ")
            table[_plain(tag)] = table.get(_plain(tag), 0) + mass
        return table


def _weights(table):
    if "weight" not in table.columns:
        return np.ones(len(table))
    try:
        return table["weight"].astype(float)
    except (ValueError, TypeError) as error:
        raise DataFormatError(f"The column 'weight' of rules must hold numbers ({error}).") from error


def _read_rules(source):
    table = source
    if not isinstance(source, pd.DataFrame):
        path = absolute_path(source)
        if not path.is_file():
            raise DataFormatError(f"There is no file {path} with rules.")
        table, _ = read_table(path)
    if not {"tag", "label"} <= set(table.columns):
        raise DataFormatError(f"Rules need the columns 'tag' and 'label'; there are {list(table.columns)[:8]}.")
    weights = _weights(table)
    rules = {}
    for tag, label, weight in zip(table["tag"], table["label"], weights):
        answer = rules.setdefault(tag, {})
        answer[label] = answer.get(label, 0.0) + float(weight)
    return rules


def _terms_of(X, columns):
    """Terms of each clip, a list of sets."""
    if not isinstance(X, pd.DataFrame):
        if isinstance(X, (str, bytes)) or not hasattr(X, "__len__") or len(X) == 0:
            raise DataFormatError("Expected a table of clips, or a sequence of at least one text with tags.")
        return [{_plain(tag) for tag in _tags(value)} for value in X]
    present = [name for name in columns if name in X.columns]
    if not present or len(X) == 0:
        raise DataFormatError(f"A table of clips needs rows and one of the columns {list(columns)}.")
    terms = [set() for _ in range(len(X))]
    for name in present:
        for row, value in zip(terms, X[name]):
            row.update(map(_plain, _tags(value) if name == "tags" else _words(value)))
    return terms


def _tags(value):
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [str(tag) for tag in value]
    return split_tags(value) if isinstance(value, str) else []


def _words(value):
    if not isinstance(value, str):
        return []
    words = re.findall(r"[^\W_]+", unfold_file_name(value))
    return words + ["-".join(pair) for pair in pairwise(words)]


def _plain(tag):
    return _GAP.sub("-", str(tag).strip().casefold())
