import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.features import BlockSelector, FeatureBundle


@pytest.fixture
def bundle():
    rng = np.random.default_rng(0)
    return FeatureBundle(
        {"audio": rng.normal(size=(4, 3)), "text": rng.normal(size=(4, 2)), "mfcc": rng.normal(size=(4, 5, 2))}
    )


@pytest.mark.parametrize(
    ("blocks", "expected"), [(None, ["audio", "text"]), ("text", ["text"]), (["mfcc", "audio"], ["mfcc", "audio"])]
)
def test_chosen_blocks_stand_side_by_side(bundle, blocks, expected):
    selector = BlockSelector(blocks).fit(bundle)
    table = selector.transform(bundle[[2, 0]])
    np.testing.assert_array_equal(table, np.hstack([bundle[name][[2, 0]].reshape(2, -1) for name in expected]))
    assert selector.n_features_out_ == table.shape[1] == len(selector.get_feature_names_out())
    assert selector.get_feature_names_out()[0] == f"{expected[0]}__0"
    assert selector.n_features_in_ == 15


def test_pandas_output(bundle):
    table = BlockSelector("text").set_output(transform="pandas").fit_transform(bundle)
    assert table.columns.tolist() == ["text__0", "text__1"]


def test_an_array_passes():
    X = np.arange(6.0).reshape(3, 2)
    selector = BlockSelector("audio").fit(X)
    np.testing.assert_array_equal(selector.transform(X), X)
    assert selector.get_feature_names_out().tolist() == ["x0", "x1"]


def test_errors(bundle):
    with pytest.raises(DataFormatError, match=r"no block 'clap'; it has \['audio', 'text', 'mfcc'\]"):
        BlockSelector(["audio", "clap"]).fit(bundle)
    with pytest.raises(DataFormatError, match="No block to select"):
        BlockSelector().fit(bundle.select("mfcc"))
    selector = BlockSelector("audio").fit(bundle)
    with pytest.raises(DataFormatError, match="no block 'audio'"):
        selector.transform(bundle.select("text"))
    with pytest.raises(DataFormatError, match="Expected a FeatureBundle"):
        selector.transform(np.ones((4, 3)))
    with pytest.raises(DataFormatError, match=r"had \(3,\) columns in fit; they have \(2,\)"):
        selector.transform(FeatureBundle({"audio": bundle["text"]}))
    with pytest.raises(DataFormatError, match="fitted on an array"):
        BlockSelector().fit(np.ones((2, 2))).transform(bundle)
