"""A vector of fixed size for the words about each sound, without any download."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context, check_is_fitted, validate_data
from skbst.exceptions import DataFormatError
from skbst.text import MetadataCleaner, join_fields, split_tags

__all__ = ["TextLSAFeaturizer"]

_FIELDS = ("title", "tags", "description")


class TextLSAFeaturizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Latent semantic analysis of titles, tags and descriptions: TF-IDF, truncated SVD, length 1.

    What stands in for a CLAP text embedding where nothing can be downloaded. Words and the character n-grams inside
    them are counted apart, weighted by TF-IDF, and reduced together to `n_components` dimensions.

    Parameters
    ----------
    n_components : int, default=512
        Width of the vectors. Where the rows or the vocabulary of `fit` allow fewer dimensions, the last columns are 0.

    cleaner : "default", transformer or None, default="default"
        What makes texts of a table of clips. "default" is a `skbst.text.MetadataCleaner` for title, tags and
        description. A transformer returns texts, or a table with some of these columns. None joins the
        columns as they are. Sequences of text are taken as they are unless a transformer is given.

    char_ngrams : tuple (int, int) or None, default=(3, 4)
        Lengths of the character n-grams; None counts words alone.

    char_weight : float, default=0.7
        Weight of the character n-grams beside the words.

    min_char_count : int, default=3
        Number of texts that a character n-gram must occur in.

    random_state : int, RandomState or None, default=None
        Seed of the randomised SVD.

    Attributes
    ----------
    cleaner_ : transformer or None
        The fitted cleaner.

    word_vectorizer_, char_vectorizer_ : TfidfVectorizer or None
        The fitted vocabularies; None where there is nothing to count.

    svd_ : TruncatedSVD or None
        The fitted decomposition; None where the texts have no words at all.

    n_components_ : int
        Dimensions that are not padding.

    n_features_in_ : int
        Number of columns, where `X` is a table.

    feature_names_in_ : ndarray of str
        Names of the columns, where `X` is a DataFrame.

    See Also
    --------
    AudioStatisticsFeaturizer : The counterpart for sounds.
    ClapTextFeaturizer : A pre-trained embedding of text.

    Notes
    -----
    A text without any known word or n-gram, an empty one for instance, becomes the zero vector.

    References
    ----------
    S. Deerwester et al., "Indexing by latent semantic analysis", Journal of the American Society for Information
    Science 41(6), 1990.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.features import TextLSAFeaturizer
    >>> clips = pd.DataFrame({"title": ["dog bark.wav", "rain 02"], "tags": ["dog,bark", "rain,roof"]})
    >>> vectors = TextLSAFeaturizer(n_components=8, random_state=0).fit_transform(clips)
    >>> vectors.shape, (vectors**2).sum(axis=1).round(3)
    ((2, 8), array([1., 1.], dtype=float32))
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "cleaner": [StrOptions({"default"}), HasMethods(["fit", "transform"]), None],
        "char_ngrams": [tuple, None],
        "char_weight": [Interval(Real, 0, None, closed="neither")],
        "min_char_count": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=512,
        *,
        cleaner="default",
        char_ngrams=(3, 4),
        char_weight=0.7,
        min_char_count=3,
        random_state=None,
    ):
        self.n_components = n_components
        self.cleaner = cleaner
        self.char_ngrams = char_ngrams
        self.char_weight = char_weight
        self.min_char_count = min_char_count
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn vocabularies, weights and the decomposition.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or sequence of str
            The words about each clip; missing values count as empty.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The featurizer.
        """
        self.fit_transform(X)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Learn from the texts and return their vectors; as `fit` and `transform` in one.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or sequence of str
            The words about each clip; missing values count as empty.

        y : None
            Ignored.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_components), float32
            Of length 1, or 0 for a text without words.
        """
        validate_data(self, X, skip_check_array=True)
        self.cleaner_ = self._make_cleaner(X)
        if self.cleaner_ is not None:
            self.cleaner_.fit(X)
        texts = self._texts(X)
        self.word_vectorizer_ = _fit_vocabulary(TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"), texts)
        self.char_vectorizer_ = None
        if self.char_ngrams is not None:
            count = min(self.min_char_count, len(texts))
            chars = TfidfVectorizer(analyzer="char_wb", ngram_range=self.char_ngrams, sublinear_tf=True, min_df=count)
            self.char_vectorizer_ = _fit_vocabulary(chars, texts)
        self._n_features_out = self.n_components
        counts = self._counts(texts)
        self.n_components_ = min(self.n_components, *counts.shape)
        self.svd_ = None
        if counts.nnz:
            self.svd_ = TruncatedSVD(self.n_components_, random_state=self.random_state).fit(counts)
        return self._reduce(counts)

    def transform(self, X):
        """Return the vectors of texts.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or sequence of str
            The words about each clip; missing values count as empty.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_components), float32
            Of length 1, or 0 for a text without known words.
        """
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        return self._reduce(self._counts(self._texts(X)))

    def _make_cleaner(self, X):
        if self.cleaner == "default":
            return MetadataCleaner("title+tags+description", max_tokens=None) if isinstance(X, pd.DataFrame) else None
        return None if self.cleaner is None else clone(self.cleaner)

    def _texts(self, X):
        cleaned = X if self.cleaner_ is None else self.cleaner_.transform(X)
        if isinstance(cleaned, pd.DataFrame):
            fields = [name for name in _FIELDS if name in cleaned]
            if not fields:
                raise DataFormatError(f"Text needs a column of {list(_FIELDS)}; columns are {list(cleaned.columns)}.")
            table = cleaned[fields].fillna("").astype(str)
            if "tags" in table:
                table["tags"] = [split_tags(tags) for tags in table["tags"]]
            names = ["terms" if name == "tags" else name for name in fields]
            return [join_fields(**dict(zip(names, row))) for row in table.itertuples(index=False, name=None)]
        texts = np.asarray(cleaned, dtype=object).ravel()
        return ["" if pd.isna(text) else str(text) for text in texts]

    def _counts(self, texts):
        parts = [sparse.csr_array((len(texts), 0))]
        if self.word_vectorizer_ is not None:
            parts.append(self.word_vectorizer_.transform(texts))
        if self.char_vectorizer_ is not None:
            parts.append(self.char_weight * self.char_vectorizer_.transform(texts))
        return sparse.hstack(parts, format="csr")

    def _reduce(self, counts):
        vectors = np.zeros((counts.shape[0], self.n_components), dtype=np.float32)
        if self.svd_ is not None:
            vectors[:, : self.n_components_] = normalize(self.svd_.transform(counts))
        return vectors

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


def _fit_vocabulary(vectorizer, texts):
    try:
        return vectorizer.fit(texts)
    except ValueError as error:
        if "vocabulary" in str(error) or "no terms remain" in str(error).lower():
            return None
        raise
