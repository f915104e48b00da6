"""Class priors that know what they must not: the label itself."""

import json
import re

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle, LLMPriorFeaturizer, TagRules, class_prior
from skbst.model_selection._leakage._keys import TEXT_COLUMNS, audio_keys, label_terms, text_keys
from skbst.model_selection._leakage._seen import banked_ids, ids_per_fold, ids_to_compare
from skbst.taxonomy import resolve_taxonomy

__all__ = ["prior_checks"]

# the best free prior measured is right in half of the clips that it knows (docs/guide/priors.rst): five right ones in a
# row are then one in 32
_LEAST_ROWS = 5
# shares of right rows, and the probability of a row that counts as sure; taken as they are
_TOO_GOOD = 0.98
_CERTAIN = 0.99
# what a classifier says of its own training rows, and how much less it knows of others
_BY_HEART = 0.9
_GAP = 0.1


def prior_checks(data, y, prior, seen, n_folds, taxonomy):
    """Functions ``(train, test, fold) -> (test rows, evidence)`` by name, and what could not be checked.

    Parameters
    ----------
    data : DataFrame
        The clips.

    y : array-like of shape (n_samples,) or None
        Class codes.

    prior : object
        As in `leakage_report`, or None.

    seen : object
        What the maker of the prior was trained on, as in `leakage_report`, or None.

    n_folds : int
        Number of folds.

    taxonomy : Taxonomy or None
        The tree.

    Returns
    -------
    checks : dict of str to callable

    not_checked : dict of str to str
    """
    checks, not_checked = {}, {}
    makers = _per_fold(prior, n_folds)
    if prior is not None and y is None:
        not_checked["prior"] = "no labels y"
    elif prior is not None:
        y = np.asarray(y).astype(str)
        blocks = [_block(data, y, maker, taxonomy) for maker in makers]
        if any(block is None for block in blocks):
            not_checked["prior"] = (
                "tags, zero-shots and language models see no labels; pass the block to have it checked"
            )
        else:
            checks["prior"] = _say([_known_labels(y, block) for block in blocks])
            checks["prior_overfit"] = _overfit_check(y, blocks)
        if any(isinstance(maker, LLMPriorFeaturizer) for maker in makers):
            named = [_named_in_prompts(data, y, maker, taxonomy) for maker in makers]
            checks["prior_prompt"] = _say(named)
    trained = [maker for maker in makers if hasattr(getattr(maker, "source", None), "predict_proba")]
    if seen is None and trained:
        seen = _own_rows(trained)
        if seen is None:
            not_checked["prior_seen"] = "a fitted classifier makes the prior; pass prior_seen=, its training rows"
    if seen is not None:
        checks["prior_seen"] = _say(_seen_rows(data, seen, n_folds))
    return checks, not_checked


def _per_fold(prior, n_folds):
    if prior is None:
        return []
    if not isinstance(prior, (list, tuple)):
        return [prior] * n_folds
    if len(prior) != n_folds:
        raise DataFormatError(f"prior: expected one entry per fold ({n_folds}); got {len(prior)} entries.")
    return list(prior)


def _say(found):
    """Check of one dict of row -> evidence per fold."""

    def find(train, test, fold):
        rows = [row for row in test.tolist() if row in found[fold]]
        return rows, [found[fold][row] for row in rows]

    return find


def _block(data, y, prior, taxonomy):
    """Priors of all rows, ndarray of shape (n_samples, n_classes); None of a maker that need not be asked."""
    classes = np.unique(y)
    if isinstance(prior, BaseEstimator):
        prior = _answers(prior, data)
        if prior is None:
            return None
    block = prior if isinstance(prior, FeatureBundle) else FeatureBundle({"prior": np.asarray(prior)})
    known = class_prior(block, classes, taxonomy=taxonomy)
    if known is None or len(known) != len(y):
        raise DataFormatError(f"prior has {len(block)} rows ({block!r}); it needs one for each of {len(y)} clips.")
    return known


def _known_labels(y, known):
    """Rows whose prior is their label, where it is so far too often for what does not know it."""
    classes = np.unique(y)
    own, right = known[np.arange(len(y)), np.searchsorted(classes, y)], classes[known.argmax(axis=1)] == y
    found = {}
    for rows, what in ((known.max(axis=1) >= _CERTAIN, "certain"), (known.any(axis=1), "known")):
        if rows.sum() >= _LEAST_ROWS and right[rows].mean() >= _TOO_GOOD:
            share = f"right in {100 * right[rows].mean():.3g} % of the {rows.sum()} that are {what}"
            found = {int(row): f"{own[row]:.2f} of {y[row]}, {share}" for row in np.flatnonzero(rows & right)} | found
    return found


def _overfit_check(y, blocks):
    classes = np.unique(y)

    def find(train, test, fold):
        known = blocks[fold].any(axis=1)
        right = classes[blocks[fold].argmax(axis=1)] == y
        old, new = train[known[train]], test[known[test]]
        if min(len(old), len(new)) < _LEAST_ROWS:
            return [], []
        shares = right[old].mean(), right[new].mean()
        if shares[0] < _BY_HEART or shares[0] - shares[1] < _GAP:
            return [], []
        return new, [f"right in {100 * shares[0]:.0f} % of training rows, in {100 * shares[1]:.0f} % here"] * len(new)

    return find


def _answers(maker, data):
    """What a maker says of all rows; None of one that reads the clips alone and was never shown a label."""
    source = getattr(maker, "source", maker)
    if (
        isinstance(source, (TagRules, LLMPriorFeaturizer, tuple))
        or getattr(maker, "class_embeddings_", None) is not None
    ):
        return None
    return maker.transform(data) if hasattr(maker, "transform") else maker.predict_proba(data)


def _named_in_prompts(data, y, maker, taxonomy):
    """Rows whose class stands in what a language model is told of them."""
    if not isinstance(maker, LLMPriorFeaturizer):
        return {}
    tree = resolve_taxonomy(taxonomy, y)
    found = {}
    for row, (record, label) in enumerate(zip(maker.records(data), y.tolist())):
        fields = json.loads(record) if record else {}
        terms = label_terms(tree, label)
        pattern = re.compile("|".join(rf"(?<![^\W_]){re.escape(term)}(?![^\W_])" for term in terms), re.IGNORECASE)
        names = {label.casefold(), *(name.casefold() for name in _names(tree, label))}
        for field, value in fields.items():
            whole = field not in TEXT_COLUMNS and str(value).strip().casefold() in names
            match = pattern.search(str(value)) if terms else None
            if whole or match:
                found[row] = f"{field} {str(value)[:40] if whole else match.group()!r} in the prompt"
                break
    return found


def _names(tree, label):
    top = tree.top_of([label])[0]
    return tree.leaf_names[label], top, tree.top_names[top]


def _own_rows(makers):
    """Ids that the classifiers behind some makers keep themselves; None where one keeps none."""
    found = [banked_ids(maker.source) for maker in makers]
    return None if any(ids is None for ids in found) else np.unique(np.concatenate(found)).tolist()


def _seen_rows(data, seen, n_folds):
    """Per fold the rows that a model was trained on: by id, and of a table by their words and sounds too."""
    ids, _ = ids_per_fold("prior", seen, n_folds, has_levels=data.index.nlevels > 1)
    own = ids_to_compare(data.index)
    tables = seen if isinstance(seen, list) and seen and isinstance(seen[0], pd.DataFrame) else [seen] * n_folds
    found = []
    for known, table in zip(ids, tables, strict=True):
        rows = {int(row): "trained on this sound_id" for row in np.flatnonzero(np.isin(own, known) & (own != ""))}
        if isinstance(table, pd.DataFrame):
            for what, keys in _content_keys(data, table).items():
                old, new = keys[len(data) :], keys[: len(data)]
                hits = np.flatnonzero(np.isin(new, old[old >= 0]) & (new >= 0))
                rows = {int(row): f"trained on this {what}" for row in hits} | rows
        found.append(rows)
    return found


def _content_keys(data, table):
    """Keys of the words and of the files of two tables, the rows of `data` first."""
    both = [name for name in TEXT_COLUMNS if name in data and name in table]
    keys = {}
    if both:
        keys["text"] = text_keys(pd.concat([data[both], table[both]], ignore_index=True).map(_as_text))
    if "audio" in data and "audio" in table:
        keys["audio"] = audio_keys([*data["audio"], *table["audio"]])
    return keys


def _as_text(value):
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple, np.ndarray)) else value
