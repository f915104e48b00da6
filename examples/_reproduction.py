"""
Parts of reproduce_report.py
============================

What the rows of the report's tables are, how one fold is prepared, how one member is trained, and where results are
kept. ``reproduce_report.py`` puts them together.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import normalize

import skbst
from skbst.features import FeatureBundle, PrecomputedFeaturizer
from skbst.metrics import hierarchical_accuracy_score, hierarchical_f1_score
from skbst.model_selection import BSDGrandKFold, compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import KNNDistillationClassifier, Recipe
from skbst.sampling import make_bsd_grand
from skbst.systems import baseline, make_system, system_3, system_4

# member: acoustic branch, head, and the member whose fitted network it starts from
MEMBERS = {
    "baseline": (None, "baseline", None),
    "grand": (None, "baseline", None),
    "log_mel": ("log-mel", "baseline", None),
    "mfcc": ("mfcc", "baseline", None),
    "log_stft": ("log-stft", "baseline", None),
    "post_log_stft": ("log-stft", "baseline", "log_stft"),
    "kd_log_stft": ("log-stft", "baseline", "log_stft"),
    "flat": (None, "flat", None),
    "gc": (None, "gc", None),
    "lcl": (None, "lcl", None),
    "post_embeddings": (None, "baseline", "grand"),
    "kd_embeddings": (None, "baseline", "grand"),
}
ENSEMBLES = {
    name: dict(zip([member for member, _ in vote.estimators], vote.weights))
    for name, vote in {
        "system_3": system_3(embeddings="builtin")[-1].estimator,
        "system_4": system_4(embeddings="builtin")[-1].estimator,
    }.items()
}

# row: table, what it is called there, its hF and hierarchical accuracy in the report, the members it needs
ROWS = {
    "baseline": (1, "Baseline", 78.45, 79.58, ["baseline"]),
    "grand": (1, "+ BSD-Grand", 79.64, 80.61, ["grand"]),
    "log_mel": (1, "+ BSD-Grand + log-Mel", 79.95, 80.63, ["log_mel"]),
    "mfcc": (1, "+ BSD-Grand + MFCC", 80.13, 80.39, ["mfcc"]),
    "log_stft": (1, "+ BSD-Grand + log-STFT", 80.54, 81.12, ["log_stft"]),
    "post_log_stft": (1, "+ BSD-Grand + Post-log-STFT", 80.84, 81.39, ["post_log_stft"]),
    "kd_log_stft": (1, "+ BSD-Grand + KD-log-STFT", 80.62, 81.20, ["kd_log_stft"]),
    "flat": (2, "+ BSD-Grand + Flat", 80.57, 81.53, ["flat"]),
    "gc": (2, "+ BSD-Grand + GC", 80.01, 81.02, ["gc"]),
    "lcl": (2, "+ BSD-Grand + LCL", 80.20, 81.18, ["lcl"]),
    "system_1": (3, "System 1", 80.84, 81.39, ["post_log_stft"]),
    "system_2": (3, "System 2", None, None, []),
    "system_3": (3, "System 3", 81.25, 81.86, list(ENSEMBLES["system_3"])),
    "system_4": (3, "System 4", 81.18, 81.79, list(ENSEMBLES["system_4"])),
    "post_embeddings": (4, "+ BSD-Grand + Post, no branch", None, None, ["post_embeddings"]),
    "kd_embeddings": (4, "+ BSD-Grand + KD, no branch", None, None, ["kd_embeddings"]),
}
# Tables 2 and 3 repeat rows of Table 1
REPEATED = {2: ["baseline", "grand"], 3: ["baseline"]}


@dataclass
class Study:
    """The data, the settings, and what follows from them."""

    bsd10k: object
    bsd35k: object
    out: Path
    embeddings: str = "builtin"
    modalities: str = "both"
    size: str = "small"
    max_epochs: int | None = None
    n_folds: int = 5
    seed: int = 0
    device: str = "auto"
    n_jobs: int | None = None
    made: bool = False
    vectors: dict | None = None
    folds: dict = field(default_factory=dict)

    @cached_property
    def has_sound(self):
        return self.modalities != "text" and bool((self.bsd10k.data["audio"] != "").any())

    @cached_property
    def identity(self):
        """Hash of everything that results depend on, beside protocol, fold and member."""
        sets = [self.bsd10k] if self.bsd35k is None else [self.bsd10k, self.bsd35k]
        content = [skbst.__version__, sklearn.__version__, self.embeddings, self.modalities, self.seed]
        for bunch in sets:
            sizes = [os.path.getsize(path) if path else None for path in bunch.data["audio"]]
            text = bunch.data[["title", "tags", "description"]].to_numpy().tolist()
            uploaders = uploaders_of(bunch)
            content += [bunch.data.index.tolist(), list(bunch.target), text, sizes, uploaders.tolist()]
            if self.embeddings == "shipped":
                content.append(joblib.hash(bunch.embeddings))
        if self.vectors is not None:
            content.append({role: joblib.hash(table.to_numpy()) for role, table in self.vectors.items()})
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def missing(self, row):
        """Why a row cannot be computed here; empty where it can."""
        if row == "system_2":
            return "trained on everything: nothing is left to score it on"
        if row == "grand" and self.bsd35k is None:
            return "no --bsd35k"
        if not self.has_sound and any(MEMBERS[member][0] for member in ROWS[row][4]):
            return "needs sounds"
        return ""

    def members(self, rows):
        """Members to fit for some rows, each after the one it starts from."""
        wanted = {member for row in rows if not self.missing(row) for member in ROWS[row][4]}
        wanted |= {self.source(member) for member in wanted} - {None}
        return [member for member in MEMBERS if member in wanted]

    def source(self, member):
        """The member whose network `member` starts from; without extra rows "grand" is the baseline."""
        source = MEMBERS[member][2]
        return "baseline" if source == "grand" and self.bsd35k is None else source

    def done(self, protocol, fold, member):
        """Whether a result is there, and the fitted network where other members start from it."""
        start_of_others = member in {self.source(other) for other in MEMBERS}
        return self.file(protocol, fold, member).exists() and (
            not start_of_others or self.file(protocol, fold, member, ".joblib").exists()
        )

    def official(self, protocol):
        """All folds of the base rows; networks take their validation rows from the training part themselves."""
        if protocol not in self.folds:
            groups = uploaders_of(self.bsd10k) if protocol == "grouped" else None
            self.folds[protocol] = official_folds(self.bsd10k.target, groups=groups, validation_size=None)
        return self.folds[protocol]

    def build(self, member, protocol, fitted=None):
        """Unfitted estimator of a member; `fitted` is the network that it starts from."""
        branch, head, _ = MEMBERS[member]
        embeddings = "shipped" if self.embeddings == "vectors" else self.embeddings
        settings = {"embeddings": embeddings, "modalities": self.modalities, "size": self.size}
        network = make_system(branch, head, **settings, random_state=self.seed, device=self.device)[-1]
        if self.max_epochs is not None:
            network.set_params(max_epochs=self.max_epochs)
        network.set_fit_request(train_only=True, groups=protocol == "grouped")
        if member.startswith("post_"):
            return KNNPriorBlender(FrozenEstimator(fitted))
        if member.startswith("kd_"):
            return KNNDistillationClassifier(network, teacher=FrozenEstimator(fitted))
        return network

    def file(self, protocol, fold, member, suffix=".npz"):
        """Where a result is kept; the name changes with whatever it depends on."""
        params = {"size": self.size, "max_epochs": self.max_epochs, "source": self.source(member)}
        estimator = self.build(member, protocol, self.build("baseline", protocol))
        params |= {name: repr(value) for name, value in estimator.get_params().items()}
        key = json.dumps([self.identity, params], sort_keys=True, default=str)
        key = hashlib.sha256(key.encode()).hexdigest()[:16]
        return self.out / "results" / f"{protocol}-fold{fold}-{member}-{key}{suffix}"


def uploaders_of(bunch):
    if "uploader" not in bunch.metadata:
        return np.arange(len(bunch.data)).astype(str)
    return bunch.metadata["uploader"].fillna("").astype(str).to_numpy()


class PreparedFold:
    """Rows and features of one fold. Nothing in it has learnt from the fold's test rows."""

    def __init__(self, study, protocol, fold, members):
        self.study, self.protocol, self.members = study, protocol, members
        self.folds = study.official(protocol)
        self.data, self.target = study.bsd10k.data, np.asarray(study.bsd10k.target)
        self.groups = uploaders_of(study.bsd10k)
        self.train_only = np.zeros(len(self.data), dtype=bool)
        if study.bsd35k is not None:
            options = {"fold": fold, "cv": self.folds, "store": study.out / "teachers", "n_jobs": study.n_jobs}
            # 25 rows of each class are kept at least; of a small set that would be all
            floor = min(25, len(study.bsd35k.data) // 100)
            grand = make_bsd_grand(study.bsd10k, study.bsd35k, min_per_class=floor, **options)
            self.data, self.target, self.train_only = grand.data, np.asarray(grand.target), grand.train_only
            self.groups = uploaders_of(grand)
            write_whole(study.out / "extra" / f"{protocol}-fold{fold}.csv", grand.manifest.to_csv)
        groups = self.groups if protocol == "grouped" else None
        splits = BSDGrandKFold(self.train_only).split(self.data, self.target, groups)
        self.train, self.test = list(splits)[fold]
        alone = ["baseline"] if self.train_only.any() else []  # its featurizers must not see extra rows either
        others = [member for member in members if member not in alone]
        self.base = (
            self._features(self.train[~self.train_only[self.train]], alone) if set(alone) & set(members) else None
        )
        self.grand = self._features(self.train, others) if others else None

    def _features(self, train, members):
        """Rows to train on, their features, and those of the test rows; nothing is learnt from the latter."""
        featurizer = clip_featurizer(self.study, members)
        X_train = featurizer.fit_transform(self.data.iloc[train], self.target[train])
        return train, X_train, featurizer.transform(self.data.iloc[self.test])

    def fit(self, member, fitted=None):
        """Train a member; returns it and the test rows' log-probabilities."""
        rows, X_train, X_test = self.base if member == "baseline" and self.base is not None else self.grand
        model = self.study.build(member, self.protocol, fitted)
        params = {} if member.startswith("post_") else {"train_only": self.train_only[rows]}
        if params and self.protocol == "grouped":
            params["groups"] = self.groups[rows]
        model.fit(X_train, self.target[rows], **params)
        return model, np.asarray(model.predict_log_proba(X_test), dtype=np.float32)


def clip_featurizer(study, members):
    """Featurizer of the blocks that some members need."""
    ready = study.embeddings in ("shipped", "vectors")
    embeddings = "shipped" if ready else study.embeddings
    settings = {"embeddings": embeddings, "modalities": study.modalities, "random_state": study.seed}
    settings |= {"device": study.device, "n_jobs": study.n_jobs, "store": study.out / "frames"}
    branches = {MEMBERS[member][0] for member in members} - {None}
    if not branches:
        featurizer = baseline(**settings)[0]
    else:
        featurizer = system_4(**settings)[0]
        unused = {"log-mel", "mfcc", "log-stft"} - branches
        featurizer.set_params(**{branch.replace("-", "_"): "drop" for branch in unused})
    for block, _ in featurizer.featurizers:
        if block.startswith("clap_") and ready:
            featurizer.set_params(**{block: PrecomputedFeaturizer(ready_embeddings(study, block))})
    return featurizer


def read_vectors(path, names=None):
    """Vectors of pretrained encoders, by "audio" and "text".

    Parameters
    ----------
    path : path-like
        An .npz with ``sound_id`` and one array of vectors per encoder, whose names begin with "audio" or "text".

    names : list of str, default=None
        Which arrays; None takes one of each kind, that of titles and tags where there are several texts.

    Returns
    -------
    vectors : dict of str to DataFrame
        Rows of norm 1 (or 0), by sound_id; the name of the columns' index says which array it was.
    """
    with np.load(path) as file:
        wanted = names or sorted(file.files, key=lambda name: not name.endswith("title_tags"))
        chosen = {}
        for role in ("audio", "text"):
            of_role = [name for name in wanted if name.startswith(role)]
            if of_role:
                chosen[role] = of_role[0]
        unknown = sorted(set(names or ()) - set(chosen.values()))
        if unknown or not chosen or "sound_id" not in file.files:
            raise SystemExit(
                f"{path} needs sound_id and an array whose name begins with 'audio' or 'text'; it has {file.files}"
                + (f", and {unknown} cannot be used beside {list(chosen.values())}." if unknown else ".")
            )
        ids = pd.Index(file["sound_id"].astype(str))
        return {
            role: pd.DataFrame(normalize(file[name].astype(np.float32)), index=ids).rename_axis(columns=name)
            for role, name in chosen.items()
        }


def ready_embeddings(study, block):
    """Embeddings by sound_id, given or in the folders of both sets; sounds themselves need not be there."""
    if study.vectors is not None:
        return study.vectors[block.removeprefix("clap_")]
    sets = [bunch for bunch in (study.bsd10k, study.bsd35k) if bunch is not None]
    table = pd.concat([pd.DataFrame(bunch.embeddings[block], index=bunch.data.index) for bunch in sets])
    return table[~table.index.duplicated()]


def write_whole(path, write):
    """Let `write` fill a file, and show it under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.writing")
    with open(scratch, "wb") as file:
        write(file)
    os.replace(scratch, path)


def trial_seconds(study, member):
    """Seconds that a member would train, from an epoch over a few made clips of full length."""
    branch, head, _ = MEMBERS[member]
    n_rows = 64 if branch is None else 16
    if member.startswith("post_"):
        return 1.0  # a search, no training
    rng = np.random.default_rng(0)
    blocks = {name: rng.standard_normal((n_rows, 512), dtype=np.float32) for name in ("audio", "text")}
    network = make_system(branch, head, size=study.size, embeddings="builtin", random_state=0, device=study.device)[-1]
    recipe = Recipe.small() if study.size == "small" else Recipe()
    own = recipe.branch_max_epochs if branch and recipe.branch_max_epochs else recipe.max_epochs
    epochs, late = study.max_epochs or own, recipe.branch_start
    recipe.set_params(branch_start=0, linear_prior=False)
    late = min(late, epochs - 1) if branch else 0

    def epoch(branch, **frames):
        trial = clone(network).set_params(branch=branch, max_epochs=2, validation_fraction=None, recipe=recipe)
        bundle = FeatureBundle({**blocks, **frames})
        trial.fit(bundle, np.arange(n_rows) % 2)
        return trial.history_["seconds"].iloc[-1]

    n_bins = {"log-stft": 257, "log-mel": 128, "mfcc": 13}
    seconds = late * epoch(None) if late else 0.0
    frames = {}
    if branch:
        frames[branch.replace("-", "_")] = rng.standard_normal((n_rows, 501, n_bins[branch]), dtype=np.float32)
    n_train = (len(study.bsd10k.data) + (0 if study.bsd35k is None else len(study.bsd35k.data))) * 4 / 5
    return (seconds + (epochs - late) * epoch(branch, **frames)) * n_train / n_rows


def fit_member(study, prepared, fold, member):
    """Train one member of one fold and store what it says of the test rows."""
    start = time.perf_counter()
    source, fitted = study.source(member), None
    if source is not None:
        fitted = joblib.load(study.file(prepared.protocol, fold, source, ".joblib"))
    model, log_proba = prepared.fit(member, fitted)
    seconds = time.perf_counter() - start
    if any(study.source(other) == member for other in MEMBERS):
        write_whole(study.file(prepared.protocol, fold, member, ".joblib"), lambda file: joblib.dump(model, file))
    result = {"test": prepared.test, "log_proba": log_proba, "classes": np.asarray(model.classes_).astype(str)}
    result |= {"seconds": seconds, "n_extra": int(prepared.train_only[prepared.train].sum())}
    write_whole(study.file(prepared.protocol, fold, member), lambda file: np.savez(file, **result))
    return seconds


def predictions(study, protocol, row):
    """Test rows, predicted class codes and fold numbers of one row of a table, over the folds that were run."""
    weights = ENSEMBLES.get(row, dict.fromkeys(ROWS[row][4], 1.0))
    tests, codes, folds = [], [], []
    for fold in range(study.n_folds):
        results = {member: np.load(study.file(protocol, fold, member)) for member in weights}
        # as HierarchicalVotingClassifier: weighted log-probabilities, none below log(1e-12)
        mean = sum(
            weight * np.maximum(results[member]["log_proba"], np.log(1e-12)) for member, weight in weights.items()
        )
        first = next(iter(results.values()))
        codes.append(first["classes"][mean.argmax(axis=1)])
        tests.append(first["test"])
        folds.append(np.full(len(first["test"]), fold))
    return np.concatenate(tests), np.concatenate(codes), np.concatenate(folds)


def score_row(study, protocol, row, over="baseline"):
    """One line of a table, as a dict; figures in per cent, the gain over another row."""
    table, name, report_hf, report_hacc, _ = ROWS[row]
    line = {"protocol": protocol, "table": table, "row": row, "name": name, "report_hF": report_hf}
    line |= {"report_hAcc": report_hacc, "note": study.missing(row)}
    if line["note"]:
        return line
    test, predicted, fold = predictions(study, protocol, row)
    truth = np.asarray(study.bsd10k.target)[test]
    for metric, function in {"hF": hierarchical_f1_score, "hAcc": hierarchical_accuracy_score}.items():
        scores = [100 * function(truth[fold == k], predicted[fold == k]) for k in np.unique(fold)]
        line |= {metric: np.mean(scores), f"{metric}_std": np.std(scores)}
        if line[f"report_{metric}"] is not None:
            line[f"{metric}_difference"] = line[metric] - line[f"report_{metric}"]
    line |= {"n_test": len(test), "n_folds": len(np.unique(fold))}
    if row != over:
        groups = uploaders_of(study.bsd10k)[test] if protocol == "grouped" else None
        _, base, _ = predictions(study, protocol, over)
        found = compare_paired(truth, predicted, base, folds=fold, groups=groups, random_state=0)
        line |= {"gain": 100 * found.difference, "low": 100 * found.interval[0], "high": 100 * found.interval[1]}
        line |= {"over": over, "p_value": found.p_value}
    return line
