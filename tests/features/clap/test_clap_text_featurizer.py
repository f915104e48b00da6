import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline

from skbst.audio import collect_problems
from skbst.exceptions import DataFormatError
from skbst.features import ClapTextFeaturizer
from skbst.features._clap._encoder import load_encoder, shared_tokenizer
from skbst.features._clap._tokenizer import group_texts, padded_length
from skbst.text import MetadataCleaner

TEXTS = ["rain on a roof", "a dog barks", "", "x" * 300, "été — 雨"]


class Shout(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.seen_ = len(X)
        return self

    def transform(self, X):
        return [str(text).upper() for text in X]


@pytest.fixture
def make(tiny_clap):
    def make(**options):
        return ClapTextFeaturizer(**{"checkpoint": tiny_clap, "backend": "transformers", "n_jobs": 1, **options})

    return make


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "title": ["Rain_roof_02.wav", "dog.mp3", None],
            "tags": ["rain,roof,zoom-h4n", "dog, bark", ""],
            "description": [
                "<b>Heavy</b> rain.<br>Please credit me: http://example.org",
                np.nan,
                "Wind in trees. " * 30,
            ],
            "audio": ["a.wav", "b.wav", "c.wav"],
        },
        index=["17", "23", "42"],
    )


class TestBasics:
    def test_rows_are_unit_vectors(self, make):
        rows = make().fit_transform(TEXTS)
        assert rows.shape == (5, 512)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
        assert len(np.unique(rows, axis=0)) == 5

    def test_texts_that_no_tokenizer_can_encode_lose_no_batch(self, make):
        texts = ["rain", "dog \ud800bark", "\udcff", "\x00", "\u0301" * 50, "rain " * 200_000]
        featurizer = make().fit(texts)
        with (
            collect_problems() as reports,
            pytest.warns(UserWarning, match="1 of 6 texts have lone surrogates") as told,
        ):
            rows = featurizer.transform(pd.Series(np.array(texts, dtype=object), index=list("abcdef"), dtype=object))
        assert [warning.filename for warning in told] == [__file__]
        assert reports[0]["reason"].to_dict() == {"b": "no Unicode"}
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(rows[:3], featurizer.transform(["rain", "dog bark", ""]))

    def test_kinds_of_sequences(self, make):
        expected = make().fit_transform(TEXTS)
        for X in (np.array(TEXTS), np.array(TEXTS, dtype=object), pd.Series(TEXTS), tuple(TEXTS)):
            np.testing.assert_array_equal(make().fit_transform(X), expected)

    def test_missing_is_empty(self, make):
        rows = make().fit_transform(pd.Series(["", None, np.nan, pd.NA], dtype=object))
        assert len(np.unique(rows, axis=0)) == 1

    def test_names_and_set_output(self, make):
        table = make().set_output(transform="pandas").fit_transform(pd.Series(TEXTS, index=list("abcde")))
        assert table.columns[0] == "claptextfeaturizer0"
        assert table.index.tolist() == list("abcde")

    @pytest.mark.parametrize("X", ["rain", [], [["rain"]], [3, 4], np.zeros((2, 3))])
    def test_no_texts(self, make, X):
        with pytest.raises(DataFormatError):
            make().fit(X)

    def test_transform_before_fit(self, make):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            make().transform(TEXTS)

    @pytest.mark.parametrize("options", [{"batch_size": 1}, {"batch_size": 2, "n_jobs": 3}])
    def test_same_bytes_in_any_company(self, make, options):
        expected = make().fit_transform(TEXTS)
        assert make(**options).fit_transform(TEXTS).tobytes() == expected.tobytes()
        assert make().fit_transform(TEXTS[::-1])[::-1].tobytes() == expected.tobytes()
        assert make().fit_transform(TEXTS[1:2]).tobytes() == expected[1:2].tobytes()


class TestCleaner:
    def test_default_cleans_tables(self, make, table):
        featurizer = make().fit(table)
        texts = featurizer.texts(table)
        assert texts[0].startswith("Rain roof. rain, roof. Heavy rain.")
        assert "http" not in texts[0]
        assert texts[1] == "dog. dog, bark"
        np.testing.assert_array_equal(featurizer.transform(table), make().fit_transform(texts))

    def test_default_counts_with_the_real_tokenizer(self, make, table, tiny_clap):
        tokenizer = shared_tokenizer(tiny_clap)
        counts = [tokenizer.count(text) for text in make().fit(table).texts(table)]
        assert max(counts) <= 77
        assert counts[2] > 60

    def test_default_takes_sequences_as_they_are(self, make):
        assert make().fit(["<b>x</b>"]).texts(["http://a.b"]) == ["http://a.b"]

    def test_none_joins_fields(self, make, table):
        texts = make(cleaner=None).fit(table).texts(table)
        assert texts[1] == "dog.mp3. dog, bark"

    def test_a_cleaner_in_the_pipeline_or_inside_is_the_same(self, make, table):
        inside = make(cleaner=MetadataCleaner()).fit_transform(table)
        before = make_pipeline(MetadataCleaner(), make(cleaner=None)).fit_transform(table)
        np.testing.assert_array_equal(inside, before)

    def test_any_transformer(self, make):
        featurizer = make(cleaner=Shout()).fit(["rain"])
        assert featurizer.texts(["rain"]) == ["RAIN"]
        assert featurizer.cleaner_.seen_ == 1
        assert not hasattr(featurizer.cleaner, "seen_")

    def test_uploaders_reach_the_cleaner(self, make):
        line = "My field trip of the year."
        table = pd.DataFrame({"title": [f"bird {c}" for c in "abcdefghijkl"], "description": [line] * 12})
        with_uploader = make().fit(table, groups=["anna"] * 12)
        assert line not in " ".join(with_uploader.texts(table))

    def test_no_such_columns(self, make, table):
        with pytest.raises(DataFormatError, match="title"):
            make(cleaner=None).fit(table[["audio"]]).transform(table[["audio"]])

    def test_fitted_on_texts_given_a_table(self, make, table):
        with pytest.raises(DataFormatError, match="fitted on texts"):
            make().fit(["rain"]).transform(table)

    def test_clone_and_pickle(self, make, table):
        featurizer = make().fit(table)
        expected = featurizer.transform(table)
        content = pickle.dumps(featurizer)
        assert len(content) < 20000
        np.testing.assert_array_equal(pickle.loads(content).transform(table), expected)
        np.testing.assert_array_equal(clone(featurizer).fit(table).transform(table), expected)

    def test_saved_without_pickle(self, make, table, tmp_path):
        from skbst.persistence import load_model, save_model

        featurizer = make().fit(table)
        save_model(featurizer, tmp_path / "model")
        again = load_model(tmp_path / "model")
        np.testing.assert_array_equal(again.transform(table), featurizer.transform(table))

    @pytest.mark.data
    def test_real_rows(self, make, data_root):
        metadata = pd.read_csv(data_root / "bst-real" / "metadata" / "BSD10k_metadata.csv").head(40)
        rows = make().fit_transform(metadata[["title", "tags", "description"]])
        assert np.isfinite(rows).all()


class TestGroups:
    """Texts of one padded length run together, and nobody can tell."""

    TEXTS = tuple(chr(97 + i % 26) * (1 + i * 7 % 80) for i in range(60))

    def test_groups_are_whole_or_single(self):
        ids = [[0] * n for n in [3] * 9 + [8] * 8 + [16] * 2]
        groups = group_texts(ids)
        assert sorted(len(group) for group in groups) == [1, 1, 1, 8, 8]
        assert sorted(i for group in groups for i in group) == list(range(19))
        for group in groups:
            assert len({padded_length(ids[i]) for i in group}) == 1

    def test_same_bytes_as_alone(self, make, tiny_clap):
        together = make(n_jobs=2).fit_transform(self.TEXTS)
        alone = make(batch_size=1).fit_transform(self.TEXTS)
        assert together.tobytes() == alone.tobytes()

    @pytest.mark.parametrize("n_characters", range(1, 80, 6))
    def test_each_length_among_others_of_its_group(self, make, n_characters):
        """Also texts that fill their padded length, whose attention needs no mask when they are alone."""
        others = ["x" * max(0, n_characters + 2 - i) + "yz"[: i % 3] for i in range(1, 8)]
        texts = ["a" * n_characters, *others]
        together = make().fit_transform(texts)
        assert together[0].tobytes() == make().fit_transform(texts[:1])[0].tobytes()

    def test_laion_clap(self, laion_module):
        featurizer = ClapTextFeaturizer(laion_module[1], cleaner=None).fit(self.TEXTS)
        together = featurizer.transform(self.TEXTS)
        some = [3, 17, 44, 59]
        alone = featurizer.set_params(batch_size=1).transform([self.TEXTS[i] for i in some])
        assert together[some].tobytes() == alone.tobytes()

    def test_where_the_processor_differs_texts_stay_alone(self, make, tiny_clap, no_models, monkeypatch):
        """A backend whose groups differ in the last bits, as some matrix products do."""
        alone = make(batch_size=1).fit_transform(self.TEXTS)
        model = load_encoder("transformers", tiny_clap)._model
        exact = model.embed_text

        def inexact(ids, mask):
            return [vector + 1e-6 * (len(ids) > 1) for vector in exact(ids, mask)]

        monkeypatch.setattr(model, "embed_text", inexact)
        assert make().fit_transform(self.TEXTS).tobytes() == alone.tobytes()
        assert not any(load_encoder("transformers", tiny_clap)._alike.values())
