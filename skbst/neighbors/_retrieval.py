"""Retrieval embeddings: what the neighbours of a clip are looked up by."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array

from skbst._block_names import PRIOR_BLOCK
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neighbors._rows import normalized_rows

__all__ = ["retrieval_answers", "retrieval_embedding"]


def retrieval_embedding(X, estimator=None, *, embedding="auto", blocks="auto"):
    """Join the model's features and the embeddings of the clips into one unit vector each.

    Each part is divided by its norm, so that all parts weigh alike: the cosine of two clips is the mean of the
    cosines of their parts. A part of zeros (silence, no text) does not count.

    Parameters
    ----------
    X : FeatureBundle or array-like of shape (n_samples, n_features)
        Clips as the estimator takes them.

    estimator : object, default=None
        Fitted; its ``embed(X)`` of shape (n_samples, n_embedding) gives the model's features. Of a Pipeline the last
        step is asked.

    embedding : {"auto", "model", "blocks", "both"}, default="auto"
        "model" takes only the model's features, "blocks" only what comes with the clips, "both" both; "auto" takes
        both where the estimator has ``embed``, else the blocks.

    blocks : "auto" or list of str, default="auto"
        Blocks of a bundle; "auto" takes all that are 2-D, but for "prior", which is no embedding. A plain array is one
        block.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_dimensions), float32
        Rows of norm 1; 0 where all parts are.

    Raises
    ------
    DataFormatError
        If there is nothing to take an embedding from.

    References
    ----------
    Report, section 2.3: the features of the trained log-STFT model with the CLAP audio and text embeddings.

    Examples
    --------
    >>> from skbst.features import FeatureBundle
    >>> from skbst.neighbors import retrieval_embedding
    >>> bundle = FeatureBundle({"audio": [[3.0, 4.0]], "text": [[0.0, 2.0]]})
    >>> retrieval_embedding(bundle).round(3)
    array([[0.424, 0.566, 0.   , 0.707]], dtype=float32)
    """
    embed = _find_method(estimator, "embed")
    if embed is None and embedding in ("model", "both"):
        raise ValueError(
            f'embedding="{embedding}" needs an estimator with an embed method; {type(estimator).__name__} has none. '
            'Take embedding="blocks", or BranchClassifier.'
        )
    return _joined([] if embed is None or embedding == "blocks" else [embed(X)], X, embedding, blocks)


def retrieval_answers(X, estimator, *, embedding, blocks):
    """Retrieval embeddings and the estimator's probabilities of shape (n_samples, n_classes), float64.

    Where the estimator has ``embed_predict_proba``, that is one pass over the clips instead of two.
    """
    both = _find_method(estimator, "embed_predict_proba")
    if both is None or embedding == "blocks":
        rows = retrieval_embedding(X, estimator, embedding=embedding, blocks=blocks)
        proba = estimator.predict_proba(X)
    else:
        features, proba = both(X)
        rows = _joined([features], X, embedding, blocks)
    return rows, np.asarray(proba, dtype=np.float64)


def _joined(parts, X, embedding, blocks):
    """Join the model's features, if any, and the blocks into unit rows."""
    if embedding != "model":
        parts = parts + _blocks(X, blocks, optional=bool(parts) and embedding == "auto")
    if len(parts) == 1:
        return normalized_rows(parts[0])
    return normalized_rows(np.hstack([normalized_rows(part) for part in parts]))


def _find_method(estimator, name):
    """Return a method of an estimator that takes clips, or None; of a Pipeline the last step's."""
    if isinstance(estimator, Pipeline):
        inner = _find_method(estimator[-1], name)
        return None if inner is None else lambda X: inner(estimator[:-1].transform(X) if len(estimator) > 1 else X)
    return getattr(estimator, name, None)


def _blocks(X, names, *, optional):
    if not isinstance(X, FeatureBundle):
        if names != "auto":
            raise DataFormatError(f"blocks={names!r} names blocks of a FeatureBundle, but X is {type(X).__name__}.")
        return [check_array(X, dtype=np.float32, input_name="X")]
    if names == "auto":
        names = [name for name in X.names if len(X.block_shape(name)) == 2 and name != PRIOR_BLOCK]
        if not names and not optional:
            raise DataFormatError(f"{X!r} has no 2-D block to find neighbours by; add an embedding such as clap_audio.")
    framed = [name for name in names if len(X.block_shape(name)) != 2]
    if framed:
        raise DataFormatError(f"Neighbours are found by 2-D blocks; {framed} of {X!r} are not.")
    return [X[name] for name in names]
