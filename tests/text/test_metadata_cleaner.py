import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbst.exceptions import DataFormatError
from skbst.text import MetadataCleaner, has_words

FIELDS = ["title", "tags", "description"]


@pytest.fixture
def clips():
    return pd.DataFrame(
        {
            "audio": ["a.wav", "b.wav", "c.wav", "d.wav"],
            "title": ["Rain_roof_02.wav", "ZOOM0012.WAV", np.nan, "05.mp3"],
            "tags": ["rain,field-recording,zoom-h4n,2008", "zoom-h4n,2008", None, "H4n,2009"],
            "description": [
                "<b>Heavy</b> rain.<br>Please credit me: http://example.org",
                "Recorded with a Zoom H4n.",
                "Recorded with my Zoom H4n.",
                "&nbsp;",
            ],
        },
        index=["11", "22", "33", "44"],
    )


def test_table_in_table_out(clips):
    before = clips.copy()
    cleaned = MetadataCleaner().fit(clips).transform(clips)
    pd.testing.assert_frame_equal(clips, before)
    assert list(cleaned.columns) == list(clips.columns)
    assert cleaned.index.equals(clips.index)
    assert cleaned["audio"].equals(clips["audio"])
    assert cleaned.loc["11", FIELDS].tolist() == ["Rain roof", "rain, field recording", "Heavy rain."]


def test_a_clip_with_words_is_never_emptied(clips):
    cleaned = MetadataCleaner().fit(clips).transform(clips)
    assert cleaned.loc["22", "title"] == "ZOOM0012"
    assert cleaned.loc["33", FIELDS].tolist() == ["", "", "Recorded with my Zoom H4n."]
    assert cleaned.loc["44", FIELDS].tolist() == ["", "H4n", ""]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("title", "Rain roof"),
        ("title+tags", "Rain roof. rain, field recording"),
        ("title+tags+description", "Rain roof. rain, field recording. Heavy rain."),
    ],
)
def test_views(clips, view, expected):
    texts = MetadataCleaner(view).fit(clips).transform(clips)
    assert isinstance(texts, pd.Series)
    assert texts.name == "text"
    assert texts.index.equals(clips.index)
    assert texts["11"] == expected


def test_fit_transform_equals_fit_then_transform(clips):
    cleaner = MetadataCleaner("title+tags+description", min_repeats=2)
    expected = clone(cleaner).fit(clips).transform(clips)
    pd.testing.assert_series_equal(cleaner.fit_transform(clips), expected)


def test_texts_alone(clips):
    texts = ["<i>Rain</i> falls", None, float("nan"), "Wind. Enjoy!"]
    cleaner = MetadataCleaner().fit(texts)
    assert cleaner.transform(texts).tolist() == ["Rain falls", "", "", "Wind."]
    series = pd.Series(texts, index=list("abcd"))
    assert cleaner.transform(series).index.equals(series.index)
    with pytest.raises(DataFormatError, match="fitted on texts"):
        cleaner.transform(clips)


def test_templates_are_those_of_one_uploader():
    words = ["thunder", "wind", "rain", "surf", "hail", "fog"]
    table = pd.DataFrame(
        {
            "title": words,
            "tags": ["sandyrb,weather"] * 3 + ["weather"] * 3,
            "description": [f"Some {word} outside. From the great weather collection of mine" for word in words],
        }
    )
    alone = MetadataCleaner(min_repeats=5).fit(table, groups=["sandyrb"] * 3 + ["bob"] * 3)
    assert alone.templates_.empty
    same = MetadataCleaner(min_repeats=5).fit(table, groups=["sandyrb"] * 6)
    assert same.templates_["uploader"].tolist() == ["sandyrb", "sandyrb"]
    assert same.templates_["n_rows"].tolist() == [6, 6]
    without = MetadataCleaner(min_repeats=5).fit(table)
    assert same.template_keys_.tolist() == without.template_keys_.tolist()
    other = table.assign(title="dog", description="A dog barks. From the great weather collection of mine.")
    cleaned = same.transform(other)
    assert set(cleaned["description"]) == {"A dog barks."}
    assert set(cleaned["tags"]) == {"weather"}
    assert "sandyrb" in without.transform(table)["tags"][0]


def test_uploaders_come_from_a_column_or_by_routing(clips):
    table = clips.assign(description="All of this is one long story.", uploader=["ann"] * 4)
    assert MetadataCleaner(min_repeats=4).fit(table).templates_["uploader"].tolist() == ["ann"]
    with config_context(enable_metadata_routing=True):
        cleaner = MetadataCleaner(min_repeats=4).set_fit_request(groups=True)
        pipe = make_pipeline(cleaner, FunctionTransformer())
        pipe.fit(table.drop(columns="uploader"), groups=["bob"] * 4)
    assert pipe[0].templates_["uploader"].tolist() == ["bob"]


def test_extra_tags(clips):
    cleaned = MetadataCleaner(extra_tags=["Field Recording"]).fit(clips).transform(clips)
    assert cleaned.loc["11", "tags"] == "rain"


def test_token_counter_is_used(clips):
    cleaner = MetadataCleaner("title+tags+description", max_tokens=3, token_counter=lambda text: len(text.split()))
    assert cleaner.fit_transform(clips)["11"] == "Rain roof. rain"


def test_report(clips):
    report = MetadataCleaner().fit(clips).report_
    assert list(report.columns) == ["field", "step", "n_rows", "share", "n_pieces", "examples"]
    by_step = report.set_index(["field", "step"])
    assert by_step.loc[("title", "extension"), "n_rows"] == 3
    assert by_step.loc[("tags", "device"), "n_rows"] == 3
    assert by_step.loc[("tags", "device"), "share"] == 0.75
    assert by_step.loc[("description", "html"), "n_pieces"] == 4
    assert "'zoom-h4n' (2)" in by_step.loc[("tags", "device"), "examples"]


def test_pandas_output_and_names(clips):
    cleaner = MetadataCleaner().set_output(transform="pandas").fit(clips)
    assert list(cleaner.transform(clips).columns) == list(clips.columns) == list(cleaner.get_feature_names_out())
    view = MetadataCleaner("title").set_output(transform="pandas").fit(clips)
    assert list(view.transform(clips).columns) == ["text"]


def test_pickle(clips):
    cleaner = MetadataCleaner("title").fit(clips)
    again = pickle.loads(pickle.dumps(cleaner))
    pd.testing.assert_series_equal(cleaner.transform(clips), again.transform(clips))
    pd.testing.assert_frame_equal(cleaner.report_, again.report_)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"audio": ["a"]}), "at least one of the columns"),
        ("one text", "got one str"),
        (np.array([["a", "b"]], dtype=object), "shape"),
    ],
)
def test_bad_input(X, message):
    with pytest.raises(DataFormatError, match=message):
        MetadataCleaner().fit(X)


def test_bad_uploader(clips):
    with pytest.raises(DataFormatError, match="one entry per row"):
        MetadataCleaner().fit(clips, groups=["ann"])


def test_bad_view(clips):
    with pytest.raises(ValueError, match="view"):
        MetadataCleaner(view="tags").fit(clips)


PIECES = [
    "Rain_01.wav", "zoom-h4n", "&amp;lt;b&amp;gt;", "<br>", "http://a.bc/d", "me@x.org", "24 bit", "Enjoy!", "\u200b", "犬の声",
    "with a Zoom H4n", "120bpm", "ﬁ", "()", " - ", "...", ",", "#4", "2013-05-04", "v2", "The wind.", "\r\n", "BigDoor", "a", "",
    "www.x.com", "(C) 2010", "Dsharp4", "-", "_", "808", "wav", ".mp3", "free", "[", "é\u0301", "\ud83d", "mics", "—",
]  # fmt: skip


def test_random_mess_is_cleaned_once_and_for_all():
    rng = np.random.default_rng(0)
    rows = {
        f: ["".join(rng.choice([" ", "", ",", "\n"]).join(rng.choice(PIECES, 6))) for _ in range(400)] for f in FIELDS
    }
    table = pd.DataFrame(rows, dtype=object)  # pyarrow's strings cannot hold half a surrogate pair
    cleaner = MetadataCleaner(min_repeats=3).fit(table, groups=rng.integers(0, 20, 400).astype(str))
    cleaned = cleaner.transform(table)
    pd.testing.assert_frame_equal(cleaner.transform(cleaned), cleaned)
    " ".join(cleaned.to_numpy().ravel()).encode("utf-8")


@pytest.mark.data
@pytest.mark.parametrize("folder", ["bsd10k-v1.0", "bst-real/metadata"])
def test_real_rows(data_root, folder):
    table = pd.read_csv(data_root / folder / "BSD10k_metadata.csv", dtype=str, keep_default_na=False)
    table = table.set_index("sound_id")
    cleaner = MetadataCleaner()
    cleaned = cleaner.fit_transform(table, groups=table["uploader"])
    assert len(cleaned) == len(table)
    pd.testing.assert_frame_equal(cleaner.transform(cleaned), cleaned)
    fields = [field for field in FIELDS if field in table]
    stems = table["title"].str.replace(r"(?i)\.[a-z0-9]{2,4}$", "", regex=True)
    had_words = (stems + " " + table["tags"]).map(has_words)
    has_them = cleaned[fields].agg(" ".join, axis=1).map(has_words)
    assert had_words.sum() > 0.9 * len(table)
    assert has_them[had_words].all()
    assert cleaner.report_["n_rows"].sum() > len(table) / 2
