"""Cleaning of titles, tags and descriptions as a scikit-learn transformer."""

from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from skbst._groups import groups_by_any_name
from skbst._sklearn import Interval, StrOptions, _fit_context, _num_samples, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.text._clean_row import clean_row, prepare
from skbst.text._cleaning_log import CleaningLog
from skbst.text._read_rows import FIELDS, read_texts, read_uploaders
from skbst.text._steps import strip_boilerplate
from skbst.text._templates import find_templates
from skbst.text._uploader_tags import find_uploader_tags, squash
from skbst.text._views import approximate_token_count, truncate_fields

__all__ = ["MetadataCleaner"]


class MetadataCleaner(VersionedMixin, TransformerMixin, BaseEstimator):
    """Keep of titles, tags and descriptions what says how a clip sounds.

    Titles lose file extensions, dates and numbers and are unfolded from file names to words. Tags are split into
    terms and filtered of device names, file formats, dates, numbers and pack codes. Descriptions lose
    HTML, web and e-mail addresses, line breaks, sentences on licence, credit and equipment, and the templates
    of an uploader: sentences that one uploader repeats under many clips, learnt in `fit`. Unicode is
    brought into one form; languages are left alone.

    Cleaning twice gives what cleaning once gives, and a clip that had a word (outside markup and addresses)
    keeps one: where everything would go, the title, else the tags, else the description stay nearly as they were.

    Parameters
    ----------
    view : {None, "title", "title+tags", "title+tags+description"}, default=None
        None returns a table like `X` with the three columns cleaned. A view returns one text per clip,
        ``"{title}. {tags}. {description}"`` of its fields (see :func:`~skbst.text.join_fields`).

    min_repeats : int, default=10
        How many clips of one uploader must share a sentence before it counts as a template.

    max_tokens : int or None, default=77
        Longest text of a view, in tokens with the start and end marks: 77 is what CLAP's text encoder
        reads. The title is kept first, then tags, then the description. None cuts nothing.

    token_counter : callable, default=None
        Takes a text, returns its number of tokens; None estimates
        (:func:`~skbst.text.approximate_token_count`).

    extra_tags : sequence of str, default=None
        Further tags to drop, in any case, with hyphens or spaces.

    Attributes
    ----------
    fields_ : tuple of str
        Which of "title", "tags", "description" `X` has.

    template_keys_ : ndarray of shape (n_templates,), str
        Keys of the sentences learnt as templates.

    uploader_tags_ : ndarray of shape (n_tags,), str
        Tags that are the name of the uploader who uses them.

    report_ : DataFrame
        What cleaning took out of the rows seen in `fit`, one line per field and step: in how many rows
        (``n_rows``, ``share``), how many pieces (``n_pieces``) and the most frequent of them (``examples``).

    templates_ : DataFrame
        The learnt templates: ``template``, ``uploader`` who uses it most, ``n_rows``.

    n_features_in_ : int
        Number of columns of `X`, where it is a table.

    feature_names_in_ : ndarray of str
        Names of the columns, where `X` is a DataFrame.

    Notes
    -----
    Templates and uploader names are learnt from the rows of `fit` alone and removed from any row, whoever uploaded
    it, so that prediction needs no uploader. Pass the uploaders as ``fit(X, groups=...)``; inside a
    Pipeline request them with ``MetadataCleaner().set_fit_request(groups=True)`` and
    ``sklearn.set_config(enable_metadata_routing=True)``. Without them a column "uploader" of `X` is used if there
    is one; else sentences are counted over all rows together.

    References
    ----------
    Technical report "A multi-branch hierarchy-aware framework for heterogeneous audio classification", DCASE 2026
    Task 1, sections 2.4 and 3.1.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.text import MetadataCleaner
    >>> X = pd.DataFrame({
    ...     "title": ["Rain_roof_02.wav"],
    ...     "tags": ["rain,field-recording,zoom-h4n,2008"],
    ...     "description": ["<b>Heavy</b> rain on a tin roof.<br>Please credit me: http://example.org"],
    ... }, index=["1234"])
    >>> cleaner = MetadataCleaner(view="title+tags+description").fit(X)
    >>> cleaner.transform(X)["1234"]
    'Rain roof. rain, field recording. Heavy rain on a tin roof.'
    >>> cleaner.report_.loc[:, ["field", "step", "n_rows"]].head(3)
         field       step  n_rows
    0    title  extension       1
    1    title    numbers       1
    2     tags       date       1
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "view": [StrOptions({"title", "title+tags", "title+tags+description"}), None],
        "min_repeats": [Interval(Integral, 2, None, closed="left")],
        "max_tokens": [Interval(Integral, 3, None, closed="left"), None],
        "token_counter": [callable, None],
        "extra_tags": ["array-like", set, frozenset, None],
    }

    def __init__(self, view=None, *, min_repeats=10, max_tokens=77, token_counter=None, extra_tags=None):
        self.view = view
        self.min_repeats = min_repeats
        self.max_tokens = max_tokens
        self.token_counter = token_counter
        self.extra_tags = extra_tags

    def fit(self, X, y=None, *, groups=None, uploader=None):
        """Learn the templates of uploaders, and report what cleaning takes out.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            Missing values count as empty text. A plain sequence is taken as descriptions.

        y : ignored
            Exists for API consistency.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip; None takes the column "uploader" of `X` where there is one. A text of nobody (None,
            NaN, pd.NA or "") is counted with no other.

        uploader : array-like of shape (n_samples,), default=None
            The old name of `groups`.

        Returns
        -------
        self : MetadataCleaner
        """
        self.fit_transform(X, y, groups=groups_by_any_name(groups, uploader, "MetadataCleaner"))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, *, groups=None, uploader=None):
        """Fit, and return the cleaned rows; same arguments as `fit`.

        Returns
        -------
        cleaned : DataFrame or ndarray of shape (n_samples,), str
            As from ``fit(X).transform(X)``.
        """
        fields = self._read(X, reset=True)
        groups = groups_by_any_name(groups, uploader, "MetadataCleaner")
        uploaders = read_uploaders(X, groups, _num_samples(X))
        prepared = [strip_boilerplate(prepare(text)) for text in fields["description"]]
        found = find_templates(prepared, uploaders, titles=fields["title"], min_repeats=self.min_repeats)
        self.template_keys_ = np.array(list(found), dtype=str)
        self.uploader_tags_ = np.array(find_uploader_tags(fields["tags"], uploaders), dtype=str)
        self._templates = {
            "template": list(found),
            "uploader": [group for group, _ in found.values()],
            "n_rows": [count for _, count in found.values()],
        }
        log = CleaningLog()
        cleaned = self._clean(fields, log)
        self._report = log.summarise(_num_samples(X))
        return self._write(X, cleaned)

    def transform(self, X):
        """Clean.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        cleaned : DataFrame, Series or ndarray of str
            ``view=None``: the table with its three columns cleaned, tags joined by ``", "``. A view: a Series
            "text" with the index of `X`. A plain sequence: an array of texts.
        """
        check_is_fitted(self)
        return self._write(X, self._clean(self._read(X, reset=False), None))

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the output.

        Parameters
        ----------
        input_features : ignored
            Exists for API consistency.

        Returns
        -------
        names : ndarray of str
            The columns of `X`, or "text" for a view.
        """
        check_is_fitted(self)
        if self.view is None and self.fields_:
            return self.feature_names_in_
        return np.array(["text"], dtype=object)

    @property
    def report_(self):
        """What cleaning took out of the rows of `fit`, a DataFrame."""
        check_is_fitted(self)
        return pd.DataFrame(self._report)

    @property
    def templates_(self):
        """The learnt templates, a DataFrame."""
        check_is_fitted(self)
        return pd.DataFrame(self._templates)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "template_keys_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags

    def _read(self, X, *, reset):
        if isinstance(X, pd.DataFrame):
            present = tuple(field for field in FIELDS if field in X.columns)
            if not present:
                raise DataFormatError(
                    f"X needs at least one of the columns {list(FIELDS)}; got {list(X.columns)[:10]}."
                )
            if not reset and not self.fields_:
                raise DataFormatError("This MetadataCleaner was fitted on texts and got a table; fit it on a table.")
            validate_data(self, X, reset=reset, skip_check_array=True)
            columns = {field: read_texts(X[field]) for field in present}
        else:
            texts = read_texts(X)
            present, columns = (), {"description": texts}
        if reset:
            self.fields_ = present
        return {field: columns.get(field, [""] * _num_samples(X)) for field in FIELDS}

    def _clean(self, fields, log):
        templates = frozenset(self.template_keys_.tolist())
        own = {squash(tag) for tag in self.uploader_tags_.tolist()}
        extra = {squash(tag) for tag in (self.extra_tags if self.extra_tags is not None else ())}
        rows = zip(*(fields[field] for field in FIELDS))
        return [clean_row(row, templates, own, extra, log) for row in rows]

    def _write(self, X, cleaned):
        if isinstance(X, pd.DataFrame) and self.view is None:
            table = X.copy()
            values = {
                "title": [title for title, _, _ in cleaned],
                "tags": [", ".join(terms) for _, terms, _ in cleaned],
                "description": [description for _, _, description in cleaned],
            }
            for field in self.fields_:
                table[field] = values[field]
            return table
        texts = np.array([self._view(*row) for row in cleaned], dtype=object)
        if isinstance(X, (pd.DataFrame, pd.Series)):
            return pd.Series(texts, index=X.index, name="text", dtype=object)
        return texts

    def _view(self, title, terms, description):
        view = self.view or "title+tags+description"
        return truncate_fields(
            title,
            terms if "tags" in view else [],
            description if "description" in view else "",
            max_tokens=self.max_tokens,
            token_counter=self.token_counter or approximate_token_count,
        )
