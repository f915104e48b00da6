"""Numbers as other libraries hold them: narrow parameters of NumPy, labels and ids of other types, what is no probability."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.audio import load_clips
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalDecoder, decode_proba
from skbst.exceptions import DataFormatError
from skbst.features import LogMelFeaturizer, LogSTFTFeaturizer
from skbst.metrics import expected_calibration_error
from skbst.model_selection import KNNBlendSearchCV, compare_paired
from skbst.neighbors import KNNPriorBlender, top_k_cosine
from skbst.neural import BranchClassifier

SOUND = (np.random.default_rng(0).normal(0, 0.1, 20000).astype(np.float32), 16000)
Y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(300) % 3]
X = np.random.default_rng(0).normal(size=(300, 4)) + (np.arange(300) % 3)[:, None]


@pytest.mark.parametrize("sample_rate", [np.int16(16000), np.uint16(44100)])
@pytest.mark.parametrize("duration", [np.int8(3), np.float16(0.5)])
def test_narrow_lengths_of_sounds(sample_rate, duration):
    narrow, *_ = load_clips([SOUND], sample_rate=sample_rate, duration=duration)
    plain, *_ = load_clips([SOUND], sample_rate=int(sample_rate), duration=float(duration))
    np.testing.assert_array_equal(narrow, plain)


@pytest.mark.parametrize("options", [{"hop_length": np.uint8(160)}, {"n_fft": np.int16(512)}, {"duration": np.int8(1)}])
def test_narrow_lengths_of_frames(options):
    plain = {name: value.item() for name, value in options.items()}
    frames = [LogSTFTFeaturizer(**given).fit([SOUND]).transform_frames([SOUND])[0] for given in (options, plain)]
    np.testing.assert_array_equal(*frames)


def test_narrow_frequencies_make_the_same_filters():
    frames = [LogMelFeaturizer(f_min=f_min, duration=0.5).fit([SOUND]).transform([SOUND]) for f_min in (20.0, 0)]
    assert not np.array_equal(*frames)
    narrow = LogMelFeaturizer(f_min=np.float16(20), duration=0.5).fit([SOUND]).transform([SOUND])
    np.testing.assert_array_equal(narrow, frames[0])


@pytest.mark.parametrize("k", [np.int8(100), np.uint8(200), np.int16(300)])
def test_narrow_numbers_of_neighbours(k):
    for narrow, plain in zip(top_k_cosine(X, X, k), top_k_cosine(X, X, int(k)), strict=True):
        np.testing.assert_array_equal(narrow, plain)
    search = KNNBlendSearchCV(KNNPriorBlender(LogisticRegression()), {"k": [k]}, cv=2).fit(X, Y)
    assert np.isfinite(search.best_score_)


def test_a_narrow_size_of_batches():
    options = {"max_epochs": 1, "random_state": 0, "size": "small"}
    narrow = BranchClassifier(batch_size=np.uint8(32), **options).fit(X, Y)
    plain = BranchClassifier(batch_size=32, **options).fit(X, Y)
    np.testing.assert_array_equal(narrow.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("decode", ["leaf", "top-down", "expected-credit"])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_no_probability_is_not_decoded(decode, strange):
    with pytest.raises(DataFormatError, match="NaN or infinite"):
        decode_proba([[0.5, strange, 0.5], [1.0, 0.0, 0.0]], [0, 0, 1], decode=decode)


def test_logarithms_are_no_probabilities():
    proba = np.tile([0.5, 0.25, 0.25], (300, 1))
    assert expected_calibration_error(Y, proba) >= 0
    for wrong in (np.log(proba), 3 * proba, proba - 1):
        with pytest.raises(DataFormatError, match=r"in \[0, 1\]; these are from"):
            expected_calibration_error(Y, wrong)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_prediction_is_no_class(missing):
    truth, b = np.array(["dog", "cat"] * 20), np.array(["dog", "dog"] * 20)
    a = truth.astype(object)
    a[3] = missing
    with pytest.raises(DataFormatError, match=r"1 of 40 labels are missing .* in position 3"):
        compare_paired(truth, a, b, metric="accuracy", n_bootstrap=10, n_permutations=10)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize(
    "model",
    [
        KNNPriorBlender(LogisticRegression()),
        HierarchicalDecoder(LogisticRegression()),
        FoldEnsembleClassifier(LogisticRegression()),
        BranchClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_missing_label_is_named_before_a_fit(model, missing):
    y = Y.astype(object)
    y[3] = missing
    with pytest.raises(DataFormatError, match=r"1 of 300 labels are missing \(first: row 3\)"):
        model.fit(X, y)
