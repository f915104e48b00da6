"""What a saved system holds of CLAP: the name of the checkpoint, and no weight."""

import joblib
import numpy as np
import pytest

from skbst.datasets import load_bsd, make_bst_clips
from skbst.persistence import load_model, save_model
from skbst.systems import baseline


@pytest.fixture(scope="module")
def fitted(tiny_clap, tmp_path_factory):
    root = tmp_path_factory.mktemp("saved") / "clips"
    classes = dict.fromkeys(["fx-a", "m-sp"], 1)
    make_bst_clips(root, n_clips=12, max_duration=0.5, n_empty_files=0, class_weights=classes, random_state=0)
    clips = load_bsd(root)
    system = baseline(embeddings="clap", size="small", random_state=0, device="cpu")
    names = [name for name in system.get_params() if name.endswith(("__checkpoint", "__backend"))]
    values = {name: tiny_clap if name.endswith("checkpoint") else "transformers" for name in names}
    assert len(values) == 4
    system.set_params(**values, classifier__max_epochs=1)
    return system.fit(clips.data, clips.target), clips


def size_of(path):
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")))


def test_no_weights_of_clap_inside(fitted, tiny_clap, tmp_path):
    system, clips = fitted
    expected = system.predict_proba(clips.data)
    network = tmp_path / "network.joblib"
    joblib.dump(system[-1], network)
    joblib.dump(system, tmp_path / "system.joblib")
    folder = save_model(system, tmp_path / "system")
    # the rest is parameters and the cleaner's templates
    assert size_of(tmp_path / "system.joblib") - size_of(network) < 50_000 < size_of(tiny_clap / "model.safetensors")
    assert size_of(folder) < 2 * size_of(network) + 50_000
    for loaded in (joblib.load(tmp_path / "system.joblib"), load_model(folder)):
        np.testing.assert_allclose(loaded.predict_proba(clips.data), expected, atol=1e-6)
