"""What a fitted network answers, and what of it is saved."""

import numpy as np
import pandas as pd

from skbst._sklearn import check_is_fitted
from skbst.neural._checks import check_new_data
from skbst.neural._inference import embed_forward_rows, forward_rows
from skbst.neural._objective import leaf_log_proba, top_log_proba
from skbst.neural._session import borrowed_threads, resolve_device, seeded
from skbst.neural._training import make_net

__all__ = ["NetworkAnswersMixin"]


class NetworkAnswersMixin:
    """Logits, probabilities, labels and embeddings of the fitted ``net_``, and its pickle without any torch object."""

    def decision_function(self, X):
        """Logits of the classes.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            What the second-level classifier gives, in the order of ``classes_``; with ``head="lcl"`` the
            log-probabilities after the top-down correction. With two classes, the second one's minus the
            first one's.
        """
        leaf, top = self._logits(X)
        logits = self._leaf_log_proba(leaf, top) if self._head == "lcl" else leaf.astype(np.float64)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_log_proba(self, X):
        """Log-probabilities of the classes, of shape (n_samples, n_classes), float64; see `predict_proba`."""
        return self._leaf_log_proba(*self._logits(X))

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``; rows sum to 1.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The most probable class.
        """
        check_is_fitted(self)
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]

    def predict_top_proba(self, X):
        """Probabilities of the top-level classes.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_top_classes), float64
            In the order of ``top_classes_``. With ``head="gc"`` those of the parallel top-level layer, with
            every other head the sums of the second-level ones.
        """
        leaf, top = self._logits(X)
        if self._head == "gc":
            return np.exp(top_log_proba(top))
        return self.taxonomy_.aggregate(np.exp(self._leaf_log_proba(leaf, top)))

    def embed(self, X):
        """What the network makes of each row, to find neighbours by.

        That is the latent vector before the head. With ``linear_prior=True``, where the head only adds to what linear
        models say, latent vectors tell classes badly apart; there it is the second-level logits, less their mean.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        embedding : ndarray of shape (n_samples, n_embedding), float32
            With ``linear_prior=True`` `n_embedding` is the number of classes.
        """
        return self.embed_predict_proba(X)[0]

    def embed_predict_proba(self, X):
        """What `embed` and `predict_proba` give, in one pass of the network.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            As in `fit`.

        Returns
        -------
        embedding : ndarray of shape (n_samples, n_embedding), float32
            See `embed`.

        proba : ndarray of shape (n_samples, n_classes), float64
            See `predict_proba`.
        """
        embedding, leaf, top = self._forward(embed_forward_rows, X)
        if self._architecture["linear_prior"]:
            embedding = leaf - leaf.mean(axis=1, keepdims=True)
        return embedding, np.exp(self._leaf_log_proba(leaf, top))

    def _forward(self, function, X):
        check_is_fitted(self)
        inputs = check_new_data(self, X)
        chunk_size = 256 if inputs.frames is None else 32
        with borrowed_threads(self.n_threads):
            return function(self.net_.module_, inputs, chunk_size=chunk_size, device=self.net_.device)

    def _logits(self, X):
        return self._forward(forward_rows, X)

    def _leaf_log_proba(self, leaf, top):
        top = top if self._head == "lcl" else None
        return leaf_log_proba(leaf, top, self.taxonomy_.parent_of_leaf, beta=self.beta)

    @property
    def _head(self):
        return self._architecture["head"]

    def __getstate__(self):
        """Plain arrays and parameters; no torch or skorch object."""
        state = dict(super().__getstate__())
        net = state.pop("net_", None)
        if net is not None:
            state["_weights"] = {name: value.cpu().numpy() for name, value in net.module_.state_dict().items()}
            state["history_"] = {name: column.to_numpy() for name, column in self.history_.items()}
        return state

    def __setstate__(self, state):
        """Build the network again, on the CPU where its GPU is not there."""
        state = dict(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is None:
            return
        self.history_ = pd.DataFrame(self.history_)
        device = resolve_device(self.device)
        with seeded(0, device):
            self.net_ = make_net(self, self._architecture, device=device, callbacks=None, train_split=None)
        self.net_.load_weights(weights)
