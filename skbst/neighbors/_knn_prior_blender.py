"""A classifier that blends the labels of the nearest training clips into another classifier's probabilities."""

from copy import copy
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst._docstrings import completed_by
from skbst._groups import stored_groups, with_groups
from skbst._proba import check_has_proba, check_proba, columns_seen
from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context, check_class_labels, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.features import class_prior
from skbst.neighbors._corrections import corrections_of_bank
from skbst.neighbors._embedding_bank import EmbeddingBank, whole_tree
from skbst.neighbors._explain import bank_metadata, explanation_frame
from skbst.neighbors._fit_with_bank import fit_with_bank
from skbst.neighbors._prior import blend, decision_scores
from skbst.neighbors._retrieval import retrieval_answers, retrieval_embedding
from skbst.neighbors._rows import counted_rows, label_positions
from skbst.taxonomy import TopLevelMixin, taxonomy_of

__all__ = ["KNNPriorBlender"]


class KNNPriorBlender(
    TopLevelMixin,
    VersionedMixin,
    CallbackSupportMixin,
    ClassifierMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    r"""Blend a neighbour prior into the probabilities of any classifier.

    ``fit`` trains a clone of the classifier and keeps an embedding bank of the training rows. A prediction looks up
    the k nearest of them by cosine similarity and mixes their labels with the model's probabilities:

    .. math::

        p_{final} = (1 - \alpha)\, p_{model} + \alpha\, p_{neighbour}, \quad
        p_{neighbour}(c) = \sum_{i=1}^k w_i [y_i = c], \quad w = \mathrm{softmax}(\cos / T)

    What is known of a clip beforehand, the block "prior" of a bundle, may be one more voice (see `blend`).

    Parameters
    ----------
    estimator : classifier
        Has ``predict_proba``; cloned, or taken as it is inside a `FrozenEstimator`. Its ``embed(X)``, where there is
        one, gives the model's features; with ``embed_predict_proba(X)``, which gives both, a clip passes it once.

    alpha : float in [0, 1], default=0.5
        Share of the neighbours; 0 is the model alone, 1 the neighbours alone.

    k : int, default=10
        Number of neighbours; a smaller bank is used whole.

    temperature : float, default=0.1
        Divisor of the cosines before the softmax.

    embedding : {"auto", "model", "blocks", "both"}, default="auto"
        What neighbours are found by: the model's features, the embeddings that come with the clips, or both, each
        part divided by its norm. "auto" takes both where the classifier has ``embed``, else the blocks.

    blocks : "auto" or list of str, default="auto"
        Blocks of a `FeatureBundle` to use; "auto" takes all that are 2-D. A plain array is one block (its cosines
        mean something only if its columns are comparable).

    exclude_own_group : bool, default=False
        Whether a clip's own group (its uploader) is left out of its neighbours. Needs ``groups`` in ``fit`` and in
        every prediction.

    prior_weight : float in [0, 1], default=0.0
        Share of the class prior. 0 leaves it to the classifier, which may read it too.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes, the columns of `predict_top_proba`.

    bank_ : ndarray of shape (n_bank, n_dimensions), float32
        Retrieval embeddings of the training rows, of norm 1 (or 0). Rows of ``sample_weight`` 0 stay out.

    bank_rows_ : ndarray of shape (n_bank,), int
        Positions of the bank's rows among the training rows.

    bank_labels_ : ndarray of shape (n_bank,), int
        Positions of their labels in ``classes_``.

    bank_groups_ : ndarray of shape (n_bank,) or None
        Their groups, if given; "" (among other types None) for a row of nobody.

    bank_metadata_ : dict of str to ndarray of shape (n_bank,)
        Columns of ``metadata``, if given, for `explain`; its index is the column "id".

    train_proba_ : ndarray of shape (n_bank, n_classes), float64
        The classifier's own probabilities of the bank's rows, which it was trained on.

    bank_prior_ : ndarray of shape (n_bank, n_classes) or None
        What was known of the bank's rows beforehand.

    n_features_in_ : int
        Number of features, where the classifier knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the classifier knows them.

    See Also
    --------
    skbst.model_selection.KNNBlendSearchCV : Searches all of these numbers at the cost of one fit per fold.
    skbst.features.ClassPriorFeaturizer : Makes the block "prior".

    References
    ----------
    Report, section 2.3, equations 5 and 6.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.neighbors import KNNPriorBlender
    >>> X, y = load_iris(return_X_y=True)
    >>> blender = KNNPriorBlender(LogisticRegression(max_iter=500), alpha=0.4, k=5).fit(X, y)
    >>> blender.predict_proba(X[:1]).round(2)
    array([[0.99, 0.01, 0.  ]])
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}
    __metadata_request__score: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "embedding": [StrOptions({"auto", "model", "blocks", "both"})],
        "blocks": [StrOptions({"auto"}), list, tuple],
        "exclude_own_group": ["boolean"],
        "prior_weight": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        estimator,
        *,
        alpha=0.5,
        k=10,
        temperature=0.1,
        embedding="auto",
        blocks="auto",
        exclude_own_group=False,
        prior_weight=0.0,
    ):
        self.estimator = estimator
        self.alpha = alpha
        self.k = k
        self.temperature = temperature
        self.embedding = embedding
        self.blocks = blocks
        self.exclude_own_group = exclude_own_group
        self.prior_weight = prior_weight

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, metadata=None, **fit_params):
        """Fit the classifier and build the bank.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``, and for the classifier and its parts whose ``fit`` takes
            groups (with metadata routing, where they have requested them); a missing value (None, NaN, pd.NA or "") is
            nobody's.

        metadata : DataFrame of n_samples rows, default=None
            What `explain` shall tell of a training sound (title, licence ...); its index is taken for the ids. Names
            of the explanation's own columns are refused.

        **fit_params : dict
            Go to the classifier's ``fit``; with metadata routing, those that it has requested.

        Returns
        -------
        self : KNNPriorBlender
            Fitted.
        """
        check_has_proba(self.estimator, self)
        if self.exclude_own_group and groups is None:
            raise ValueError("exclude_own_group=True needs groups; pass fit(X, y, groups=uploaders).")
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        check_consistent_length(X, y, groups, metadata)
        if get_config()["enable_metadata_routing"]:
            own = {name: value for name, value in (("groups", groups), ("metadata", metadata)) if value is not None}
            fit_params = process_routing(self, "fit", **own, **fit_params).estimator.fit
        else:
            fit_params = with_groups(self.estimator, groups, fit_params)
        rows = counted_rows(y, fit_params.get("sample_weight"))
        columns = bank_metadata(metadata, X)
        context = self._init_callback_context(max_subtasks=1).call_on_fit_task_begin(estimator=self, X=X, y=y)
        self.estimator_, bank, train_proba = fit_with_bank(
            self.estimator,
            X,
            y,
            fit_params,
            embedding=self.embedding,
            blocks=self.blocks,
            context=context.subcontext(task_name="fit-estimator"),
        )
        self.classes_ = np.asarray(self.estimator_.classes_)
        self.bank_rows_ = rows
        all_count = len(rows) == len(y)
        self.bank_, self.train_proba_ = (bank, train_proba) if all_count else (bank[rows], train_proba[rows])
        self.bank_labels_ = label_positions(y[rows], self.classes_)
        prior = class_prior(X, self.classes_, taxonomy=whole_tree(self.estimator_))
        self.bank_prior_ = None if prior is None else prior[rows]
        self.bank_groups_ = None if groups is None else stored_groups(groups)[rows]
        self.bank_metadata_ = {name: values[rows] for name, values in columns.items()}
        vars(self).update(columns_seen(self.estimator_))
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @property
    def top_classes_(self):
        """Top-level codes, the columns of `predict_top_proba`."""
        check_is_fitted(self)
        return taxonomy_of(self).tops

    def predict_proba(self, X, *, groups=None):
        """Blend the model's probabilities with the neighbours'.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``. A clip without any neighbour keeps the model's.
        """
        check_is_fitted(self)
        p_model, similarities, indices = self.proba_and_neighbours(X, groups=groups)
        neighbours, known = self._bank().prior(similarities, indices), self.class_prior(X)
        return blend(p_model, neighbours, self.alpha, p_prior=known, prior_weight=self.prior_weight)

    @completed_by(predict_proba)
    def proba_and_neighbours(self, X, n_neighbors=None, *, groups=None):
        """Return what `predict_proba` blends, in one pass over the clips where that is possible.

        Parameters
        ----------
        n_neighbors : int, default=None
            How many, or as many as the bank has; None takes ``k``.

        Returns
        -------
        p_model : ndarray of shape (n_samples, n_classes), float64
            Probabilities of the classifier alone.

        similarities, indices : ndarray of shape (n_samples, min(n_neighbors, n_bank))
            As in `kneighbors`.
        """
        check_is_fitted(self)
        self._check_groups_given(groups)
        queries, p_model = retrieval_answers(X, self.estimator_, embedding=self.embedding, blocks=self.blocks)
        p_model = check_proba(p_model, len(self.classes_))
        n_neighbors = None if n_neighbors is None else max(1, min(n_neighbors, len(self.bank_)))
        return p_model, *self._bank().nearest(queries, n_neighbors, groups=groups)

    @completed_by(predict_proba)
    def kneighbors(self, X, n_neighbors=None, *, groups=None):
        """Find the nearest training rows.

        Parameters
        ----------
        n_neighbors : int, default=None
            How many; None takes ``k``.

        Returns
        -------
        similarities : ndarray of shape (n_samples, n_neighbors), float32
            Cosines, falling; -inf where the bank is exhausted.

        indices : ndarray of shape (n_samples, n_neighbors), int64
            Positions in the bank; -1 where it is exhausted.
        """
        check_is_fitted(self)
        self._check_groups_given(groups)
        queries = retrieval_embedding(X, self.estimator_, embedding=self.embedding, blocks=self.blocks)
        return self._bank().nearest(queries, self.k if n_neighbors is None else n_neighbors, groups=groups)

    @completed_by(predict_proba)
    def neighbour_proba(self, X, *, groups=None):
        """Class distribution of the neighbours alone.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Zeros where there is no neighbour.
        """
        check_is_fitted(self)
        self._check_groups_given(groups)
        queries = retrieval_embedding(X, self.estimator_, embedding=self.embedding, blocks=self.blocks)
        return self._bank().prior(*self._bank().nearest(queries, groups=groups))

    @completed_by(predict_proba)
    def class_prior(self, X):
        """What is known of the clips beforehand, as `skbst.features.class_prior`.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), or None
            None without a block "prior".
        """
        check_is_fitted(self)
        return class_prior(X, self.classes_, taxonomy=whole_tree(self.estimator_))

    def leave_one_out_proba(self):
        """Blend for the rows of the bank themselves, each looking only at the others.

        The neighbours' half has not seen the row (nor, with ``exclude_own_group``, its group); the model's half has.

        Returns
        -------
        proba : ndarray of shape (n_bank, n_classes), float64
            In the order of ``bank_rows_`` and of ``classes_``.
        """
        check_is_fitted(self)
        known = {"p_prior": self.bank_prior_, "prior_weight": self.prior_weight}
        return blend(self.train_proba_, self._bank().leave_one_out(), self.alpha, **known)

    @completed_by(predict_proba)
    def explain(self, X, *, groups=None, ids=None):
        """Tell which training sounds had a say in each decision, and what it would take to change it.

        Parameters
        ----------
        ids : array-like of shape (n_samples,), default=None
            Names of the clips; None numbers them.

        Returns
        -------
        explanation : DataFrame
            One row per clip and neighbour, nearest first. ``clip``, ``rank``, ``neighbour`` (position among the
            training rows), the columns of ``metadata``, ``label``, ``similarity``, ``weight`` (sums to 1 over a
            clip's neighbours) and ``share`` (part of the final probability of the predicted class that this neighbour
            contributes). The same for all rows of a clip: ``prediction``, ``proba``, ``model_prediction``,
            ``model_share`` (of the classifier), with a class prior ``prior_share``, and the alphas at which the
            decision would flip:
            ``flip_below``, ``flip_above`` with the classes ``flip_below_to``, ``flip_above_to``; missing where no
            alpha on that side changes it.
        """
        check_is_fitted(self)
        told = {"neighbour": self.bank_rows_, **self.bank_metadata_}
        weights = {"alpha": self.alpha, "prior_weight": self.prior_weight, "p_prior": self.class_prior(X)}
        answers = self.proba_and_neighbours(X, groups=groups)
        return explanation_frame(self._bank(), *answers, told, self.classes_, ids=ids, **weights)

    def _bank(self):
        """The fitted arrays with the parameters as they are now."""
        groups = self.bank_groups_ if self.exclude_own_group else None
        return EmbeddingBank(self.bank_, self.bank_labels_, len(self.classes_), self.k, self.temperature, groups)

    def _check_groups_given(self, groups):
        if self.exclude_own_group and groups is None:
            raise ValueError(
                "exclude_own_group=True needs groups at prediction too: pass groups=uploaders, or set "
                "exclude_own_group=False for clips of unknown origin."
            )

    def predict_log_proba(self, X, *, groups=None):
        """Logarithm of `predict_proba`; -inf where that is 0."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X, groups=groups))

    def decision_function(self, X, *, groups=None):
        """Blended log-probabilities (n_samples, n_classes); with two classes their difference (n_samples,).

        Finite: a probability of 0 counts as the smallest positive number.
        """
        check_is_fitted(self)
        return decision_scores(self.predict_proba(X, groups=groups))

    def predict(self, X, *, groups=None):
        """Class of the highest blended probability, ndarray of shape (n_samples,); parameters as in `predict_proba`.

        Equal ones go to the first in ``classes_``.
        """
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X, groups=groups).argmax(axis=1)]

    def score(self, X, y, sample_weight=None, *, groups=None):
        """Return the accuracy on `X` and `y`; `groups` as in `predict`."""
        check_is_fitted(self)
        return accuracy_score(y, self.predict(X, groups=groups), sample_weight=sample_weight)

    def correct(self, rows, labels):
        """Take over corrected labels of training rows into the bank at once; nothing is trained.

        The classifier's half still answers as it learnt; the neighbours' half counts the corrections from now on.

        Parameters
        ----------
        rows : array-like of shape (n_corrections,), int
            Positions among the rows of `fit`, as `explain` tells them under ``neighbour``.

        labels : array-like of shape (n_corrections,)
            The right class of each, among ``classes_``.

        Returns
        -------
        corrected : KNNPriorBlender
            A new fitted model, which shares classifier and embeddings with this one; this one stays as it is.

        Raises
        ------
        DataFormatError
            If a row is not in the bank or stands there twice with two labels, or a label is none that the classifier
            knows; for a class that it has never seen, fit again.

        Examples
        --------
        >>> from sklearn.dummy import DummyClassifier
        >>> from skbst.neighbors import KNNPriorBlender
        >>> X, y = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["fx-a", "m-sp", "m-sp"]
        >>> blender = KNNPriorBlender(DummyClassifier(), alpha=1.0, k=1).fit(X, y)
        >>> corrected = blender.correct([1], ["fx-a"])
        >>> blender.predict([[0.9, 0.1]]), corrected.predict([[0.9, 0.1]])
        (array(['m-sp'], dtype='<U4'), array(['fx-a'], dtype='<U4'))
        """
        check_is_fitted(self)
        places, codes = corrections_of_bank(rows, labels, self.bank_rows_, self.classes_)
        corrected = copy(self)
        corrected.bank_labels_ = self.bank_labels_.copy()
        corrected.bank_labels_[places] = codes
        return corrected

    def get_metadata_routing(self):
        """Get metadata routing: ``groups`` and ``metadata`` are used here, the rest goes to the classifier's fit."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def __setstate__(self, state):
        # what was saved before there were class priors knows none
        earlier = {"prior_weight": 0.0, "bank_prior_": None} if "bank_" in state else {"prior_weight": 0.0}
        super().__setstate__({**earlier, **state})
