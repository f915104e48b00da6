"""BSD-Grand: a trusted set and what is sound of a larger one."""

import os
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import Bunch

from skbst._sklearn import HasMethods, Interval, StrOptions, validate_params
from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.sampling._manifest import CAP_REASON, describe_selection
from skbst.sampling._metadata_quality_sampler import MetadataQualitySampler
from skbst.sampling._teacher_agreement_sampler import TeacherAgreementSampler
from skbst.sampling._uploader_cap_sampler import UploaderCapSampler

__all__ = ["make_bsd_grand"]

_FIELDS = ("title", "tags", "description")


@validate_params(
    {
        "bsd10k": [Bunch, str, os.PathLike],
        "bsd35k": [Bunch, str, os.PathLike],
        "teacher": [HasMethods(["fit", "predict_proba"]), None],
        "views": [StrOptions({"auto"}), list, tuple],
        "agreement": [StrOptions({"all", "majority"}), Interval(Integral, 1, None, closed="left")],
        "min_margin": [Interval(Real, 0, 1, closed="left")],
        "cap": [Interval(Integral, 1, None, closed="left"), None],
        "min_words": [Interval(Integral, 0, None, closed="left")],
        "max_repeats": [Interval(Integral, 1, None, closed="left")],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
        "fold": [Interval(Integral, 0, None, closed="left"), None],
        "cv": ["cv_object"],
        "store": [str, os.PathLike, None],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def make_bsd_grand(
    bsd10k,
    bsd35k,
    *,
    teacher=None,
    views="auto",
    agreement="all",
    min_margin=0.0,
    cap=200,
    min_words=2,
    max_repeats=20,
    min_per_class=25,
    fold=None,
    cv=5,
    store=None,
    random_state=1821,
    n_jobs=None,
    verbose=0,
):
    """Extend a trusted training set by rows of a larger one whose labels and texts hold (report, section 2.4).

    The candidates pass, in this order: only the classes of the base set; no sound that the base set has already; of
    several with one id the first; texts that say something (`MetadataQualitySampler`); labels on which teachers
    trained on the base set agree under three views of the metadata (`TeacherAgreementSampler`); at most `cap` rows per
    uploader and class, best first (`UploaderCapSampler`). No rule takes a class below `min_per_class` of the rows that
    reached it. Base rows are never touched.

    Parameters
    ----------
    bsd10k : Bunch or path-like
        The trusted base set, as :func:`~skbst.datasets.load_bsd` returns it, or its folder.

    bsd35k : Bunch or path-like
        The candidates, labelled by their uploaders. From a folder, the "-other" rows and others that are not used
        get their line in the manifest, too.

    teacher : classifier with ``predict_proba``, default=None
        See `TeacherAgreementSampler`; None takes TF-IDF with logistic regression, which needs no sound.

    views, agreement, min_margin : see `TeacherAgreementSampler`
        When the teachers agree with a label.

    cap : int or None, default=200
        Most rows per uploader and class; None is no limit.

    min_words, max_repeats : see `MetadataQualitySampler`
        When a text says something.

    min_per_class : int, default=25
        Rows that each class keeps at least after each rule, if it has them. The caps come last and are strict.

    fold : int, default=None
        Number of an outer fold. The teachers then are those that have not seen its test part, and cleaning learns
        nothing from it, so that training on the result and testing on that fold is free of leakage. None
        uses the teachers of all folds, as the report does: together they have seen every base row.

    cv : int or splitter, default=5
        Outer folds of the base set; the default are the official ones, for rows in file order.

    store : str or path-like, default=None
        Folder for finished teachers' probabilities; an interrupted run goes on from there.

    random_state : int, default=1821
        Seed of the folds.

    n_jobs : int, default=None
        Teachers trained at the same time.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    grand : :class:`~sklearn.utils.Bunch`
        data : DataFrame
            All base rows, then the candidates that stay, both in their order; the columns of ``bsd10k.data``.
        target : Series of str
            Class codes of the same rows.
        groups : Series
            Their uploaders, missing where nobody knows; for ``fit(..., groups=...)``.
        train_only : ndarray of bool
            Which rows are extra, for :class:`~skbst.model_selection.BSDGrandKFold` and
            ``BranchClassifier.fit(..., train_only=...)``.
        metadata : DataFrame
            Columns that both tables have.
        embeddings : dict
            Those that both sets ship, for the same rows.
        manifest : DataFrame, index sound_id
            Every candidate: ``class``, ``uploader``, ``kept``, ``reason`` (the first rule that it failed, "" if it
            stays), ``n_words``, and the teachers' scores for those that were judged.
        card : str
            A data card in Markdown: counts per class and uploader before and after.
        seen_ids : ndarray of str
            Base rows that the teachers and the cleaning have seen: all, or with `fold` all but its test part. So
            ``leakage_report(..., seen={"teachers": grand})`` tells whether a test fold is clean.
        taxonomy : Taxonomy
            That of the base set.

    Raises
    ------
    DataFormatError
        If a set has no labels, or nothing of the candidates can be used.

    References
    ----------
    Technical report "A multi-branch hierarchy-aware framework for heterogeneous audio classification", DCASE 2026
    Task 1, section 2.4.

    Examples
    --------
    >>> from sklearn.utils import Bunch
    >>> from skbst.datasets import make_bst_table
    >>> from skbst.sampling import make_bsd_grand
    >>> def as_bunch(table):
    ...     table = table.set_index("sound_id")
    ...     return Bunch(data=table[["title", "tags", "description"]], target=table["class"], metadata=table)
    >>> base, candidates = make_bst_table(200), make_bst_table(200, flavour="bsd35k")
    >>> grand = make_bsd_grand(as_bunch(base), as_bunch(candidates), cv=2, views=["title+tags"])
    >>> bool(len(grand.data) == 200 + grand.manifest["kept"].sum())
    True
    """
    bsd10k, bsd35k = _load(bsd10k, "bsd10k"), _load(bsd35k, "bsd35k")
    manifest = _start_manifest(bsd10k, bsd35k)
    X, y, is_candidate = _stack(bsd10k, bsd35k, manifest)
    quality = MetadataQualitySampler(min_words=min_words, max_repeats=max_repeats, min_per_class=min_per_class)
    seen = np.ones(len(y), dtype=bool)
    if fold is not None:
        seen[_test_rows(y[~is_candidate], fold, cv, random_state)] = False
    _apply_quality(quality, X, y, is_candidate, manifest, seen)
    sampler = TeacherAgreementSampler(
        teacher,
        views=views,
        agreement=agreement,
        min_margin=min_margin,
        min_per_class=min_per_class,
        cv=cv,
        fold=fold,
        store=store,
        random_state=random_state,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    _apply_teachers(sampler, X, y, is_candidate, manifest)
    if cap is not None:
        _apply_cap(UploaderCapSampler(cap), manifest)
    settings = {"teacher": teacher, "views": sampler.views_, "agreement": agreement, "min_margin": min_margin}
    settings |= {"cap": cap, "min_words": min_words, "max_repeats": max_repeats, "min_per_class": min_per_class}
    settings |= {"fold": fold, "cv": cv, "random_state": random_state}
    return _finish(bsd10k, bsd35k, manifest, settings, X.index[seen & ~is_candidate].astype(str).to_numpy())


def _load(source, name):
    bunch = source if isinstance(source, Bunch) else load_bsd(source, on_missing_audio="ignore")
    if bunch.get("target") is None:
        raise DataFormatError(f"{name} has no labels; pass a labelled set such as load_bsd(root).")
    return bunch


def _uploader_of(bunch):
    metadata = bunch.get("metadata")
    known = metadata is not None and "uploader" in metadata
    values = metadata["uploader"] if known else pd.Series("", index=bunch.data.index)
    return values.where(values.notna(), "").astype(str).to_numpy(dtype=object)


def _groups_of(bsd10k, bsd35k, rows):
    """Uploaders of the rows of both sets, missing where nobody knows."""
    index = [*bsd10k.data.index, *bsd35k.data.index[rows]]
    names = np.concatenate([_uploader_of(bsd10k), _uploader_of(bsd35k)[rows]])
    return pd.Series(names, index=pd.Index(index, name=bsd10k.data.index.name), name="groups").replace("", None)


def _start_manifest(bsd10k, bsd35k):
    """One row per candidate, those that cannot be judged already with their reason."""
    manifest = pd.DataFrame(
        {"class": np.asarray(bsd35k.target).astype(str), "uploader": _uploader_of(bsd35k), "reason": ""},
        index=pd.Index(bsd35k.data.index.astype(str), name="sound_id"),
    ).astype({"reason": object})
    in_base = manifest.index.isin(bsd10k.data.index.astype(str))
    manifest.loc[in_base, "reason"] = "sound of the base set"
    unknown = ~manifest["class"].isin(np.unique(np.asarray(bsd10k.target).astype(str)))
    manifest.loc[unknown, "reason"] = "class that the base set lacks"
    again = (manifest["reason"] == "").to_numpy(copy=True)
    again[again] = manifest.index[again].duplicated()
    manifest.loc[again, "reason"] = "id of a candidate before it"
    manifest["row"] = np.arange(len(manifest))
    if not (manifest["reason"] == "").any():
        raise DataFormatError(f"None of {len(manifest)} candidates can be used: {manifest['reason'].unique()}.")
    left_out = bsd35k.get("left_out")
    if left_out is not None and len(left_out):
        names = left_out.get("sound_id", left_out.index)
        more = pd.DataFrame({"reason": "not loaded: " + left_out["reason"].astype(str)})
        for column in ("class", "uploader"):
            more[column] = left_out[column].fillna("").astype(str) if column in left_out else ""
        more.index = pd.Index(np.asarray(names).astype(str), name="sound_id")
        manifest = pd.concat([manifest, more.assign(row=-1)])
    return manifest


def _stack(bsd10k, bsd35k, manifest):
    """Rows of both sets with their uploaders; candidates that are out already stay out."""
    rows = manifest["row"].to_numpy()[(manifest["reason"] == "").to_numpy()]
    base = bsd10k.data.assign(uploader=_uploader_of(bsd10k))
    more = bsd35k.data.assign(uploader=_uploader_of(bsd35k)).iloc[rows]
    X = pd.concat([base, more])
    for field in _FIELDS:
        X[field] = X[field].fillna("").astype(str) if field in X else ""
    y = np.concatenate([np.asarray(bsd10k.target).astype(str), np.asarray(bsd35k.target).astype(str)[rows]])
    return X, y, np.arange(len(X)) >= len(base)


def _apply_quality(sampler, X, y, is_candidate, manifest, seen):
    """Text rules; for a fold the words of its test rows are not looked at."""
    sampler.fit(X[seen], y[seen], candidates=is_candidate[seen])
    scores = sampler.scores_[is_candidate[seen]]
    usable = (manifest["reason"] == "").to_numpy()
    manifest["n_words"] = pd.array([pd.NA] * len(manifest), dtype="Int64")
    manifest.loc[usable, "n_words"] = scores["n_words"].to_numpy()
    manifest.loc[usable, "reason"] = np.where(scores["reason"] == "", "", "text: " + scores["reason"])


def _test_rows(labels, fold, cv, random_state):
    if isinstance(cv, Integral):
        cv = StratifiedKFold(int(cv), shuffle=True, random_state=random_state)
    splits = list(check_cv(cv, labels, classifier=True).split(np.zeros(len(labels)), labels))
    if fold >= len(splits):
        raise DataFormatError(f"fold={fold}, but there are {len(splits)} folds, counted from 0.")
    return splits[fold][1]


def _apply_teachers(sampler, X, y, is_candidate, manifest):
    loaded = manifest["row"].to_numpy() >= 0
    passed = (manifest["reason"] == "").to_numpy() & loaded
    in_stack = manifest["reason"].str.startswith("text: ").to_numpy() | passed
    keep = np.r_[np.ones((~is_candidate).sum(), dtype=bool), passed[in_stack]]
    sampler.fit(X[keep], y[keep], candidates=is_candidate[keep])
    scores = sampler.scores_.drop(columns=["position", "label", "kept"])
    for column in scores.columns.drop("reason"):
        manifest[column] = pd.Series(pd.NA, index=manifest.index, dtype=object if column[:4] == "pred" else "Float64")
        manifest.loc[passed, column] = scores[column].to_numpy()
    manifest.loc[passed, "reason"] = scores["reason"].to_numpy()


def _apply_cap(sampler, manifest):
    passed = np.flatnonzero((manifest["reason"] == "").to_numpy())
    rows = manifest.iloc[passed]
    score = rows["score"].astype(float).to_numpy()
    sampler.fit(rows[["uploader"]], rows["class"].to_numpy(), score=score)
    gone = np.setdiff1d(np.arange(len(passed)), sampler.sample_indices_)
    manifest.iloc[passed[gone], manifest.columns.get_loc("reason")] = CAP_REASON


def _finish(bsd10k, bsd35k, manifest, settings, seen_ids):
    manifest.insert(2, "kept", (manifest["reason"] == "").to_numpy())
    for column in manifest.columns[manifest.dtypes == "Float64"]:
        manifest[column] = manifest[column].astype(float)
    rows = manifest.loc[manifest["kept"], "row"].to_numpy()
    columns = bsd10k.data.columns
    grand = Bunch(
        data=pd.concat([bsd10k.data, bsd35k.data.iloc[rows].reindex(columns=columns)]),
        target=pd.concat([pd.Series(bsd10k.target), pd.Series(bsd35k.target).iloc[rows]]),
        groups=_groups_of(bsd10k, bsd35k, rows),
        train_only=np.arange(len(bsd10k.data) + len(rows)) >= len(bsd10k.data),
        manifest=manifest.drop(columns="row"),
        seen_ids=seen_ids,
        taxonomy=bsd10k.get("taxonomy"),
        embeddings={},
    )
    if bsd10k.get("metadata") is not None and bsd35k.get("metadata") is not None:
        shared = [column for column in bsd10k.metadata.columns if column in bsd35k.metadata.columns]
        grand.metadata = pd.concat([bsd10k.metadata[shared], bsd35k.metadata[shared].iloc[rows]])
    ours, theirs = bsd10k.get("embeddings") or {}, bsd35k.get("embeddings") or {}
    grand.embeddings = {name: np.concatenate([ours[name], theirs[name][rows]]) for name in ours if name in theirs}
    grand.card = describe_selection(np.asarray(bsd10k.target).astype(str), grand.manifest, settings)
    return grand
