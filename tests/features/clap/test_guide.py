"""The code of the guide runs, and a whole ClipFeaturizer with CLAP blocks."""

import os
import shutil
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skbst.datasets import make_bst_clips
from skbst.exceptions import AudioDecodeWarning
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, ClipFeaturizer, EmbeddingStore, LogMelFeaturizer

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "clap.rst"


def code_blocks(text):
    for part in text.split(".. code-block:: python\n")[1:]:
        lines = []
        for line in part.splitlines():
            if line and not line.startswith(" "):
                break
            lines.append(line)
        yield textwrap.dedent("\n".join(lines))


@pytest.mark.slow
def test_the_code_of_the_guide(laion_module, tmp_path, monkeypatch):
    """Under the name of the default checkpoint lie random weights."""
    (tmp_path / "clap").mkdir()
    shutil.copy(laion_module[1], tmp_path / "clap" / "630k-audioset-fusion-best.pt")
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    options = {"max_duration": 1.0, "n_empty_files": 0, "random_state": 0}
    make_bst_clips("bsd10k", n_clips=12, with_embeddings=True, **options)
    names = {}
    for block in code_blocks(GUIDE.read_text(encoding="utf-8")):
        exec(compile(block, str(GUIDE), "exec"), names)
    assert names["bundle"]["clap_audio"].shape == (12, 512)
    assert names["skew"].n_compared == 10
    assert names["zero_shot"].predict_proba(names["bundle"]).shape == (12, 3)


def test_blocks_of_a_clip_featurizer(tiny_clap, clips, tmp_path):
    """A file of zero bytes: CLAP's silence, silent frames, one warning, one record."""
    data = pd.DataFrame(
        {
            "audio": [str(clips["short"]), str(clips["zero_bytes"])],
            "title": ["Rain", "Nothing"],
            "tags": ["rain,roof", ""],
            "description": ["", ""],
        },
        index=["17", "23"],
    )
    shared = {"backend": "transformers", "store": tmp_path, "n_jobs": 1}
    featurizers = [
        ("clap_audio", ClapAudioFeaturizer(tiny_clap, **shared)),
        ("clap_text", ClapTextFeaturizer(tiny_clap, **shared)),
        ("log_mel", LogMelFeaturizer(duration=1.0)),
    ]
    clip_featurizer = ClipFeaturizer(featurizers)
    with pytest.warns(AudioDecodeWarning) as caught:
        bundle = clip_featurizer.fit_transform(data)
    assert len(caught) == 1
    silence = ClapAudioFeaturizer(tiny_clap, backend="transformers").fit_transform(np.zeros((1, 48000)))
    np.testing.assert_array_equal(bundle["clap_audio"][1:], silence)
    assert len(np.unique(bundle["log_mel"][1])) == 1
    assert set(bundle.problems["sound_id"]) == {"23"}
    assert bundle["clap_text"].shape == (2, 512)


@pytest.mark.data
def test_real_sounds_written_and_read_back(tiny_clap, data_root, tmp_path):
    paths = sorted((data_root / "bst-real" / "audio").glob("*"))[:40]
    ids = [path.stem for path in paths]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioDecodeWarning)
        rows = ClapAudioFeaturizer(tiny_clap, backend="transformers", store=tmp_path).fit_transform(paths)
    store = EmbeddingStore(tmp_path)
    store.write(ids, rows)
    assert store.skew(ids, rows).quantiles.min() > 1 - 1e-6
    assert len(os.listdir(store.official_folder)) == 40
