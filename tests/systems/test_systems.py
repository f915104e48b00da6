import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skbst.datasets import load_bsd, make_bst_clips, verify_submission, write_submission
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalVotingClassifier
from skbst.exceptions import AudioDecodeWarning, DataFormatError
from skbst.neighbors import KNNPriorBlender
from skbst.neural import KNNDistillationClassifier
from skbst.persistence import load_model, save_model
from skbst.systems import baseline, make_system, system_1, system_2, system_3, system_4

BUILDERS = {
    "baseline": baseline,
    "system_1": system_1,
    "system_2": system_2,
    "system_3": system_3,
    "system_4": system_4,
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("systems") / "clips"
    make_bst_clips(root, n_clips=69, max_duration=1.5, class_weights="balanced", with_embeddings=True, random_state=0)
    return load_bsd(root)


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return tmp_path_factory.mktemp("frames")


def short(system, epochs=2):
    """The same system with so few epochs that it trains in a second."""
    names = [name for name in system.get_params() if name.endswith("max_epochs")]
    return system.set_params(**dict.fromkeys(names, epochs))


@pytest.fixture(scope="module")
def fitted(clips, frames):
    made = {}

    def fit(name):
        if name not in made:
            extra = {"cv": 2} if name in ("system_3", "system_4") else {}
            system = BUILDERS[name](embeddings="builtin", size="small", store=frames, random_state=0, **extra)
            made[name] = short(system).fit(clips.data, clips.target)
        return made[name]

    return fit


@pytest.mark.parametrize("name", BUILDERS)
def test_from_clips_to_class_codes(name, clips, fitted):
    system = fitted(name)
    proba = system.predict_proba(clips.data)
    assert proba.shape == (len(clips.data), 23)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(system.predict(clips.data), system.classes_[proba.argmax(axis=1)])
    assert set(system.classes_) == set(clips.target)


@pytest.mark.parametrize("name", BUILDERS)
def test_saved_without_pickle(name, clips, fitted, tmp_path):
    system, rows = fitted(name), clips.data.iloc[:3]
    safe = load_model(save_model(system, tmp_path / "model"))
    assert_allclose(safe.predict_proba(rows), system.predict_proba(rows), atol=1e-6)


@pytest.mark.parametrize("name", BUILDERS)
def test_eight_threads_answer_as_one(name, clips, fitted, tmp_path):
    """A fresh system, a loaded and an unpickled one; and none of them has changed after."""
    fresh, rows = fitted(name), clips.data.iloc[::23]
    data = pickle.dumps(fresh)
    kinds = {
        "fresh": fresh,
        "unpickled": pickle.loads(data),
        "loaded": load_model(save_model(fresh, tmp_path / "model")),
    }
    for kind, system in kinds.items():
        before = pickle.dumps(system)
        alone = system.predict_proba(rows)
        with ThreadPoolExecutor(8) as pool:
            for found in pool.map(lambda _, system=system: system.predict_proba(rows), range(8)):
                assert_array_equal(found, alone, err_msg=kind)
        assert pickle.dumps(system) == before, kind
    assert pickle.dumps(fresh) == data


def test_pickles_load_in_a_fresh_process(clips, fitted, tmp_path):
    rows = clips.data.iloc[:3]
    rows.to_pickle(tmp_path / "rows.pkl")
    expected = {name: fitted(name).predict_proba(rows) for name in BUILDERS}
    for name in BUILDERS:
        joblib.dump(fitted(name), tmp_path / f"{name}.joblib")
    code = (
        "import joblib, numpy, pandas, pathlib, sys; folder = pathlib.Path(sys.argv[1]); "
        "rows = pandas.read_pickle(folder / 'rows.pkl'); "
        "models = {path.stem: joblib.load(path) for path in folder.glob('*.joblib')}; "
        "numpy.savez(folder / 'proba.npz', **{name: model.predict_proba(rows) for name, model in models.items()})"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    found = np.load(tmp_path / "proba.npz")
    for name in BUILDERS:
        assert_allclose(found[name], expected[name], atol=1e-6)


def test_members_and_weights_are_those_of_the_report():
    two, four = system_2(embeddings="builtin")[-1], system_4(embeddings="builtin")[-1].estimator
    assert isinstance(two, HierarchicalVotingClassifier)
    assert two.voting == "logit"
    assert dict(zip([name for name, _ in two.estimators], two.weights)) == {
        "kd_log_stft": 0.4,
        "log_mel": 0.2,
        "flat": 0.3,
        "lcl": 0.1,
    }
    assert isinstance(dict(four.estimators)["kd_log_stft"], KNNDistillationClassifier)
    assert dict(four.estimators)["mfcc"].branch == "mfcc"
    assert [dict(four.estimators)[name].head for name in ("flat", "gc", "lcl")] == ["flat", "gc", "lcl"]
    assert_allclose(11 * np.array(four.weights), [1, 1, 3, 2, 1, 3])
    three = system_3(embeddings="builtin")[-1]
    assert isinstance(three, FoldEnsembleClassifier)
    assert three.cv.get_n_splits() == 5
    one = system_1(embeddings="builtin")[-1]
    assert isinstance(one, KNNPriorBlender)
    assert (one.estimator.branch, one.estimator.size) == ("log-stft", "report")


def test_shipped_embeddings_are_found_by_the_path_of_the_sound(clips):
    system = short(baseline(embeddings="shipped", size="small", random_state=0)).fit(clips.data, clips.target)
    bundle = system[0].transform(clips.data.iloc[[5, 2]])
    assert_allclose(bundle["clap_audio"], clips.embeddings["clap_audio"][[5, 2]])
    assert_allclose(bundle["clap_text"], clips.embeddings["clap_text"][[5, 2]])


def test_shipped_embeddings_without_a_sound(clips):
    """Such as fetch_bsd10k() downloads by default: tables and vectors."""
    silent = clips.data.assign(audio="")
    system = short(baseline(embeddings="shipped", root=clips.root, size="small", random_state=0))
    system.fit(silent, clips.target)
    assert_allclose(system[0].transform(silent)["clap_audio"], clips.embeddings["clap_audio"])
    words = silent.drop(columns="audio")
    system = short(system_1(embeddings="shipped", modalities="text", root=clips.root, size="small", random_state=0))
    assert system.fit(words, clips.target).predict(words).shape == clips.target.shape
    with pytest.raises(DataFormatError, match="Pass root="):
        baseline(embeddings="shipped", modalities="text").fit(words, clips.target)


def test_shipped_embeddings_that_are_missing_become_neutral(clips):
    system = short(baseline(embeddings="shipped", size="small", random_state=0)).fit(clips.data, clips.target)
    rows = clips.data.iloc[:4].copy()
    expected = system.predict_proba(rows)
    rows.iloc[1, rows.columns.get_loc("audio")] = ""
    rows = rows.rename(index={rows.index[3]: "never seen"})
    with pytest.warns(UserWarning, match=r"2 of 4 clips have no shipped clap_(audio|text) embedding") as told:
        proba = system.predict_proba(rows)
    assert len(told) == 2
    assert np.isfinite(proba).all()
    assert_allclose(proba[[0, 2]], expected[[0, 2]], atol=1e-6)
    with pytest.warns(UserWarning, match="2 of 2 clips"):
        assert_allclose(system.predict_proba(rows.iloc[[3, 1]]), proba[[3, 1]], atol=1e-6)


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_one_modality_alone(modality, clips):
    system = make_system(embeddings="builtin", modalities=modality, size="small", random_state=0)
    system = short(system).fit(clips.data, clips.target)
    assert system[0].transform(clips.data.iloc[:1]).names == (modality,)
    without = clips.data.assign(
        **({"title": "", "tags": "", "description": ""} if modality == "audio" else {"audio": ""})
    )
    assert_array_equal(system.predict(without), system.predict(clips.data))


def test_what_is_missing_at_prediction_time_becomes_neutral(clips, fitted):
    """No row is dropped: silence for a sound that is not there, no words for an empty text."""
    system, rows = fitted("baseline"), clips.data.iloc[:4].copy()
    rows.loc[rows.index[1], ["title", "tags", "description"]] = ["", np.nan, None]
    rows.loc[rows.index[2], "audio"] = ""
    rows.iloc[3] = ""
    with pytest.warns(AudioDecodeWarning, match="2 of 4 sounds"):
        bundle = system[0].transform(rows)
    assert not bundle["text"][[1, 3]].any()
    assert_array_equal(bundle["audio"][2], bundle["audio"][3])
    with pytest.warns(AudioDecodeWarning):
        proba = system.predict_proba(rows)
    assert np.isfinite(proba).all()
    assert_allclose(proba[0], system.predict_proba(rows.iloc[:1])[0], atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*zero bytes:skbst.exceptions.AudioDecodeWarning")
@pytest.mark.filterwarnings("ignore:every row is predicted")
def test_a_submission_of_systems_1_to_4(clips, fitted, tmp_path):
    """From a folder like BSD2k, its file of zero bytes included, to a package that passes every rule."""
    root = make_bst_clips(tmp_path / "bsd2k", n_clips=8, flavour="bsd2k", max_duration=0.5, random_state=1)
    evaluation = load_bsd(root).data
    author = {"lastname": "Doe", "firstname": "J", "email": "j@example.org", "corresponding": True}
    for number in (1, 2, 3, 4):
        system = fitted(f"system_{number}")
        proba = system.predict_proba(evaluation)
        write_submission(
            tmp_path / "package" / "task1" / f"Doe_UX_task1_{number}",
            pd.Series(system.classes_[proba.argmax(axis=1)], index=evaluation.index),
            team="Doe_UX",
            system=number,
            name=f"System {number}",
            abbreviation=f"sys{number}",
            authors=[{**author, "affiliation": {"institute": "University of X"}}],
            description={"summary": "An ensemble."},
            development={"y_true": clips.target, "y_pred": system.predict(clips.data)},
            estimator=system,
            X=evaluation.iloc[:2],
            prediction_score=proba.max(axis=1),
            evaluation=root,
        )
    assert verify_submission(tmp_path / "package", evaluation=root) == []
    metas = [yaml.safe_load(path.read_text()) for path in sorted((tmp_path / "package").rglob("*.meta.yaml"))]
    counts = [meta["system"]["complexity"] for meta in metas]
    for name in ("total_parameters", "MACS"):
        one, two, three, four = (count[name] for count in counts)
        # System 3 has the members of System 2 twice here, on the same features; System 4 has more of them
        assert 0 < one < two
        assert 1.5 * two < three < four
    tables = [pd.read_csv(path) for path in sorted((tmp_path / "package").rglob("*.output.csv"))]
    assert [len(table) for table in tables] == [8] * 4
    assert [path.stat().st_size for path in (root / "audio").iterdir()].count(0) == 1


def test_a_branch_without_sound_is_refused():
    with pytest.raises(DataFormatError, match="no sound for the branches"):
        make_system("mfcc", modalities="text", embeddings="builtin")
    with pytest.raises(DataFormatError, match="'clap', 'shipped', 'builtin' or a dict of featurizers"):
        baseline(embeddings="nonsense")
    with pytest.raises(DataFormatError, match="'both', 'audio' or 'text'; got 'words'"):
        baseline(embeddings="builtin", modalities="words")


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("system_1", None),
        ("system_2", {"flat": 0.75, "lcl": 0.25}),
        ("system_3", {"flat": 0.75, "lcl": 0.25}),
        ("system_4", {"flat": 2 / 6, "gc": 1 / 6, "lcl": 3 / 6}),
    ],
)
def test_text_alone(name, weights, clips):
    """Members that need no sound stay, and their weights sum to 1 again."""
    extra = {"cv": 2} if name in ("system_3", "system_4") else {}
    system = BUILDERS[name](embeddings="builtin", modalities="text", size="small", random_state=0, **extra)
    system = short(system).fit(clips.data, clips.target)
    assert system[0].transform(clips.data.iloc[:1]).names == ("text",)
    words = clips.data[["title", "tags", "description"]]
    again = short(clone(system)).fit(words, clips.target)
    assert_allclose(again.predict_proba(words), system.predict_proba(clips.data), atol=1e-6)
    if weights is None:
        assert isinstance(system[-1], KNNPriorBlender)
        assert system[-1].estimator.branch is None
    else:
        vote = system[-1] if name == "system_2" else system[-1].estimator
        assert dict(zip([member for member, _ in vote.estimators], vote.weights)) == pytest.approx(weights)


@pytest.mark.parametrize("name", ["system_1", "system_3"])
def test_audio_alone(name, clips, frames):
    extra = {"cv": 2} if name == "system_3" else {}
    settings = {"modalities": "audio", "size": "small", "store": frames, "random_state": 0, **extra}
    system = short(BUILDERS[name](embeddings="builtin", **settings)).fit(clips.data, clips.target)
    assert "text" not in system[0].transform(clips.data.iloc[:1]).names
    wordless = clips.data.assign(title="", tags="", description="")
    proba = system.predict_proba(wordless)
    assert np.isfinite(proba).all()
    assert_allclose(proba, system.predict_proba(clips.data), atol=1e-6)


def test_parameters_reach_the_members():
    system = clone(system_4(embeddings="builtin", size="small", random_state=7, device="cpu"))
    params = system.get_params()
    networks = [name for name in params if name.endswith("__branch")]
    assert len(networks) == 6
    assert {params[name.replace("__branch", "__random_state")] for name in networks} == {7}
    assert params["classifier__estimator__lcl__head"] == "lcl"


@pytest.mark.parametrize("build", [baseline, system_1, system_2, system_3, system_4])
def test_wrong_settings_are_told_at_once(build):
    with pytest.raises(DataFormatError, match="size must be 'report' or 'small'; got 'tiny'"):
        build(size="tiny")
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu' or a torch device such as 'cuda:0'; got 'gpu'"):
        build(device="gpu")
