import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.features import BlockSelector, ClipFeaturizer, MFCCFeaturizer


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Folder of 23 tones of three pitches, and one file that is no sound."""
    folder = tmp_path_factory.mktemp("made") / "sounds"
    folder.mkdir()
    rng, time = np.random.default_rng(0), np.arange(4000) / 16000
    for i in range(23):
        tone = 0.2 * np.sin(2 * np.pi * (300, 1500, 5000)[i % 3] * time) + 0.01 * rng.normal(size=4000)
        soundfile.write(folder / f"s{i:02d}.wav", tone, 16000)
    (folder / "zz.wav").write_bytes(b"no sound")
    return folder


@pytest.fixture(scope="session")
def clips(sounds):
    paths = sorted(sounds.glob("s*.wav"))
    table = {"audio": map(str, paths), "title": "tone", "tags": "", "description": ""}
    return pd.DataFrame(table, index=pd.Index([path.stem for path in paths], name="sound_id"))


@pytest.fixture(scope="session")
def target():
    return np.array(["fx-a", "m-sp", "ss-n"])[np.arange(23) % 3]


@pytest.fixture(scope="session")
def unfitted():
    mfcc = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.25))])
    return make_pipeline(mfcc, BlockSelector("mfcc"), StandardScaler(), LogisticRegression(C=0.01))


@pytest.fixture(scope="session")
def model(unfitted, clips, target):
    return unfitted.fit(clips, target)
