"""What the embedding bank of a fitted blender can be asked."""

from skbst._sklearn import check_is_fitted
from skbst.features import class_prior
from skbst.neighbors._explain import explanation_frame
from skbst.neighbors._leave_one_out import leave_one_out_prior
from skbst.neighbors._prior import blend, neighbour_prior
from skbst.neighbors._retrieval import retrieval_answers, retrieval_embedding
from skbst.neighbors._search import top_k_cosine

__all__ = ["BankQueriesMixin"]


class BankQueriesMixin:
    """Neighbours, their class distribution, and explanations, out of the bank that the host has built in `fit`."""

    def kneighbors(self, X, n_neighbors=None, *, groups=None):
        """Find the nearest training rows.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        n_neighbors : int, default=None
            How many; None takes ``k``.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``.

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
        return self._search(queries, self.k if n_neighbors is None else n_neighbors, groups)

    def neighbour_proba(self, X, *, groups=None):
        """Class distribution of the neighbours alone.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        groups : array-like of shape (n_samples,), default=None
            As in `predict_proba`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Zeros where there is no neighbour.
        """
        check_is_fitted(self)
        self._check_groups_given(groups)
        queries = retrieval_embedding(X, self.estimator_, embedding=self.embedding, blocks=self.blocks)
        return self._prior(*self._search(queries, self._within_bank(self.k), groups))

    def class_prior(self, X):
        """What is known of the clips beforehand, as `skbst.features.class_prior`; None without a block "prior"."""
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
        prior = leave_one_out_prior(
            self.bank_,
            self.bank_labels_,
            len(self.classes_),
            k=self.k,
            temperature=self.temperature,
            groups=self.bank_groups_ if self.exclude_own_group else None,
        )
        return blend(self.train_proba_, prior, self.alpha, p_prior=self.bank_prior_, prior_weight=self.prior_weight)

    def explain(self, X, *, groups=None, ids=None):
        """Tell which training sounds had a say in each decision, and what it would take to change it.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``.

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
        p_model, similarities, indices = self.proba_and_neighbours(X, groups=groups)
        return explanation_frame(self, p_model, similarities, indices, ids, self.class_prior(X))

    def proba_and_neighbours(self, X, n_neighbors=None, *, groups=None):
        """Return what `predict_proba` blends, in one pass over the clips where that is possible.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        n_neighbors : int, default=None
            How many, or as many as the bank has; None takes ``k``.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``.

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
        return p_model, *self._search(queries, self._within_bank(n_neighbors or self.k), groups)

    def _within_bank(self, k):
        return max(1, min(k, len(self.bank_)))

    def _prior(self, similarities, indices):
        return neighbour_prior(similarities, self.bank_labels_[indices], len(self.classes_), self.temperature)

    def _check_groups_given(self, groups):
        if self.exclude_own_group and groups is None:
            raise ValueError(
                "exclude_own_group=True needs groups at prediction too: pass groups=uploaders, or set "
                "exclude_own_group=False for clips of unknown origin."
            )

    def _search(self, queries, n_neighbors, groups):
        return top_k_cosine(
            queries,
            self.bank_,
            n_neighbors,
            query_groups=groups if self.exclude_own_group else None,
            bank_groups=self.bank_groups_ if self.exclude_own_group else None,
            normalize=False,
        )


def whole_tree(classifier):
    """The tree that a classifier, or the one inside it, was given; None where it was given none."""
    while classifier is not None:
        if getattr(classifier, "taxonomy", None) is not None:
            return classifier.taxonomy
        steps = getattr(classifier, "steps", None)
        classifier = steps[-1][1] if steps else getattr(classifier, "estimator", None)
    return None
