"""Rows whose text says something."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from skbst._groups import groups_by_any_name
from skbst._sklearn import Interval, _fit_context
from skbst.exceptions import DataFormatError
from skbst.sampling._row_sampler import (
    RowSampler,
    best_first_rank,
    keep_class_floor,
    own_codes,
    read_candidates,
    read_uploaders,
)
from skbst.text import MetadataCleaner

__all__ = ["MetadataQualitySampler"]

_FIELDS = ("title", "tags", "description")


class MetadataQualitySampler(RowSampler):
    """Drop rows whose title, tags and description say nothing about the sound (report, section 2.4).

    Text is cleaned by :class:`~skbst.text.MetadataCleaner`. Then two rules hold, both with an eye to the class:

    - A row needs `min_words` different words that tell something. Words that an uploader writes under most of their
      sounds are a template and tell nothing, unless others, too, use them for the same class: "drumloop" under every
      sound of somebody who uploads drum loops stays, the name of their studio does not.
    - Of one uploader's rows in a class with the same cleaned text (but for numbers), only the first `max_repeats` stay.

    No class falls below `min_per_class` rows: its best rows come back.

    Parameters
    ----------
    min_words : int, default=2
        Fewest different words that tell something.

    max_repeats : int, default=20
        Most rows of one uploader and class with the same text.

    template_share : float in (0, 1], default=0.6
        A word is an uploader's template if it stands in at least this share of their rows.

    min_uploader_rows : int, default=10
        Uploaders with fewer rows have no templates.

    min_uploaders : int, default=2
        A template word still counts where this many uploaders use it for the class.

    min_per_class : int, default=25
        Rows that each class keeps at least, if it has them.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_kept,), int
        Positions of the rows that stay, ascending.

    scores_ : DataFrame of shape (n_samples, 3)
        ``n_words`` (telling words), ``kept`` and ``reason`` ("" for a row that stays) of each row.

    n_features_in_ : int
        Number of columns of `X`, where it has columns.

    feature_names_in_ : ndarray of str
        Their names, where `X` is a DataFrame.

    References
    ----------
    Technical report "A multi-branch hierarchy-aware framework for heterogeneous audio classification", DCASE 2026
    Task 1, section 2.4 (the rules themselves are ours: the report does not say its own).

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.sampling import MetadataQualitySampler
    >>> X = pd.DataFrame({"title": ["Dog barking.wav", "0012.wav", "rain on roof"], "tags": ["", "", "rain"]})
    >>> sampler = MetadataQualitySampler(min_per_class=0)
    >>> sampler.fit_resample(X, ["fx-a", "fx-a", "fx-n"])[0]["title"].tolist()
    ['Dog barking.wav', 'rain on roof']
    >>> sampler.scores_["reason"].tolist()
    ['', 'no words', '']
    """

    _parameter_constraints: ClassVar[dict] = {
        "min_words": [Interval(Integral, 0, None, closed="left")],
        "max_repeats": [Interval(Integral, 1, None, closed="left")],
        "template_share": [Interval(Real, 0, 1, closed="right")],
        "min_uploader_rows": [Interval(Integral, 2, None, closed="left")],
        "min_uploaders": [Interval(Integral, 1, None, closed="left")],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        min_words=2,
        max_repeats=20,
        template_share=0.6,
        min_uploader_rows=10,
        min_uploaders=2,
        min_per_class=25,
    ):
        self.min_words = min_words
        self.max_repeats = max_repeats
        self.template_share = template_share
        self.min_uploader_rows = min_uploader_rows
        self.min_uploaders = min_uploaders
        self.min_per_class = min_per_class

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, groups=None, candidates=None, uploader=None):
        """Choose the rows; same arguments as `fit_resample`.

        Returns
        -------
        self : MetadataQualitySampler
        """
        X, y = self._check_rows(X, y)
        mask = read_candidates(candidates, len(y))
        groups = groups_by_any_name(groups, uploader, "MetadataQualitySampler")
        uploaders = read_uploaders(X, groups, len(y))
        texts, who = _clean_texts(X, uploaders), own_codes(uploaders)
        _, codes = np.unique(y, return_inverse=True)
        n_words = self._count_telling_words(texts, who, codes)
        _, same = np.unique(np.array([f"{w}\n{c}\n{t}" for w, c, t in zip(who, codes, texts)]), return_inverse=True)
        reason = np.full(len(y), "", dtype=object)
        reason[best_first_rank(same, np.zeros(len(y))) >= self.max_repeats] = "repeated text"
        reason[n_words < self.min_words] = "few words"
        reason[n_words == 0] = "no words" if self.min_words else ""
        reason[~mask] = ""
        back = keep_class_floor(reason == "", y, n_words.astype(float), self.min_per_class)
        reason[back] = ""
        index = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None
        self.scores_ = pd.DataFrame({"n_words": n_words, "kept": reason == "", "reason": reason}, index=index)
        self.sample_indices_ = np.flatnonzero(reason == "")
        return self

    def fit_resample(self, X, y, *, groups=None, candidates=None, uploader=None):
        """Return the rows that stay.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            The texts.

        y : array-like of shape (n_samples,)
            Class of each row.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each row; None takes the column "uploader" of `X`. A row of nobody (None, NaN, pd.NA or "")
            shares its uploader with no other; without groups and column all rows count as one uploader's.

        candidates : array-like of shape (n_samples,), bool, default=None
            Rows that may go; the others stay, and their words count as other people's use. None: all.

        uploader : array-like of shape (n_samples,), default=None
            The old name of `groups`.

        Returns
        -------
        X_resampled, y_resampled
            The rows that stay, in their order, of the same types.
        """
        groups = groups_by_any_name(groups, uploader, "MetadataQualitySampler")
        return self.fit(X, y, groups=groups, candidates=candidates)._resample(X, y)

    def _count_telling_words(self, texts, who, codes):
        """Different words per row, without templates that nobody else uses for the class; int (n_samples,)."""
        vectorizer = CountVectorizer(binary=True, token_pattern=r"[^\W\d_]{2,}", dtype=np.int32)
        if not any(any(char.isalpha() for char in text) for text in texts):
            return np.zeros(len(texts), dtype=int)
        try:
            words = vectorizer.fit_transform(texts)
        except ValueError:
            return np.zeros(len(texts), dtype=int)
        template = _membership(who) @ words
        size = np.repeat(np.bincount(who), np.diff(template.indptr))
        usual = (template.data >= self.template_share * size) & (size >= self.min_uploader_rows)
        template.data = usual.astype(np.int32)
        pairs, pair = np.unique(who * (codes.max() + 1) + codes, return_inverse=True)
        by_pair = _membership(pair) @ words
        by_pair.data[:] = 1
        users = _membership(pairs % (codes.max() + 1)) @ by_pair
        users.data = (users.data >= self.min_uploaders).astype(np.int32)
        empty = words.multiply(template[who])
        empty = empty - empty.multiply(users[codes])
        return np.asarray(words.sum(axis=1) - empty.sum(axis=1)).ravel().astype(int)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags


def _membership(groups):
    """Sparse (n_groups, n_rows) matrix of ones."""
    n_rows = len(groups)
    return sparse.csr_matrix((np.ones(n_rows, dtype=np.int32), (groups, np.arange(n_rows))))


def _clean_texts(X, uploaders):
    """One lower-case text of words per row; numbers and marks go."""
    if isinstance(X, pd.DataFrame) and not set(_FIELDS) & set(X.columns):
        raise DataFormatError(f"X needs at least one of the columns {list(_FIELDS)}; got {list(X.columns)[:10]}.")
    cleaned = MetadataCleaner(max_tokens=None).fit_transform(X, groups=uploaders)
    if isinstance(cleaned, pd.DataFrame):
        columns = [cleaned[field].astype(str).tolist() for field in _FIELDS if field in cleaned]
        cleaned = [" ".join(parts) for parts in zip(*columns)]
    letters = ("".join(char if char.isalpha() else " " for char in str(text)) for text in cleaned)
    return [" ".join(text.casefold().split()) for text in letters]
