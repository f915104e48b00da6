import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skbst.exceptions import DataFormatError
from skbst.features import PrecomputedFeaturizer

EMBEDDINGS = np.arange(8, dtype=np.float32).reshape(4, 2)
IDS = ["10", "20", "30", "40"]
DATA = pd.DataFrame({"title": ["a", "b", "b"]}, index=["30", "10", "30"])


@pytest.mark.parametrize(
    "featurizer",
    [
        PrecomputedFeaturizer(EMBEDDINGS, sound_ids=IDS),
        PrecomputedFeaturizer(pd.DataFrame(EMBEDDINGS, index=IDS)),
        PrecomputedFeaturizer(EMBEDDINGS.astype(float).tolist(), sound_ids=[10, 20, 30, 40]),
    ],
)
def test_rows_are_found_by_id(featurizer):
    for copy in (featurizer, clone(featurizer), pickle.loads(pickle.dumps(featurizer.fit(DATA)))):
        features = copy.fit(DATA).transform(DATA)
        assert features.dtype == np.float32
        np.testing.assert_array_equal(features, EMBEDDINGS[[2, 0, 2]])
    np.testing.assert_array_equal(featurizer.transform(DATA["title"]), EMBEDDINGS[[2, 0, 2]])
    table = clone(featurizer).set_output(transform="pandas").fit_transform(DATA)
    assert table.index.tolist() == DATA.index.tolist()
    assert table.columns.tolist() == ["precomputedfeaturizer0", "precomputedfeaturizer1"]


def test_unknown_ids():
    featurizer = PrecomputedFeaturizer(EMBEDDINGS, sound_ids=IDS).fit(DATA)
    with pytest.raises(DataFormatError, match=r"2 of 3 sounds have no embedding \(first: '50'\).*4 embeddings"):
        featurizer.transform(pd.DataFrame(index=["10", "50", "60"]))
    with pytest.raises(DataFormatError, match="looked up by sound_id"):
        featurizer.transform(np.ones((3, 2)))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((EMBEDDINGS,), {}, "needs sound_ids"),
        ((EMBEDDINGS,), {"sound_ids": IDS[:3]}, "4 embeddings, but 3 sound_ids"),
        ((EMBEDDINGS,), {"sound_ids": ["10", "20", "10", 20]}, r"2 of 4 sound_ids stand twice \(first: '10'\)"),
        ((np.full((4, 2), np.nan),), {"sound_ids": IDS}, "embeddings contains NaN"),
        ((np.ones(4),), {"sound_ids": IDS}, "2D array"),
    ],
)
def test_wrong_embeddings(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        PrecomputedFeaturizer(*arguments, **options).fit(DATA)
