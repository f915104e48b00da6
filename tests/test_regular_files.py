"""Whoever reads a file says so of a named pipe, and never waits for somebody to write into it."""

import os
import signal
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.curation import read_review
from skbst.datasets import load_bsd
from skbst.features import AudioStatisticsFeaturizer, ClassPriorFeaturizer, MFCCFeaturizer
from skbst.persistence import load_model
from skbst.submission import verify_submission

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture(autouse=True)
def impatient():
    """A reader that waits is a failure, not a test run that never ends."""

    def give_up(*_):
        raise AssertionError("waits for a named pipe")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)


def pipe(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def test_tables(tmp_path):
    pipe(tmp_path / "bsd" / "metadata" / "BSD10k_metadata.csv")
    with pytest.raises(OSError, match="not a regular file"):
        load_bsd(tmp_path / "bsd")
    with pytest.raises(OSError, match="not a regular file"):
        read_review(pipe(tmp_path / "review.json"))
    clips = pd.DataFrame({"title": ["a"], "tags": ["b"], "description": ["c"]}, index=["1"])
    priors = ClassPriorFeaturizer(str(pipe(tmp_path / "priors.csv")))
    with pytest.raises(ValueError, match="There is no file"):
        priors.fit(clips, ["fx-a"])
    with pytest.raises((OSError, ValueError)):
        verify_submission(pipe(tmp_path / "A_B_task1_1.output.csv"))
    with pytest.raises(FileNotFoundError):
        load_model(pipe(tmp_path / "model"))


@pytest.mark.parametrize(
    "featurizer",
    [AudioStatisticsFeaturizer(standardize=False), MFCCFeaturizer(duration=0.2)],
    ids=["vectors", "frames"],
)
def test_files_of_a_store_that_became_pipes(tmp_path, featurizer):
    sounds = []
    for i in range(3):
        sounds.append(str(tmp_path / f"{i}.wav"))
        soundfile.write(sounds[-1], np.random.default_rng(i).normal(0, 0.1, 4000), 16000)
    featurizer.set_params(store=tmp_path / "store")
    expected = np.array(featurizer.fit_transform(sounds))
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            pipe(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(featurizer.transform(sounds), expected)
