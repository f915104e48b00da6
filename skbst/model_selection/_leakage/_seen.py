"""Which clips something was fitted on, read off the thing itself."""

import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skbst._sklearn import check_is_fitted
from skbst._tables import id_text
from skbst.exceptions import DataFormatError
from skbst.neighbors import KNNPriorBlender

__all__ = ["banked_ids", "ids_per_fold", "ids_to_compare"]

_INSTEAD = "pass the ids of the rows that it was fitted on."


def ids_to_compare(ids):
    """Write ids so that those of one clip are equal: 17 as 17.0 and "17", letters as NFC; "" where there is none."""
    return np.array([unicodedata.normalize("NFC", id_text(name)) for name in ids], dtype=str)


def ids_per_fold(name, source, n_folds, *, has_levels=False):
    """Ids of the clips that something has seen before each fold is tested, and how it has seen them.

    Parameters
    ----------
    name : str
        What the user calls it, for errors.

    source : object
        Ids; a table, which counts by its index; a fitted `KNNPriorBlender` or what holds one, which count by their
        banks; a Bunch with ``seen_ids``. Or a list of one such thing per fold.

    n_folds : int
        Number of folds.

    has_levels : bool, default=False
        Whether ids are tuples.

    Returns
    -------
    ids : list of ndarray of str
        One per fold.

    how : list of str
        Words for the evidence, one per fold.
    """
    sources = _as_list(source, n_folds, has_levels)
    if len(sources) != n_folds:
        raise DataFormatError(f"seen[{name!r}]: expected one entry per fold ({n_folds}); got {len(sources)} entries.")
    found = [_ids_of(name, part) for part in sources]
    return [ids_to_compare(ids) for ids, _ in found], [how for _, how in found]


def _as_list(source, n_folds, has_levels):
    if isinstance(source, str | bytes):
        return [[source]] * n_folds
    if isinstance(source, (BaseEstimator, Bunch, pd.DataFrame, pd.Index)):
        return [source] * n_folds
    entries = list(source)
    # ids of a table with several levels are tuples of ids, and so could a fold's be
    is_flat = not any(_holds_ids(entry) or (isinstance(entry, tuple) and not has_levels) for entry in entries)
    return [entries] * n_folds if is_flat else entries


def _holds_ids(entry):
    return isinstance(entry, (BaseEstimator, Mapping, pd.DataFrame, pd.Index, pd.Series, np.ndarray, list, set, range))


def _ids_of(name, source):
    if isinstance(source, BaseEstimator):
        banks = list(_banks(source))
        if not banks:
            raise DataFormatError(f"seen[{name!r}]: {type(source).__name__} keeps no rows of its training; {_INSTEAD}")
        return np.concatenate([_bank_ids(name, bank) for bank in banks]), "in the bank of KNNPriorBlender"
    if isinstance(source, Bunch):
        if "seen_ids" not in source:
            raise DataFormatError(f"seen[{name!r}]: this Bunch has no seen_ids; {_INSTEAD}")
        return source["seen_ids"], f"seen by {name}"
    return source.index if isinstance(source, pd.DataFrame) else source, f"seen by {name}"


def banked_ids(model):
    """Ids of the training rows that a fitted model keeps itself, ndarray of str; None where it keeps none."""
    banks = list(_banks(model))
    if not banks or any("id" not in bank.bank_metadata_ for bank in banks):
        return None
    return np.concatenate([_bank_ids("prior", bank) for bank in banks])


def _banks(model):
    """Blenders in a pipeline, a search or an ensemble, frozen or not."""
    while isinstance(model, FrozenEstimator):  # which answers as what it holds, but for its kind
        model = model.estimator
    if isinstance(model, KNNPriorBlender):
        yield model
        return
    parts = [model[-1]] if isinstance(model, Pipeline) else []
    parts += [getattr(model, attribute) for attribute in ("best_estimator_", "estimator_") if hasattr(model, attribute)]
    for part in [*parts, *getattr(model, "estimators_", [])]:
        yield from _banks(part)


def _bank_ids(name, blender):
    check_is_fitted(blender)
    if "id" not in blender.bank_metadata_:
        raise DataFormatError(
            f"seen[{name!r}]: this KNNPriorBlender keeps no ids of its bank. Fit it on a DataFrame, or pass metadata= "
            "to fit (classifier__metadata= in a system): a table whose index are the ids."
        )
    return ids_to_compare(blender.bank_metadata_["id"])
