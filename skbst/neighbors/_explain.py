"""What `KNNPriorBlender.explain` tells, as a table."""

import numpy as np
import pandas as pd

from skbst._tables import id_text
from skbst.exceptions import DataFormatError
from skbst.neighbors._flip import flip_points
from skbst.neighbors._prior import blend, neighbour_weights

__all__ = ["bank_metadata", "explanation_frame"]

_RESERVED = {
    *("clip", "rank", "neighbour", "label", "similarity", "weight", "share"),
    *("prediction", "proba", "model_prediction", "model_share", "prior_share"),
    *("flip_below", "flip_below_to", "flip_above", "flip_above_to"),
}


def bank_metadata(metadata, X):
    """Keep a table as plain arrays: its columns, and its index under "id".

    Parameters
    ----------
    metadata : DataFrame or None
        One row per training clip.

    X : object
        Without `metadata`, the index of a DataFrame gives the ids.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_samples,)
        Text as fixed-width strings with missing values as "".

    Raises
    ------
    DataFormatError
        If it is no DataFrame, or a name stands there twice or is one of the explanation's own.
    """
    if metadata is None:
        return {"id": _ids(X.index)} if isinstance(X, pd.DataFrame) else {}
    if not isinstance(metadata, pd.DataFrame):
        raise DataFormatError(f"metadata must be a DataFrame with a row per clip; got {type(metadata).__name__}.")
    names = [str(name) for name in metadata.columns]
    taken = [name for name in names if name in _RESERVED]
    if taken:
        raise DataFormatError(f"Columns {taken} of metadata have names that explain() uses itself; rename them.")
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise DataFormatError(f"Columns {double} of metadata stand there more than once; rename or drop them.")
    columns = {} if "id" in names else {"id": _ids(metadata.index)}
    return columns | {name: _plain(series) for name, (_, series) in zip(names, metadata.items(), strict=True)}


def _ids(index):
    return _plain(index.to_series()) if index.nlevels == 1 else np.array([id_text(name) for name in index])


def _plain(series):
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return series.to_numpy()
    return series.astype(object).where(series.notna(), "").astype(str).to_numpy().astype(str)


def explanation_frame(
    bank, p_model, similarities, indices, told, classes, *, alpha, prior_weight=0.0, p_prior=None, ids=None
):
    """Build the table of `KNNPriorBlender.explain` from one prediction's parts.

    Parameters
    ----------
    bank : EmbeddingBank
        Labels and temperature count.

    p_model : ndarray of shape (n_samples, n_classes)
        The classifier's probabilities.

    similarities, indices : ndarray of shape (n_samples, k)
        Neighbours; those that are not there give no row.

    told : dict of str to ndarray of shape (n_bank,)
        Columns about the rows of the bank.

    classes : ndarray of shape (n_classes,)
        Class of each column of `p_model`.

    alpha, prior_weight : float
        Of the blender.

    p_prior : ndarray of shape (n_samples, n_classes), default=None
        What is known of the clips beforehand.

    ids : array-like of shape (n_samples,), default=None
        Names of the clips.

    Returns
    -------
    explanation : DataFrame
        As documented there.
    """
    labels, weights = bank.labels[indices], neighbour_weights(similarities, bank.temperature)
    prior = bank.prior(similarities, indices)
    proba = blend(p_model, prior, alpha, p_prior=p_prior, prior_weight=prior_weight)
    clips = _per_clip(p_model, prior, proba, alpha, classes, p_prior, prior_weight)
    winner, top = proba.argmax(axis=1), proba.max(axis=1)
    rest = np.ones(len(proba)) if p_prior is None else np.where(p_prior.any(axis=1), 1 - prior_weight, 1)
    share = (alpha * rest)[:, None] * weights * (labels == winner[:, None]) / np.where(top == 0, 1, top)[:, None]
    clip, rank = np.nonzero(indices >= 0)
    neighbour = indices[clip, rank]
    names = np.arange(len(p_model)) if ids is None else np.asarray(ids)
    if len(names) != len(p_model):
        raise DataFormatError(f"There are {len(p_model)} clips, but {len(names)} ids.")
    columns = {"clip": names[clip], "rank": rank + 1}
    columns |= {name: values[neighbour] for name, values in told.items()}
    columns |= {"label": classes[labels[clip, rank]], "similarity": similarities[clip, rank]}
    columns |= {"weight": weights[clip, rank], "share": share[clip, rank]}
    return pd.DataFrame(columns | {name: values[clip] for name, values in clips.items()})


def _per_clip(p_model, prior, proba, alpha, classes, p_prior, beta):
    rows, winner = np.arange(len(proba)), proba.argmax(axis=1)
    alone, top = ~prior.any(axis=1), proba[rows, proba.argmax(axis=1)]
    q = np.zeros_like(proba) if p_prior is None else p_prior
    known = q.any(axis=1)
    # the prior has the same say at every alpha, so it moves both ends of the line
    ends = [blend(end, q, beta) for end in (p_model, prior)]
    below, above, class_below, class_above = flip_points(ends[0], np.where(alone[:, None], 0, ends[1]), alpha)
    own = np.where(alone, 1, 1 - alpha) * np.where(known, 1 - beta, 1) * p_model[rows, winner]
    columns = {
        "prediction": classes[winner],
        "proba": top,
        "model_prediction": classes[p_model.argmax(axis=1)],
        "model_share": own / np.where(top == 0, 1, top),
    }
    if p_prior is not None and beta > 0:
        columns["prior_share"] = beta * q[rows, winner] / np.where(top == 0, 1, top)
    return columns | {
        "flip_below": below,
        "flip_below_to": _names(classes, class_below),
        "flip_above": above,
        "flip_above_to": _names(classes, class_above),
    }


def _names(classes, positions):
    return np.where(positions < 0, None, classes.astype(object)[positions])
