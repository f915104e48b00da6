"""Rules on texts."""

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import DataFormatError
from skbst.sampling import MetadataQualitySampler


def table(rows):
    return pd.DataFrame(rows, columns=["title", "tags", "description", "uploader"])


def test_empty_and_poor_texts_go_with_the_reason():
    X = table(
        [
            ("dog_bark 02.wav", "dog", "", "ann"),
            ("0012.wav", "", "", "ann"),
            ("ZOOM0001.WAV", "", "<br/>", "bob"),
            ("bark", "", "http://www.example.org", "bob"),
        ]
    )
    sampler = MetadataQualitySampler(min_per_class=0).fit(X, ["fx-a"] * 4)
    assert sampler.scores_["kept"].tolist()[0]
    assert not sampler.scores_["kept"].to_numpy()[1:].any()
    assert sampler.scores_["reason"].tolist()[1] == "no words"
    assert sampler.scores_["reason"].tolist()[3] == "few words"
    assert MetadataQualitySampler(min_words=1, min_per_class=0).fit(X, ["fx-a"] * 4).scores_["kept"].tolist()[3]


def test_template_words_count_only_where_others_use_them_for_the_class():
    studio = [(f"take {k}", "superstudio,megapack", "", "ann") for k in range(12)]
    looper = [(f"{k}.wav", "drumloop,groove", "", "bob") for k in range(12)]
    others = [("nice drumloop", "groove", "", f"user{k}") for k in range(3)]
    X = table(studio + looper + others)
    y = np.array(["fx-o"] * 12 + ["m-sp"] * 15)
    sampler = MetadataQualitySampler(min_per_class=0).fit(X, y)
    kept = sampler.scores_["kept"].to_numpy()
    assert not kept[:12].any()
    assert kept[12:].all()
    as_other_class = MetadataQualitySampler(min_per_class=0).fit(
        X, np.array(["fx-o"] * 12 + ["fx-el"] * 12 + ["m-sp"] * 3)
    )
    assert not as_other_class.scores_["kept"].to_numpy()[12:24].any()


def test_repeated_texts_are_capped_per_uploader_and_class():
    X = table([(f"kick drum {k}", "drum", "", "ann") for k in range(9)] + [("kick drum 3", "drum", "", "bob")])
    sampler = MetadataQualitySampler(max_repeats=4, min_per_class=0, min_uploader_rows=100).fit(X, ["is-p"] * 10)
    assert sampler.sample_indices_.tolist() == [0, 1, 2, 3, 9]
    assert set(sampler.scores_["reason"][4:9]) == {"repeated text"}


def test_no_class_vanishes_and_trusted_rows_stay():
    X = table([("", "", "", "ann"), ("x", "", "", "ann"), ("harp string", "", "", "ann"), ("", "", "", "bob")])
    y = ["is-w", "is-w", "is-s", "is-s"]
    assert MetadataQualitySampler(min_per_class=1).fit(X, y).sample_indices_.tolist() == [0, 2]
    trusted = MetadataQualitySampler(min_per_class=0).fit(X, y, candidates=[False, True, True, True])
    assert trusted.sample_indices_.tolist() == [0, 2]


def test_texts_alone_and_tables_without_texts():
    X, _ = MetadataQualitySampler(min_per_class=0).fit_resample(["dog barks", "", "12"], ["a", "a", "b"])
    assert list(X) == ["dog barks"]
    assert MetadataQualitySampler(min_per_class=0).fit(["1", ""], ["a", "b"]).sample_indices_.tolist() == []
    with pytest.raises(DataFormatError, match="at least one of the columns"):
        MetadataQualitySampler().fit(pd.DataFrame({"audio": ["a"]}), ["fx-a"])
