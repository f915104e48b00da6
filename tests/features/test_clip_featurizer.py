import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import set_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbst.audio import ClipLoader
from skbst.exceptions import AudioDecodeError, AudioDecodeWarning, DataFormatError
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClipFeaturizer,
    FeatureBundle,
    LogMelFeaturizer,
    LogSTFTFeaturizer,
    MFCCFeaturizer,
    PrecomputedFeaturizer,
    TextLSAFeaturizer,
)
from skbst.text import MetadataCleaner

SHORT = {"duration": 0.3}


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        path = tmp_path / f"{i}.wav"
        tone = np.sin(2 * np.pi * (300 + 2000 * (i % 2)) * np.arange(2000 + 500 * i) / 16000)
        soundfile.write(path, 0.5 * tone + rng.normal(0, 0.01, tone.shape), 16000)
        rows.append({"audio": str(path), "title": ["low hum", "high beep"][i % 2], "tags": "", "description": ""})
    return pd.DataFrame(rows, index=[f"id{i}" for i in range(12)])


@pytest.fixture
def three():
    return [
        ("log_stft", LogSTFTFeaturizer(**SHORT)),
        ("log_mel", LogMelFeaturizer(**SHORT)),
        ("mfcc", MFCCFeaturizer(**SHORT)),
    ]


@pytest.fixture
def loads(monkeypatch):
    loaded, load = [], ClipLoader.load

    def recording(self, source, *args, **kwargs):
        loaded.append(source)
        return load(self, source, *args, **kwargs)

    monkeypatch.setattr(ClipLoader, "load", recording)
    return loaded


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_blocks_are_what_the_featurizers_make_alone(data, three, n_jobs):
    bundle = ClipFeaturizer(three, n_jobs=n_jobs).fit(data).transform(data)
    assert bundle.names == ("log_stft", "log_mel", "mfcc")
    for name, featurizer in three:
        frames, lengths = clone(featurizer).fit(data).transform_frames(data)
        np.testing.assert_array_equal(bundle[name], frames)
        np.testing.assert_array_equal(bundle.lengths(name), lengths)


def test_each_sound_is_decoded_once(data, three, loads):
    ClipFeaturizer(three).fit_transform(data)
    assert sorted(loads) == sorted(data["audio"])
    loads.clear()
    other = [*three, ("more", LogMelFeaturizer(duration=0.2)), ("again", LogMelFeaturizer(n_mels=20, **SHORT))]
    ClipFeaturizer(other).fit_transform(data)
    assert len(loads) == 2 * len(data)


def test_other_transformers(data, three):
    text = make_pipeline(
        FunctionTransformer(lambda X: X["title"]), TfidfVectorizer(), FunctionTransformer(lambda X: X.toarray())
    )
    shipped = PrecomputedFeaturizer(np.eye(12, 4), sound_ids=data.index)
    clips = ClipFeaturizer([("text", text), *three[2:], ("clap_audio", shipped)])
    bundle = clips.fit_transform(data)
    assert repr(bundle) == "FeatureBundle(12 rows: text 4, mfcc 31x13, clap_audio 4)"
    np.testing.assert_array_equal(clips.transform(data[3:5])["text"], bundle[3:5]["text"])
    assert clips.named_featurizers_.clap_audio.n_features_out_ == 4


def test_the_given_featurizers_stay_as_they_are(data, three):
    ClipFeaturizer(three, n_jobs=2).fit_transform(data)
    assert not hasattr(three[0][1], "n_frames_")
    assert three[0][1].n_jobs is None


def test_what_is_handed_down(data, three, tmp_path):
    three[0][1].set_params(n_jobs=1)
    clips = ClipFeaturizer(three, n_jobs=2, store=tmp_path / "store").fit(data)
    assert [featurizer.n_jobs for _, featurizer in clips.featurizers_] == [1, 2, 2]
    assert all(featurizer.store == tmp_path / "store" for _, featurizer in clips.featurizers_)


def test_parameters_of_the_parts(data, three):
    clips = ClipFeaturizer(three)
    assert clips.get_params()["log_mel__n_mels"] == 128
    clips.set_params(log_mel__n_mels=20, log_stft="drop", n_jobs=2)
    assert clips.fit_transform(data).names == ("log_mel", "mfcc")
    assert clips.fit_transform(data).block_shape("log_mel") == (12, 31, 20)
    clips.set_params(mfcc=LogMelFeaturizer(n_mels=5, **SHORT))
    assert clips.fit_transform(data).block_shape("mfcc") == (12, 31, 5)
    assert clone(clips).get_params()["log_mel__n_mels"] == 20
    with pytest.raises(ValueError, match="Invalid parameter"):
        clips.set_params(nothing__n_mels=3)


def test_in_a_pipeline_and_a_search(data, three, tmp_path, loads):
    y = data["title"].to_numpy()
    clips = ClipFeaturizer(three[1:], store=tmp_path / "store")
    model = Pipeline([("clips", clips), ("table", BlockSelector("mfcc")), ("model", LogisticRegression())])
    assert cross_val_score(model, data, y, cv=3).mean() == 1
    # folds share what was decoded for the others
    assert sorted(loads) == sorted(data["audio"])
    search = GridSearchCV(model, {"clips__mfcc__n_mfcc": [2, 5], "table__blocks": ["mfcc", ["log_mel"]]}, cv=2)
    assert search.fit(data, y).best_score_ == 1


def test_pickle(data, three):
    clips = ClipFeaturizer(three).fit(data)
    copy = pickle.loads(pickle.dumps(clips))
    np.testing.assert_array_equal(copy.transform(data)["mfcc"], clips.transform(data)["mfcc"])


class Warner(TransformerMixin, BaseEstimator):
    """A featurizer of sounds that shares nothing and keeps its own record."""

    def __init__(self, on_error="silence"):
        self.on_error = on_error

    def fit(self, X, y=None):
        self.n_features_in_ = 1
        return self

    def transform(self, X):
        from skbst.audio import load_clips

        waveforms, _, _ = load_clips(X["audio"], duration=0.1, on_error=self.on_error)
        return waveforms


def test_one_warning_and_one_record_for_all(data, three, tmp_path):
    (tmp_path / "3.wav").write_bytes(b"")
    data.loc["id5", "audio"] = np.nan
    clips = ClipFeaturizer([("own", Warner()), *three, ("longer", MFCCFeaturizer())]).fit(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bundle = clips.transform(data)
    assert len(caught) == 1
    assert caught[0].category is AudioDecodeWarning
    assert caught[0].filename == __file__
    assert "2 of 12 sounds" in str(caught[0].message)
    assert bundle.problems["sound_id"].tolist() == ["id3"] * 5 + ["id5"] * 5
    assert bundle.problems["position"].tolist() == [3] * 5 + [5] * 5
    assert set(bundle.problems["block"]) == set(bundle.names)
    assert bundle.lengths("mfcc")[[3, 5]].tolist() == [1, 1]
    assert len(clips.transform(data[:3]).problems) == 0
    assert len(bundle.problems) == 10
    with pytest.raises(AudioDecodeError, match="2 of 12"):
        clone(clips).set_params(mfcc__on_error="raise").fit_transform(data)


def test_errors(data, three):
    with pytest.raises(DataFormatError, match="at least one"):
        ClipFeaturizer([]).fit(data)
    with pytest.raises(DataFormatError, match="at least one"):
        ClipFeaturizer([("mfcc", "drop")]).fit(data)
    with pytest.raises(ValueError, match="not unique"):
        ClipFeaturizer([three[0], three[0]]).fit(data)
    with pytest.raises(ValueError, match="must not contain __"):
        ClipFeaturizer([("a__b", MFCCFeaturizer())]).fit(data)
    with pytest.raises(ValueError, match="n_mels"):
        ClipFeaturizer([("log_mel", LogMelFeaturizer(n_mels=0))]).fit(data)
    with pytest.raises(DataFormatError, match="no column 'audio'"):
        ClipFeaturizer(three).fit(data.drop(columns="audio"))
    shipped = PrecomputedFeaturizer(np.eye(2), sound_ids=["id0", "id1"])
    with pytest.raises(DataFormatError, match="10 of 12 sounds have no embedding"):
        ClipFeaturizer([("clap_audio", shipped)]).fit_transform(data)


def test_paths_are_never_read_as_texts(data):
    both = ClipFeaturizer([("mfcc", MFCCFeaturizer(**SHORT)), ("text", TextLSAFeaturizer())])
    paths = data["audio"]
    for X in (paths.tolist(), paths, paths.to_numpy(), tuple(paths)):
        for method in ("fit", "fit_transform"):
            with pytest.raises(
                DataFormatError, match=r"\['mfcc'\] would read X as sounds and blocks \['text'\] as texts"
            ):
                getattr(clone(both), method)(X)
    cleaned = make_pipeline(MetadataCleaner(), TextLSAFeaturizer())
    statistics = ClipFeaturizer([("audio", AudioStatisticsFeaturizer()), ("text", cleaned)])
    with pytest.raises(DataFormatError, match="a table is needed, with columns"):
        statistics.fit(paths)
    both.fit(data)
    with pytest.raises(DataFormatError, match="a table is needed, with columns"):
        both.transform(paths.tolist())
    both.set_params(text="drop").fit_transform(paths.tolist())
    ClipFeaturizer([("text", TextLSAFeaturizer())]).fit(data["title"].tolist())


def test_a_bundle_stays_a_bundle(data, three):
    clips = ClipFeaturizer(three[2:]).set_output(transform="pandas")
    assert isinstance(clips.fit_transform(data), FeatureBundle)
    set_config(transform_output="pandas")
    try:
        assert isinstance(clips.fit_transform(data), FeatureBundle)
    finally:
        set_config(transform_output="default")


def test_names(data, three):
    clips = ClipFeaturizer([*three[2:], ("clap_audio", PrecomputedFeaturizer(np.eye(12, 2), sound_ids=data.index))])
    bundle = clips.fit_transform(data)
    names = clips.get_feature_names_out()
    assert len(names) == bundle.to_array().shape[1]
    assert names[[0, -1]].tolist() == ["mfcc__mfcc_t0_b0", "clap_audio__precomputedfeaturizer1"]


def test_representations(three):
    clips = ClipFeaturizer(three)
    assert "LogMelFeaturizer(duration=0.3)" in repr(clips)
    html = clips._repr_html_()
    assert all(name in html for name in ("log_stft", "log_mel", "mfcc"))


@pytest.mark.data
def test_real_recordings(data_root):
    paths = sorted((data_root / "bst-real" / "audio").iterdir())[:60]
    data = pd.DataFrame({"audio": [str(path) for path in paths]}, index=[path.stem for path in paths])
    clips = ClipFeaturizer([("log_stft", LogSTFTFeaturizer()), ("mfcc", MFCCFeaturizer())], n_jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bundle = clips.fit_transform(data)
    assert repr(bundle) == "FeatureBundle(60 rows: log_stft 501x257, mfcc 501x13)"
    assert np.isfinite(bundle["log_stft"]).all()
    assert bundle.lengths("log_stft").min() >= 1
