import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.features import (
    BlockSelector,
    ClapAudioFeaturizer,
    ClapTextFeaturizer,
    ClipFeaturizer,
    ShippedEmbeddingFeaturizer,
)
from skbst.library import label_library, with_clap


def test_the_copy_looks_nothing_up(clips, target, tmp_path):
    folder = tmp_path / "data"
    for block in ("audio", "text"):
        (folder / "features" / f"clap_{block}_embeddings").mkdir(parents=True)
        for name in clips.index:
            vector = np.random.default_rng(int(name[1:])).normal(size=512).astype(np.float32)
            np.save(folder / "features" / f"clap_{block}_embeddings" / f"{name}.npy", vector)
    shipped = [
        (f"clap_{block}", ShippedEmbeddingFeaturizer(f"clap_{block}", root=folder)) for block in ("audio", "text")
    ]
    model = make_pipeline(ClipFeaturizer(shipped), BlockSelector(), LogisticRegression()).fit(clips, target)
    other = with_clap(model, store=tmp_path / "store", n_jobs=1)
    kinds = [type(part) for _, part in other[0].featurizers_]
    assert kinds == [ClapAudioFeaturizer, ClapTextFeaturizer]
    assert other[0].named_featurizers_["clap_audio"].store == tmp_path / "store"
    assert isinstance(model[0].featurizers_[0][1], ShippedEmbeddingFeaturizer)
    assert_allclose(other[-1].coef_, model[-1].coef_)


@pytest.mark.clap
def test_labels_with_computed_vectors(clips, target, tiny_clap, tmp_path):
    settings = {"checkpoint": tiny_clap, "backend": "transformers", "n_jobs": 1}
    few = clips.iloc[:6]
    vectors = {
        "audio": ClapAudioFeaturizer(**settings).fit_transform(few),
        "text": ClapTextFeaturizer(**settings).fit_transform(few),
    }
    for block, rows in vectors.items():
        folder = tmp_path / "data" / "features" / f"clap_{block}_embeddings"
        folder.mkdir(parents=True)
        for name, vector in zip(few.index, rows):
            np.save(folder / f"{name}.npy", vector)
    shipped = [
        (f"clap_{block}", ShippedEmbeddingFeaturizer(f"clap_{block}", root=tmp_path / "data")) for block in vectors
    ]
    model = make_pipeline(ClipFeaturizer(shipped), BlockSelector(), LogisticRegression()).fit(few, target[:6])
    renamed = few.set_axis([f"own-{name}" for name in few.index])
    label_library(with_clap(model, **settings), renamed, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out")
    assert table["problem"].tolist() == [""] * 6
    assert_allclose(table["proba_1"], model.predict_proba(few).max(axis=1), atol=1e-5)
