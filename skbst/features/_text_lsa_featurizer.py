"""A vector of fixed size for each text, without any download."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone

from skbst._groups import groups_by_any_name, with_groups
from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.features._descriptors._text_lsa import fit_directions, fit_vectorizer, join_blocks, project
from skbst.text import MetadataCleaner

__all__ = ["TextLSAFeaturizer"]

_FIELDS = ("title", "tags", "description")
_WEIGHTS = {"title": 0.7, "tags": 1.0, "description": 0.5, "text": 1.0}
_WORD = r"[^\W\d_]{2,}"


class TextLSAFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Embed titles, tags and descriptions by latent semantic analysis.

    What stands in for a CLAP text embedding where nothing can be downloaded. The words of each field are weighted by
    their inverse document frequency (TF-IDF with a logarithmic term frequency), and each field has length 1 times its
    weight. A truncated singular value decomposition of all fields together brings them to `n_components` numbers, and
    rows to length 1.

    Parameters
    ----------
    n_components : int, default=512
        Width of the result. Where the rows of `fit` allow fewer dimensions, the last columns are 0.

    cleaner : "default", transformer or None, default="default"
        What cleans a table of clips first. "default" is a :class:`~skbst.text.MetadataCleaner`; sequences of text
        are taken as they are. A transformer is fitted to whatever `X` is, and returns texts, or a table with some of
        the columns "title", "tags" and "description". None cleans nothing.

    field_weights : mapping of str to float, default=None
        Weight of the words of "title", "tags" and "description"; None is 0.7, 1 and 0.5. A field that is left out
        or 0 has no words.

    char_weight : float, default=0.0
        Weight of the letter n-grams of title and tags, which relate forms of a word to each other. They take several
        times as long and gained nothing in our measurements; see the user guide.

    word_ngram_range : tuple (shortest, longest), default=(1, 1)
        Lengths of the sequences of words that count as terms.

    char_ngram_range : tuple (shortest, longest), default=(3, 4)
        Lengths of the letter n-grams, within words.

    min_df : int, default=1
        Terms in fewer rows of `fit` are left out, unless that leaves none. 2 halves the size of the fitted object; on a
        few hundred rows it costs accuracy, because a word that was seen once still names its class.

    random_state : int, RandomState instance or None, default=None
        For the randomised singular value decomposition.

    Attributes
    ----------
    cleaner_ : transformer or None
        The fitted cleaner; None where `X` is taken as it is.

    vectorizers_ : dict of str to TfidfVectorizer
        Terms of each block: the fields, and "letters". Blocks without any term are missing.

    directions_ : ndarray of shape (n_found, n_terms), float32
        The right singular vectors.

    n_features_in_ : int
        Number of columns of `X`, where it is a table.

    feature_names_in_ : ndarray of str
        Names of the columns, where `X` is a DataFrame.

    See Also
    --------
    ClapTextFeaturizer : A pre-trained embedding of text.
    AudioStatisticsFeaturizer : The counterpart for sounds.

    Notes
    -----
    A text without words, or with none that a row of `fit` had, becomes a row of zeros.

    References
    ----------
    S. Deerwester et al., "Indexing by latent semantic analysis", Journal of the American Society for Information
    Science 41(6), 1990.

    N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011.

    Examples
    --------
    >>> from skbst.features import TextLSAFeaturizer
    >>> texts = ["rain on the roof", "thunder and rain", "a dog barks", "the dog growls"]
    >>> featurizer = TextLSAFeaturizer(n_components=8, random_state=0).fit(texts)
    >>> vectors = featurizer.transform(["rain and thunder", "a growling dog", "xyzzy"])
    >>> vectors.shape
    (3, 8)
    >>> (vectors @ featurizer.transform(texts).T).argmax(axis=1)[:2]
    array([1, 2])
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "cleaner": [StrOptions({"default"}), HasMethods(["fit", "transform"]), None],
        "field_weights": [Mapping, None],
        "char_weight": [Interval(Real, 0, None, closed="left")],
        "word_ngram_range": [tuple, list],
        "char_ngram_range": [tuple, list],
        "min_df": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=512,
        *,
        cleaner="default",
        field_weights=None,
        char_weight=0.0,
        word_ngram_range=(1, 1),
        char_ngram_range=(3, 4),
        min_df=1,
        random_state=None,
    ):
        self.n_components = n_components
        self.cleaner = cleaner
        self.field_weights = field_weights
        self.char_weight = char_weight
        self.word_ngram_range = word_ngram_range
        self.char_ngram_range = char_ngram_range
        self.min_df = min_df
        self.random_state = random_state

    def fit(self, X, y=None, *, groups=None, uploader=None):
        """Learn terms and directions.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            The texts. Missing values count as empty text.

        y : None
            Ignored.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip, for a cleaner that asks for it.

        uploader : array-like of shape (n_samples,), default=None
            The old name of `groups`.

        Returns
        -------
        self : TextLSAFeaturizer
        """
        self.fit_transform(X, y, groups=groups_by_any_name(groups, uploader, "TextLSAFeaturizer"))
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, *, groups=None, uploader=None):
        """Fit, and return the vectors; the same as ``fit(X).transform(X)``, with every text cleaned once.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            As in `fit`.

        y : None
            Ignored.

        groups, uploader : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_components), float32
        """
        self._check_weights()
        self._check_kind(X, reset=True)
        self.cleaner_ = self._new_cleaner(isinstance(X, pd.DataFrame))
        if self.cleaner_ is not None:
            groups = groups_by_any_name(groups, uploader, "TextLSAFeaturizer")
            X = self.cleaner_.fit(X, **with_groups(self.cleaner_, groups, {})).transform(X)
        self._on_table = isinstance(X, pd.DataFrame)
        texts = _fields_of(X)
        self.vectorizers_ = self._fit_vectorizers(texts)
        matrix = self._vectorize(texts)
        self.directions_ = fit_directions(matrix, self.n_components, random_state=_seed(self.random_state))
        return project(matrix, self.directions_, self.n_components)

    def transform(self, X):
        """Embed texts.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_components), float32
            Rows of length 1, or 0 for a text without a known word.

        Raises
        ------
        DataFormatError
            If a table has none of the columns, or what was fitted on texts gets a table or the other way round.
        """
        check_is_fitted(self)
        self._check_kind(X, reset=False)
        if self.cleaner_ is not None:
            X = self.cleaner_.transform(X)
        if isinstance(X, pd.DataFrame) != self._on_table:
            raise DataFormatError("This TextLSAFeaturizer was fitted on a table and got texts, or the other way round.")
        return project(self._vectorize(_fields_of(X)), self.directions_, self.n_components)

    def _new_cleaner(self, is_table):
        if self.cleaner is None:
            return None
        if not isinstance(self.cleaner, str):
            return clone(self.cleaner)
        return MetadataCleaner() if is_table else None

    def _weights(self):
        given = _WEIGHTS if self.field_weights is None else {"text": 1.0, **self.field_weights}
        return {**given, "letters": self.char_weight}

    def _check_weights(self):
        unknown = set(self.field_weights or ()) - set(_FIELDS)
        if unknown or any(not weight >= 0 for weight in self._weights().values()):
            raise ValueError(
                f"field_weights maps {list(_FIELDS)} to numbers that are not negative; got {dict(self.field_weights)}."
            )

    def _fit_vectorizers(self, texts):
        words = {"token_pattern": _WORD, "ngram_range": tuple(self.word_ngram_range)}
        letters = {"analyzer": "char_wb", "ngram_range": tuple(self.char_ngram_range)}
        weights = self._weights()
        found = {
            name: fit_vectorizer(block, min_df=self.min_df, **(letters if name == "letters" else words))
            for name, block in _with_letters(texts).items()
            if weights.get(name, 0) > 0
        }
        return {name: vectorizer for name, vectorizer in found.items() if vectorizer is not None}

    def _vectorize(self, texts):
        blocks = _with_letters(texts)
        weights = self._weights()
        return join_blocks(
            [vectorizer.transform(blocks[name]) for name, vectorizer in self.vectorizers_.items()],
            [weights[name] for name in self.vectorizers_],
            len(blocks["letters"]),
        )

    def _check_kind(self, X, *, reset):
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif isinstance(X, (str, bytes)):
            raise DataFormatError(f"Expected a sequence of texts; got the single text {X[:40]!r}. Pass [text].")
        if len(X) == 0:
            raise DataFormatError("Found 0 texts while a minimum of 1 is required.")

    @property
    def _n_features_out(self):
        return self.n_components

    def __sklearn_is_fitted__(self):
        return hasattr(self, "directions_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _fields_of(X):
    """Texts by field: those of a table, or all under "text"."""
    if not isinstance(X, pd.DataFrame):
        return {"text": _as_texts(X)}
    fields = {field: _as_texts(X[field]) for field in _FIELDS if field in X.columns}
    if not fields:
        raise DataFormatError(f"X needs at least one of the columns {list(_FIELDS)}; got {list(X.columns)[:10]}.")
    return fields


def _with_letters(texts):
    """Add the block whose letters are read: title and tags, or what there is."""
    short = [texts[field] for field in ("title", "tags") if field in texts] or list(texts.values())
    return {**texts, "letters": [" ".join(parts) for parts in zip(*short)]}


def _as_texts(column):
    values = np.asarray(column, dtype=object)
    if values.ndim != 1:
        raise DataFormatError(f"Expected a DataFrame or a sequence of texts; got an array of shape {values.shape}.")
    missing = pd.isna(pd.Series(values)).to_numpy()
    return ["" if gone else str(value) for value, gone in zip(values, missing)]


def _seed(random_state):
    """Fresh entropy for None, which would otherwise draw from NumPy's global generator."""
    return int(np.random.default_rng().integers(2**31)) if random_state is None else random_state
