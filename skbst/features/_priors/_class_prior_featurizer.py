"""What is known of a clip's class before its sound is heard."""

import os
from collections.abc import Mapping, Set
from numbers import Real
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skbst._sklearn import HasMethods, Interval, _fit_context, check_is_fitted
from skbst._tables import id_text
from skbst.exceptions import DataFormatError
from skbst.features._clap._clap_audio_featurizer import ClapAudioFeaturizer
from skbst.features._clap._clap_text_featurizer import ClapTextFeaturizer
from skbst.features._priors._base import PriorMaker
from skbst.features._priors._distribution import normalize_rows
from skbst.features._priors._table import PriorTable
from skbst.features._priors._tag_rules import TagRules
from skbst.features._priors._zero_shot import TEMPLATES, class_prompts, embed_prompts, similarity_prior
from skbst.taxonomy import Taxonomy

__all__ = ["ClassPriorFeaturizer"]


class ClassPriorFeaturizer(PriorMaker):
    """Make the block "prior": a distribution over the classes for each clip, from whatever knows something.

    Rows sum to 1, or are 0 throughout: then nothing is known, and those who use the prior behave as without it. Mass
    of a top-level class ("fx") is spread evenly over its children, that of "other" is dropped.

    Parameters
    ----------
    source : mapping, DataFrame, path, classifier, transformer, tuple or callable
        A **table** by sound_id (the index of `X`): a mapping of sound_id to {label: probability}, to a label or to
        `n_classes` numbers; a DataFrame with one column a label; one with columns "sound_id", "label" and
        "probability"; the path of a CSV or Parquet file with such a table.

        A **fitted classifier**, whose ``predict_proba`` is asked with all of `X`; its classes may be top-level. In
        a pipeline or a search, which copy their steps unfitted, pass ``sklearn.frozen.FrozenEstimator(classifier)``.

        **TagRules**: a table of tags, fitted or not.

        A **text encoder**, such as :class:`SentenceTransformerFeaturizer` or :class:`ClapTextFeaturizer`: zero-shot
        against the names and descriptions of the classes. A :class:`ClapAudioFeaturizer` is compared with the prompts
        in the space of its own checkpoint; a tuple (encoder of clips, encoder of prompts) names both.

        A **callable**, which gets `X` and returns an answer for each row, as in a mapping. Answers with the
        ids of `X` in another order, a DataFrame or Series, go to their clips.

    taxonomy : Taxonomy, default=None
        Names the classes; None takes BST.

    templates : sequence of str, default=("{name}", "This is a sound of {name}.", "{top}: {name}.", \
"{name}. {description}")
        Prompts of a class for a zero-shot: the mean of their directions stands for it. Each names a field of the class.

    temperature : float, default=0.05
        Divisor of the cosines of a zero-shot.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The columns: codes of the leaves, sorted, as ``classes_`` of a classifier.

    taxonomy_ : Taxonomy
        The tree.

    encoder_ : transformer or None
        The fitted encoder of the clips of a zero-shot.

    class_embeddings_ : ndarray of shape (n_classes, n_features) or None
        Directions of the classes of a zero-shot.

    See Also
    --------
    LLMPriorFeaturizer : Asks a language model.
    TagRules : A table of tags.

    Notes
    -----
    A classifier that has seen the labels of the rows that it is asked about is no prior but a leak; make it on other
    rows, or by cross-fitting.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.features import ClassPriorFeaturizer
    >>> clips = pd.DataFrame({"title": ["bark", "?"]}, index=["17", "23"])
    >>> prior = ClassPriorFeaturizer({"17": {"fx-a": 0.6, "ss": 0.4}}).fit(clips)
    >>> prior.transform(clips)[:, prior.classes_ == "fx-a"].ravel()
    array([0.6, 0. ], dtype=float32)
    >>> prior.transform(clips)[0, prior.classes_ == "ss-n"]
    array([0.1], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        "source": [
            Mapping,
            pd.DataFrame,
            str,
            os.PathLike,
            tuple,
            callable,
            HasMethods(["predict_proba"]),
            HasMethods(["transform"]),
        ],
        "taxonomy": [Taxonomy, None],
        "templates": ["array-like"],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, source, *, taxonomy=None, templates=TEMPLATES, temperature=0.05):
        self.source = source
        self.taxonomy = taxonomy
        self.templates = templates
        self.temperature = temperature

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Prepare the source; labels are never looked at.

        Parameters
        ----------
        X : DataFrame, or whatever the source reads
            One row a clip; the index is the sound_id.

        y : None
            Ignored.

        Returns
        -------
        self : ClassPriorFeaturizer
        """
        self._start()
        self.encoder_ = self.class_embeddings_ = None
        source = self.source
        if isinstance(source, type):
            raise DataFormatError(f"source is the class {source.__name__}; pass an object of it.")
        if _is_table(source):
            PriorTable(source, self._distributions)
        elif isinstance(source, TagRules):
            self.encoder_ = clone(source).set_params(taxonomy=self.taxonomy_).fit(X)
        elif hasattr(source, "predict_proba"):
            _check_classifier(source)
            self._distributions.table(
                np.zeros((0, len(source.classes_))), source.classes_.tolist(), where="classifier: "
            )
        elif isinstance(source, tuple) or hasattr(source, "transform"):
            clips, prompts = _two_encoders(source)
            texts = [class_prompts(self.taxonomy_, code, self.templates) for code in self.classes_.tolist()]
            self.class_embeddings_ = embed_prompts(clone(prompts), texts)
            self.encoder_ = clone(clips).fit(X)
        return self

    def transform(self, X):
        """Make the prior.

        Parameters
        ----------
        X : DataFrame, or whatever the source reads
            One row a clip.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float32
            Rows sum to 1 or are 0.

        Raises
        ------
        DataFormatError
            If the source gives something else than distributions over the taxonomy.

        Warns
        -----
        UserWarning
            If nothing is known of any row.
        """
        check_is_fitted(self)
        source = self.source
        if _is_table(source):
            ids = _sound_ids(X)
            return self._tell(PriorTable(source, self._distributions).rows(ids), _no_match(source, ids))
        if isinstance(source, TagRules):
            return self._tell(self.encoder_.transform(X), "No tag has a rule.")
        if hasattr(source, "predict_proba"):
            mass = self._distributions.table(source.predict_proba(X), source.classes_.tolist(), where="classifier: ")
            return normalize_rows(mass)
        if self.encoder_ is not None:
            return similarity_prior(self.encoder_.transform(X), self.class_embeddings_, self.temperature)
        return self._tell(self._ask(source, X), "The callable knows nothing.")

    def _ask(self, source, X):
        answers = _in_the_order_of(X, source(X))
        if isinstance(answers, pd.DataFrame) and len(answers) == len(X):
            return normalize_rows(self._distributions.table(answers, answers.columns.tolist(), where="callable: "))
        if isinstance(answers, (str, Mapping, Set)) or not hasattr(answers, "__len__") or len(answers) != len(X):
            raise DataFormatError(
                f"The callable must give one answer for each of {len(X)} rows; it gave {type(answers).__name__}"
                + (f" of length {len(answers)}." if hasattr(answers, "__len__") else ".")
            )
        return self._distributions.rows(list(answers), where="callable: ")


def _in_the_order_of(X, answers):
    """Answers with the ids of `X`, in another order, are put into its order; those without ids stay as they come."""
    if not all(isinstance(part, (pd.DataFrame, pd.Series)) for part in (X, answers)) or len(X) != len(answers):
        return answers
    # ids of a file that was read again are numbers
    asked, told = ([id_text(sound_id) for sound_id in part.index] for part in (X, answers))
    places = {sound_id: row for row, sound_id in enumerate(told)}
    if asked == told or not places.keys() & set(asked):
        return answers
    if len(places) == len(told) and places.keys() == set(asked):
        return answers.iloc[[places[sound_id] for sound_id in asked]]
    if answers.index.equals(pd.RangeIndex(len(answers))):
        return answers
    raise DataFormatError(
        f"The callable answers for some of the {len(X)} sound_ids of X, but not once for each: its index begins with "
        f"{told[:3]}, that of X with {asked[:3]}. Answer every clip, with its id or without any."
    )


def _check_classifier(source):
    try:
        check_is_fitted(source)
    except NotFittedError as error:
        raise NotFittedError(
            f"The {type(source).__name__} that makes the prior is not fitted. Pipelines and searches copy their steps "
            "unfitted: fit the classifier, and pass sklearn.frozen.FrozenEstimator(classifier)."
        ) from error


def _is_table(source):
    return isinstance(source, (Mapping, pd.DataFrame, str, os.PathLike))


def _two_encoders(source):
    """Encoder of the clips and encoder of the prompts."""
    if isinstance(source, tuple):
        if len(source) != 2 or not all(hasattr(part, "transform") for part in source):
            raise DataFormatError("A tuple as source names two transformers: (encoder of clips, encoder of prompts).")
        return source
    if isinstance(source, ClapAudioFeaturizer):
        names = ("checkpoint", "backend", "device", "n_jobs")
        return source, ClapTextFeaturizer(cleaner=None, **{name: getattr(source, name) for name in names})
    if "cleaner" in source.get_params(deep=False):
        return source, clone(source).set_params(cleaner=None)
    return source, source


def _sound_ids(X):
    if not isinstance(X, (pd.DataFrame, pd.Series)):
        raise DataFormatError(
            f"Priors of a table are found by the index of a DataFrame, the sound_id; got {type(X).__name__}."
        )
    return X.index.tolist()


def _no_match(source, ids):
    what = "the mapping" if isinstance(source, Mapping) else "the table" if isinstance(source, pd.DataFrame) else source
    return f"No sound_id of X (first: {ids[0]!r}) is in {what}." if ids else ""
