"""Classes from their names alone, by CLAP's shared space of sound and text."""

from collections.abc import Mapping
from numbers import Real
from string import Formatter
from typing import ClassVar

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from skbst._sklearn import HasMethods, Interval, _fit_context, check_class_labels, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.features._bundle import FeatureBundle
from skbst.features._clap._clap_text_featurizer import ClapTextFeaturizer
from skbst.taxonomy import Taxonomy, TopLevelMixin, resolve_taxonomy

__all__ = ["ClapZeroShotClassifier"]

_TEMPLATES = ("This is a sound of {name}.", "{top}: {name}.", "{name}. {description}")
_KNOWN_FIELDS = frozenset(("code", "name", "top", "description"))
_BLOCKS = ("clap_audio", "audio")


class ClapZeroShotClassifier(TopLevelMixin, VersionedMixin, ClassifierMixin, BaseEstimator):
    """Classify CLAP audio embeddings by the nearest class prompt; no sound is needed for training.

    Each class is described by several prompts; the mean of their text embeddings, brought to length 1, stands for the
    class, and the probabilities are ``softmax(cosine / temperature)``. A baseline, a prior
    for other classifiers, and a first thing to try.

    Parameters
    ----------
    text_embedder : transformer, default=None
        Makes vectors of a list of prompts. None takes ``ClapTextFeaturizer(cleaner=None)``; it must hold the checkpoint
        that made the audio embeddings.

    templates : sequence of str, default=("This is a sound of {name}.", "{top}: {name}.", "{name}. {description}")
        Prompts of a class. ``{name}``, ``{description}`` and ``{top}`` (name of the top level) are filled from the
        taxonomy, ``{code}`` is the label itself. A template that asks for what the taxonomy does not have is skipped.

    prompts : mapping of label to str or sequence of str, default=None
        Own prompts for some classes, used instead of the templates.

    taxonomy : Taxonomy, default=None
        Names the classes. None takes BST where all labels are BST codes; other labels are their own names.

    temperature : float, default=0.05
        Divisor of the cosines. Only the probabilities depend on it, never the order of the classes.

    block : str, default="auto"
        Block of a :class:`FeatureBundle` with the audio embeddings; "auto" looks for "clap_audio", then "audio".

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    prompts_ : dict of label to list of str
        What was embedded.

    class_embeddings_ : ndarray of shape (n_classes, n_features), float32
        One vector of length 1 per class.

    taxonomy_ : Taxonomy
        Where the names come from.

    n_features_in_ : int
        Length of an embedding.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table.

    Notes
    -----
    The idea and the template "This is a sound of" are those of Wu et al. (ICASSP 2023), section 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skbst.features import ClapZeroShotClassifier
    >>> words = make_pipeline(HashingVectorizer(n_features=64), FunctionTransformer(lambda X: X.toarray()))
    >>> classifier = ClapZeroShotClassifier(words).fit(None, ["fx-a", "ss-n", "m-sp"])
    >>> classifier.prompts_["fx-a"][0]
    'This is a sound of animals.'
    >>> classifier.predict(words.transform(["growl of some animals", "a drum: percussion, solo"])).tolist()
    ['fx-a', 'm-sp']
    """

    _parameter_constraints: ClassVar[dict] = {
        "text_embedder": [HasMethods(["fit", "transform"]), None],
        "templates": ["array-like"],
        "prompts": [Mapping, None],
        "taxonomy": [Taxonomy, None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "block": [str],
    }

    def __init__(
        self,
        text_embedder=None,
        *,
        templates=_TEMPLATES,
        prompts=None,
        taxonomy=None,
        temperature=0.05,
        block="auto",
    ):
        self.text_embedder = text_embedder
        self.templates = templates
        self.prompts = prompts
        self.taxonomy = taxonomy
        self.temperature = temperature
        self.block = block

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Embed the prompts of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), FeatureBundle or None
            Looked at for its number of columns only; None skips that.

        y : array-like of shape (n_samples,)
            Labels; only which ones occur matters, so ``fit(None, classes)`` is enough.

        Returns
        -------
        self : ClapZeroShotClassifier
        """
        y = np.asarray(y) if X is None else self._check_targets(X, y)
        # repeated, because a list of classes looks like a regression target to scikit-learn
        check_class_labels(np.repeat(y, 3))
        self.classes_ = np.unique(y)
        self.taxonomy_ = resolve_taxonomy(self.taxonomy, self.classes_)
        self.prompts_ = {label: self._class_prompts(label) for label in self.classes_.tolist()}
        self.class_embeddings_ = self._embed_classes(list(self.prompts_.values()))
        if X is None:
            self.n_features_in_ = self.class_embeddings_.shape[1]
        elif self.class_embeddings_.shape[1] != self.n_features_in_:
            raise DataFormatError(
                f"The audio embeddings have {self.n_features_in_} numbers, those of the prompts "
                f"{self.class_embeddings_.shape[1]}. Both must come from one CLAP checkpoint."
            )
        return self

    def decision_function(self, X):
        """Return logits: cosine to each class over the temperature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or FeatureBundle
            CLAP audio embeddings; their length does not matter.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes)
            With two classes of shape (n_samples,): second minus first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Return the probability of each class, an ndarray of shape (n_samples, n_classes)."""
        return softmax(self._logits(X), axis=1)

    def predict_log_proba(self, X):
        """Return the logarithm of `predict_proba`."""
        return log_softmax(self._logits(X), axis=1)

    def predict(self, X):
        """Return the class with the nearest prompts, an ndarray of shape (n_samples,)."""
        logits = self._logits(X)
        return self.classes_[logits.argmax(axis=1)]

    def _logits(self, X):
        check_is_fitted(self)
        X = validate_data(self, self._table(X), dtype=np.float64, reset=False)
        norms = np.linalg.norm(X, axis=1, keepdims=True)
        return X / np.where(norms == 0, 1, norms) @ self.class_embeddings_.T.astype(np.float64) / self.temperature

    def _check_targets(self, X, y):
        _, y = validate_data(self, self._table(X), y, dtype=np.float64, reset=True)
        return y

    def _table(self, X):
        if not isinstance(X, FeatureBundle):
            return X
        names = _BLOCKS if self.block == "auto" else (self.block,)
        name = next((name for name in names if name in X), None)
        if name is None:
            raise DataFormatError(f"The bundle has no block {' or '.join(map(repr, names))}; it has {list(X.names)}.")
        return X[name]

    def _class_prompts(self, label):
        own = (self.prompts or {}).get(label)
        if own is not None:
            return [own] if isinstance(own, str) else [str(prompt) for prompt in own]
        code, tree = str(label), self.taxonomy_
        top = str(tree.top_of([code])[0])
        fields = {"code": code, "name": _in_sentence(tree.leaf_names[code])}
        # a flat tree has no names of top levels, and few trees have descriptions
        if top != code:
            fields["top"] = tree.top_names[top]
        if tree.leaf_descriptions[code]:
            fields["description"] = tree.leaf_descriptions[code]
        templates = [str(template) for template in self.templates]
        usable = [text for text in templates if _fields_of(text) <= fields.keys()]
        return list(dict.fromkeys(text.format(**fields).strip() for text in usable)) or [fields["name"]]

    def _embed_classes(self, prompts):
        embedder = ClapTextFeaturizer(cleaner=None) if self.text_embedder is None else clone(self.text_embedder)
        flat = [prompt for group in prompts for prompt in group]
        vectors = np.asarray(embedder.fit(flat).transform(flat), dtype=np.float64)
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(float).tiny)
        stops = np.cumsum([len(group) for group in prompts])
        means = np.stack([part.mean(axis=0) for part in np.split(vectors, stops[:-1])])
        lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(float).tiny)
        return (means / lengths).astype(np.float32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # what a class sounds like comes from its name, not from the rows
        tags.classifier_tags.poor_score = True
        return tags


def _fields_of(template):
    """Names between braces; a misspelt one is an error."""
    names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    if not names <= _KNOWN_FIELDS:
        raise DataFormatError(
            f"Template {template!r} asks for {sorted(names - _KNOWN_FIELDS)}; known are {sorted(_KNOWN_FIELDS)}."
        )
    return names


def _in_sentence(name):
    """Write a class name inside a sentence: "Conversation / Crowd" becomes "conversation or crowd"."""
    return name.replace(" / ", " or ").lower()
