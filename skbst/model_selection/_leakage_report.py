"""Check splits for what test rows have in common with training rows."""

import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_consistent_length

from skbst._sklearn import Interval, StrOptions, validate_params
from skbst.exceptions import DataFormatError, LeakageWarning
from skbst.model_selection._check_classes import as_groups
from skbst.model_selection._leakage._keys import (
    audio_keys,
    is_sound,
    label_mentions,
    near_duplicate_pairs,
    shared_with_training,
    text_keys,
)
from skbst.model_selection._leakage._prior import prior_checks
from skbst.model_selection._leakage._seen import ids_per_fold, ids_to_compare
from skbst.model_selection._leakage_result import LeakageReport
from skbst.taxonomy import Taxonomy

__all__ = ["leakage_report"]


@validate_params(
    {
        "data": [pd.DataFrame],
        "folds": [Iterable],
        "y": ["array-like", None],
        "groups": ["array-like", None],
        "seen": [Mapping, None],
        "audio": [StrOptions({"bytes", "samples"}), None],
        "embeddings": ["array-like", None],
        "similarity": [Interval(Real, 0, 1, closed="right")],
        "prior": "no_validation",
        "prior_seen": "no_validation",
        "taxonomy": [Taxonomy, None],
        "warn": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def leakage_report(
    data,
    folds,
    y=None,
    *,
    groups=None,
    seen=None,
    audio="bytes",
    embeddings=None,
    similarity=0.99,
    prior=None,
    prior_seen=None,
    taxonomy=None,
    warn=True,
):
    """Check what the test rows of each fold share with its training rows.

    Parameters
    ----------
    data : DataFrame of shape (n_samples, n_columns)
        As ``load_bsd(...).data``: index ``sound_id``; columns ``audio``, ``title``, ``tags``, ``description``, each
        optional.

    folds : Folds or iterable of tuples
        ``(train, test)`` or ``(train, validation, test)`` positions of rows, such as `official_folds` or
        ``cv.split(X, y, groups)`` give. Validation rows count as training rows.

    y : array-like of shape (n_samples,), default=None
        Class codes; needed to look for labels in the text.

    groups : array-like of shape (n_samples,), default=None
        Uploaders.

    seen : mapping of str to object, default=None
        What else was fitted, by a name of your choice: ``{"teacher": ids, "bank": blender}``. Ids; or a table, whose
        index are the ids; or a fitted `KNNPriorBlender`, bare or in a pipeline, search or ensemble, whose bank knows
        its ids (fitted on a DataFrame, or with ``metadata=``); or a Bunch with ``seen_ids``. A list has one of these
        per fold, such as the ``"estimator"`` of `cross_validate`. None may hold ids of the test rows.

    audio : {"bytes", "samples"} or None, default="bytes"
        Compare sound files byte by byte, or decoded (a lossless copy in another format counts; slower), or not.

    embeddings : array-like of shape (n_samples, n_features), default=None
        Audio embeddings, to find near-duplicates by cosine similarity.

    similarity : float in (0, 1], default=0.99
        From which cosine similarity on two embeddings are near-duplicates.

    prior : array-like of shape (n_samples, n_classes), FeatureBundle or fitted maker of priors, default=None
        What is known of the classes beforehand (:class:`~skbst.features.ClassPriorFeaturizer`), or a list with one per
        fold. A prior that is right wherever it is certain has seen the labels, one that is far better on training rows
        has seen theirs; and what a :class:`~skbst.features.LLMPriorFeaturizer` tells the model of a clip may not name
        its class. Rules of tags, zero-shots and language models saw no label and are not run for this.

    prior_seen : object, default=None
        The rows on which the model that makes the prior was trained, in one of the forms of `seen`. Of a table,
        rows with the same words or the same sound file count, too.

    taxonomy : Taxonomy, default=None
        The tree, for class names in the text.

    warn : bool, default=True
        Whether each check that found something warns.

    Returns
    -------
    report : LeakageReport
        ``findings`` (one row per test row and check, with the training row it is linked to), ``summary()``,
        ``clean``.

    Warns
    -----
    LeakageWarning
        One for each check with findings, by its name: "row", "sound_id", "group", "audio", "text", "near_duplicate",
        "label_in_text", "prior", "prior_overfit", "prior_seen", "prior_prompt", "seen
        by ...".

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.model_selection import leakage_report
    >>> data = pd.DataFrame({"title": ["dog", "rain", "Rain", "cat"]}, index=["11", "12", "13", "14"])
    >>> report = leakage_report(data, [([0, 1], [2, 3])], groups=["ann", "bob", "cid", "ann"], warn=False)
    >>> report
    LeakageReport of 2 test rows
      row                    0    0.0 %
      sound_id               0    0.0 %
      group                  1   50.0 %
      text                   1   50.0 %
      audio            not checked: no column 'audio'
      near_duplicate   not checked: no embeddings
      label_in_text    not checked: no labels y
    >>> report.findings
       check  fold sound_id          evidence
    0  group     0       14  group ann, as 11
    1   text     0       13             as 12
    """
    check_consistent_length(data, y, groups, embeddings)
    splits = [_as_split(i, fold, len(data)) for i, fold in enumerate(folds)]
    if not splits:
        raise DataFormatError("There are no folds to check.")
    checks, not_checked = _make_checks(data, y, groups, audio, embeddings, similarity, taxonomy)
    of_prior, not_of_prior = prior_checks(data, y, prior, prior_seen, len(splits), taxonomy)
    checks, not_checked = {**checks, **of_prior}, {**not_checked, **not_of_prior}
    for name, source in (seen or {}).items():
        checks[f"seen by {name}"] = _seen_check(name, source, data.index, len(splits))
    ids = ids_to_compare(data.index).astype(object)
    found = []
    for check, find in checks.items():
        for i, (train, test) in enumerate(splits):
            rows, evidence = find(train, test, i)
            found += [(check, i, ids[row], text) for row, text in zip(rows, evidence, strict=True)]
    report = LeakageReport(
        pd.DataFrame(found, columns=["check", "fold", "sound_id", "evidence"]),
        n_test=sum(len(test) for _, test in splits),
        checks=checks,
        not_checked=not_checked,
    )
    if warn:
        for message in report.messages().values():
            warnings.warn(message, LeakageWarning, stacklevel=3)
    return report


def _as_split(i, fold, n_samples):
    parts = [_as_positions(i, np.asarray(part), n_samples) for part in fold]
    if len(parts) not in (2, 3):
        raise DataFormatError(f"Fold {i} has {len(parts)} parts; expected (train, test) or (train, validation, test).")
    split = np.concatenate(parts[:-1]), parts[-1]
    if any(len(part) and (part.min() < 0 or part.max() >= n_samples) for part in split):
        raise DataFormatError(f"Fold {i} has positions outside 0 to {n_samples - 1}: it was made for other rows.")
    return split


def _as_positions(i, part, n_samples):
    """Positions of rows, or of a mask of all rows."""
    if part.dtype == bool and part.shape == (n_samples,):
        return np.flatnonzero(part)
    if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
        raise DataFormatError(
            f"Fold {i} has a part of shape {part.shape} and type {part.dtype}; expected positions of rows, or a "
            f"mask of all {n_samples}."
        )
    return part.astype(np.intp)


def _make_checks(data, y, groups, audio, embeddings, similarity, taxonomy):
    """Functions ``(train, test, fold) -> (test rows, evidence)`` by name, and what could not be checked."""
    ids = ids_to_compare(data.index).astype(object)
    checks = {
        "row": _key_check(np.arange(len(data)), lambda row, partner: "in both parts"),
        "sound_id": _key_check(
            pd.factorize(np.where(ids == "", None, ids))[0],
            lambda row, partner: f"rows {partner} and {row}",
            other_row=True,
        ),
    }
    not_checked = {}
    if groups is None:
        not_checked["group"] = "no groups"
    else:
        names = np.array([_composed(name) for name in groups], dtype=object)
        checks["group"] = _key_check(
            as_groups(names, names), lambda row, partner: f"group {names[row]}, as {ids[partner]}"
        )
    if {"title", "tags", "description"} & set(data.columns):
        checks["text"] = _key_check(text_keys(data), lambda row, partner: f"as {ids[partner]}")
    else:
        not_checked["text"] = "no column of text"
    if audio is None:
        not_checked["audio"] = "audio=None"
    elif "audio" not in data or not any(map(is_sound, data["audio"])):
        not_checked["audio"] = "no column 'audio'" if "audio" not in data else "no sound files"
    else:
        keys = audio_keys(data["audio"].tolist(), compare=audio)
        checks["audio"] = _key_check(keys, lambda row, partner: f"as {ids[partner]}")
    if embeddings is None:
        not_checked["near_duplicate"] = "no embeddings"
    else:
        checks["near_duplicate"] = _pair_check(*near_duplicate_pairs(embeddings, similarity), ids)
    if y is None:
        not_checked["label_in_text"] = "no labels y"
    elif "text" in checks:
        checks["label_in_text"] = _mention_check(label_mentions(data, y, taxonomy))
    return checks, not_checked


def _composed(name):
    return unicodedata.normalize("NFC", name) if isinstance(name, str) else name


def _key_check(keys, say, *, other_row=False):
    def find(train, test, fold):
        if other_row:
            test = np.setdiff1d(test, train, assume_unique=False)
        rows, partners = shared_with_training(keys, train, test)
        return rows, [say(row, partner) for row, partner in zip(rows, partners, strict=True)]

    return find


def _pair_check(pairs, cosine, ids):
    both = np.concatenate([pairs, pairs[:, ::-1]])
    cosine = np.concatenate([cosine, cosine])
    order = np.argsort(-cosine, kind="stable")
    both, cosine = both[order], cosine[order]

    def find(train, test, fold):
        across = np.flatnonzero(np.isin(both[:, 0], test) & np.isin(both[:, 1], train))
        rows, first = np.unique(both[across, 0], return_index=True)
        best = across[first]
        return rows, [f"as {ids[i]}, cosine {value:.4f}" for i, value in zip(both[best, 1], cosine[best], strict=True)]

    return find


def _mention_check(mentions):
    mentioned = np.array([mention != "" for mention in mentions], dtype=bool)

    def find(train, test, fold):
        rows = test[mentioned[test]]
        return rows, [f"text {mentions[row]!r}" for row in rows]

    return find


def _seen_check(name, source, index, n_folds):
    ids, how = ids_per_fold(name, source, n_folds, has_levels=index.nlevels > 1)
    own = ids_to_compare(index)
    masks = [np.isin(own, part) & (own != "") for part in ids]

    def find(train, test, fold):
        rows = test[masks[fold][test]]
        return rows, [how[fold]] * len(rows)

    return find
