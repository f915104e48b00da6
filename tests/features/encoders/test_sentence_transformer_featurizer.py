"""A real sentence encoder, against the library's own answers."""

import json
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import CheckpointError, DataFormatError, DownloadError
from skbst.features import SentenceTransformerFeaturizer
from skbst.features._embedding._text_groups import embed_together
from skbst.features._encoders._group_tokens import group_tokens, one_by_one
from skbst.features._encoders._sentence_run import load_sentence_model
from skbst.text import MetadataCleaner

TEXTS = ["rain on a tin roof", "a dog barks", "synth pad", "x", "rain " * 300, "Sax Alto - F5 good-sounds single-note"]
CLIPS = pd.DataFrame(
    {
        "title": ["Rain_roof_02.wav", "dog", "", None],
        "tags": [["rain", "zoom-h4n"], ["dog", "bark"], [], ["synth"]],
        "description": ["Heavy rain.", "", "", None],
    },
    index=["a", "b", "b", "c"],
)


@pytest.fixture(scope="module")
def library(minilm):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(minilm), device="cpu")


def test_vectors_are_the_librarys_own(minilm, library):
    ours = SentenceTransformerFeaturizer(minilm).fit_transform(TEXTS)
    assert ours.shape == (6, 384)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, library.encode(TEXTS, normalize_embeddings=True), atol=1e-5)
    cut = SentenceTransformerFeaturizer(minilm, truncate_dim=100).fit(TEXTS)
    np.testing.assert_allclose(
        cut.transform(TEXTS), library.encode(TEXTS, truncate_dim=100, normalize_embeddings=True), atol=1e-5
    )
    assert len(cut.get_feature_names_out()) == 100
    short = SentenceTransformerFeaturizer(minilm, truncate_dim=100, normalize=False).fit_transform(TEXTS)
    np.testing.assert_allclose(short, library.encode(TEXTS, truncate_dim=100), atol=1e-5)
    assert np.linalg.norm(short, axis=1).max() < 0.9
    with pytest.raises(ValueError, match="more than the 384"):
        SentenceTransformerFeaturizer(minilm, truncate_dim=385).fit(TEXTS).transform(TEXTS)


def test_texts_in_groups_are_those_alone(minilm):
    words = ["dog", "rain", "door", "wind", "car", "wood", "water"]
    texts = [f"{first} {second} in the night" for first in words for second in words][:45] + ["dog", "rain"]
    featurizer = SentenceTransformerFeaturizer(minilm, n_jobs=1).fit(texts)
    model = load_sentence_model(featurizer)
    inputs = model.read(texts, None)
    assert [tokens["input_ids"].shape for tokens in inputs] == [(1, 7)] * 45 + [(1, 3)] * 2
    assert all(tokens["attention_mask"].all() for tokens in inputs)
    assert group_tokens(dict(enumerate(inputs))) == [list(range(36)), list(range(36, 45)), [45], [46]]
    together = featurizer.transform(texts)
    for i in (0, 17, 35, 36, 40, 44, 45):
        np.testing.assert_array_equal(featurizer.transform([texts[i]])[0], together[i])
    np.testing.assert_array_equal(featurizer.transform(texts[::-1])[::-1], together)


def test_a_batch_taken_apart_is_each_text_alone(minilm):
    model = load_sentence_model(SentenceTransformerFeaturizer(minilm))
    for text, tokens in zip(TEXTS, model.read(TEXTS, "query: ")):
        alone = model.network.preprocess([text], prompt="query: ")
        assert tokens.keys() == alone.keys()
        for name in ("input_ids", "attention_mask", "token_type_ids"):
            assert tokens[name].tolist() == alone[name].tolist()


def test_fill_on_either_side_is_taken_off():
    torch = pytest.importorskip("torch")
    ids, mask = torch.tensor([[0, 7, 8], [4, 5, 6]]), torch.tensor([[0, 1, 1], [1, 1, 1]])
    left, whole = one_by_one({"input_ids": ids, "attention_mask": mask, "modality": "text"}, 2)
    assert left["input_ids"].tolist() == [[7, 8]]
    assert left["attention_mask"].tolist() == [[1, 1]]
    assert whole["input_ids"].tolist() == [[4, 5, 6]]
    right = one_by_one({"input_ids": ids.flip(1), "attention_mask": mask.flip(1)}, 2)[0]
    assert right["input_ids"].tolist() == [[8, 7]]
    assert one_by_one({"input_ids": ids, "attention_mask": torch.tensor([[1, 0, 1], [1, 1, 1]])}, 2) is None
    assert one_by_one({"input_ids": ids.flatten(), "offsets": torch.tensor([0, 3])}, 2) is None


def test_where_groups_round_differently_texts_are_embedded_alone():
    """A matrix product whose last row of a group comes out differently."""
    calls = []

    def embed(group):
        calls.append(len(group))
        made = [np.full(2, text, dtype=np.float32) for text in group]
        made[-1] = made[-1] + (1e-6 if len(group) > 1 else 0)
        return made

    alike = {}
    for group in ([1.0, 2.0, 3.0], [4.0, 5.0], [6.0]):
        made = embed_together(embed, group, "shape", alike, 4)
        assert [float(vector[0]) for vector in made] == group
    assert calls == [4, 1, 1, 1, 1, 1, 1, 1, 1]


def test_what_is_no_row_of_tokens_stays_alone():
    torch = pytest.importorskip("torch")
    bag = {"input_ids": torch.arange(5), "offsets": torch.zeros(1, dtype=torch.long)}
    assert group_tokens(dict.fromkeys(range(9), bag)) == [[i] for i in range(9)]


def test_no_row_depends_on_its_batch(minilm):
    featurizer = SentenceTransformerFeaturizer(minilm, n_jobs=2, batch_size=3).fit(TEXTS)
    together = featurizer.transform(TEXTS)
    np.testing.assert_array_equal(featurizer.transform(TEXTS[::-1])[::-1], together)
    for text, row in zip(TEXTS, together):
        np.testing.assert_array_equal(featurizer.transform([text])[0], row)


@pytest.mark.data
def test_published_vectors_of_real_titles_and_tags(minilm, data_root):
    vectors = np.load(data_root / "real-encoders" / "bsd10k_v1.0.npz")
    table = pd.read_csv(data_root / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False)
    rows = np.arange(0, len(table), 97)
    texts = [f"{title} {tags.replace(',', ' ')}" for title, tags in table.loc[rows, ["title", "tags"]].to_numpy()]
    made = SentenceTransformerFeaturizer(minilm).fit_transform(texts)
    wanted = vectors["text_minilm_title_tags"][rows].astype(np.float32)
    assert (made * wanted).sum(axis=1).min() > 0.999


def test_sequences_of_every_kind_are_texts(minilm):
    featurizer = SentenceTransformerFeaturizer(minilm).fit(TEXTS[:2])
    wanted = featurizer.transform(TEXTS[:2])
    for same in (np.array(TEXTS[:2]), np.array(TEXTS[:2], dtype=object), pd.Series(TEXTS[:2]), tuple(TEXTS[:2])):
        np.testing.assert_array_equal(featurizer.transform(same), wanted)
    for wrong in ("rain", [1, 2], [["rain"]], []):
        with pytest.raises(DataFormatError):
            featurizer.transform(wrong)


def test_an_empty_text_is_missing(minilm):
    featurizer = SentenceTransformerFeaturizer(minilm).fit(["a"])
    with pytest.warns(UserWarning, match="3 of 4 clips have no text"):
        vectors = featurizer.transform(["rain", "", None, "  "])
    assert not vectors[1:].any()
    problems = featurizer.transform_with_problems(pd.Series(["", "rain"], index=["17", "23"]))[1]
    assert problems["reason"].to_dict() == {"17": "no text"}


@pytest.mark.parametrize("cleaner", ["default", None])
def test_texts_that_no_tokenizer_can_encode_lose_no_batch(minilm, tmp_path, cleaner):
    texts = ["rain", "dog \ud800 bark", "\udcff", "\x00", "\u0301" * 50, "a\x00b", "\u202e", "rain " * 200_000, "dog"]
    table = pd.DataFrame({"title": np.array(texts, dtype=object)}, index=list("abcdefghi"), dtype=object)
    featurizer = SentenceTransformerFeaturizer(minilm, cleaner=cleaner, store=str(tmp_path / "store"), n_jobs=1)
    vectors, problems = featurizer.fit(table).transform_with_problems(table)
    clean = featurizer.transform_with_problems(table.assign(title=["dog bark"] * 9))[0]
    # the cleaner leaves nothing of the marks either; without one they are tokens of their own
    without_text = ["c", "d", "e", "g"] if cleaner else ["c"]
    assert problems.index[problems["silent"]].tolist() == without_text
    assert problems.index[~problems["silent"]].tolist() == ([] if cleaner else ["b"])
    there = [name not in without_text for name in "abcdefghi"]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), there, rtol=1e-6)
    np.testing.assert_allclose(vectors[1], clean[0], atol=1e-6)
    np.testing.assert_array_equal(vectors[[0, 8]], featurizer.transform(table.iloc[[0, 8]]))
    np.testing.assert_array_equal(featurizer.transform_with_problems(table)[0], vectors)


def test_a_text_without_its_surrogates_has_a_record(minilm):
    texts = ["rain", "dog \ud800\udc80 bark", "\U0001f3b9 piano"]
    featurizer = SentenceTransformerFeaturizer(minilm).fit(texts)
    assert featurizer.texts(texts) == ["rain", "dog  bark", "\U0001f3b9 piano"]
    with pytest.warns(UserWarning, match=r"1 of 3 texts have lone surrogates, .* \(first: 1\)") as told:
        featurizer.transform(texts)
    assert [warning.filename for warning in told] == [__file__]
    problems = featurizer.transform_with_problems(texts)[1]
    assert problems[["reason", "silent"]].to_numpy().tolist() == [["no Unicode", False]]
    assert problems["detail"].iloc[0].startswith("2 lone surrogate")


@pytest.mark.filterwarnings("ignore:1 of 4 clips have no text")
def test_tables_are_cleaned_and_joined(minilm):
    featurizer = SentenceTransformerFeaturizer(minilm).fit(CLIPS)
    assert featurizer.texts(CLIPS) == ["Rain roof. rain. Heavy rain.", "dog. dog, bark", "", "synth"]
    view = SentenceTransformerFeaturizer(minilm, cleaner=MetadataCleaner("title+tags")).fit(CLIPS)
    assert view.texts(CLIPS)[0] == "Rain roof. rain"
    template = SentenceTransformerFeaturizer(minilm, cleaner=None, template="{title} ({tags})").fit(CLIPS)
    assert template.texts(CLIPS) == ["Rain_roof_02.wav (rain, zoom-h4n)", "dog (dog, bark)", "", "(synth)"]
    np.testing.assert_array_equal(featurizer.transform(CLIPS)[1], featurizer.transform(CLIPS.iloc[1:2])[0])
    for wrong in ("{name}", "no field", "{title"):
        with pytest.raises(DataFormatError, match="template"):
            SentenceTransformerFeaturizer(minilm, template=wrong).fit(CLIPS)
    with pytest.raises(DataFormatError, match="got a table"):
        SentenceTransformerFeaturizer(minilm).fit(TEXTS).transform(CLIPS)


def test_long_texts_keep_title_and_tags(minilm):
    clips = pd.DataFrame({"title": ["rain"], "tags": [["roof"]], "description": ["word and word again. " * 200]})
    text = SentenceTransformerFeaturizer(minilm).fit(clips).texts(clips)[0]
    assert text.startswith("rain. roof. word")
    assert len(text) < 2500


def test_prompts(minilm, tmp_path):
    folder = tmp_path / "prompted"
    shutil.copytree(minilm, folder)
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings["prompts"] = {"query": "query: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    plain = SentenceTransformerFeaturizer(minilm).fit(["a"]).transform(["query: rain"])
    prompted = SentenceTransformerFeaturizer(folder, prompt_name="query").fit(["a"]).transform(["rain"])
    np.testing.assert_allclose(prompted, plain, atol=1e-6)
    with pytest.raises(ValueError, match=r"prompts: \[.*'query'"):
        SentenceTransformerFeaturizer(folder, prompt_name="other").fit(["a"]).transform(["rain"])


def test_store_threads_and_pickles(minilm, tmp_path, monkeypatch):
    featurizer = SentenceTransformerFeaturizer(minilm, store=tmp_path, n_jobs=1).fit(TEXTS)
    before = pickle.dumps(featurizer)
    wanted = featurizer.transform(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(SentenceTransformerFeaturizer(minilm, n_jobs=1).fit(TEXTS).transform, [TEXTS] * 4):
            np.testing.assert_array_equal(vectors, wanted)
    assert pickle.dumps(featurizer) == before
    assert len(before) < 2000
    from skbst.features._encoders._sentence_run import SentenceRun

    monkeypatch.setattr(SentenceRun, "compute", lambda self, rows: pytest.fail("was embedded again"))
    np.testing.assert_array_equal(featurizer.transform(TEXTS), wanted)


def test_no_pickle_and_no_code_is_taken_from_a_folder(minilm, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(minilm, folder)
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(
        json.dumps([*modules, {"idx": 3, "name": "3", "path": "", "type": "os.system"}])
    )
    with pytest.raises(CheckpointError, match=r"os\.system"):
        SentenceTransformerFeaturizer(folder).fit(TEXTS).transform(TEXTS)
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(CheckpointError, match="pickle"):
        SentenceTransformerFeaturizer(folder).fit(TEXTS).transform(TEXTS)
    shutil.rmtree(folder / "2_Dense")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="safetensors"):
        SentenceTransformerFeaturizer(folder).fit(TEXTS).transform(TEXTS)


def test_offline():
    featurizer = SentenceTransformerFeaturizer("nobody/nothing-of-this-name", local_files_only=True).fit(TEXTS)
    with pytest.raises(DownloadError, match="hf download nobody/nothing-of-this-name"):
        featurizer.transform(TEXTS)


def test_without_the_library(minilm):
    code = (
        "import sys; sys.modules['sentence_transformers'] = None\n"
        "from skbst.features import SentenceTransformerFeaturizer as F\n"
        "try:\n    F(sys.argv[1]).fit_transform(['rain'])\nexcept ImportError as error:\n    print(error)\n"
    )
    made = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=True)
    assert "SentenceTransformerFeaturizer needs sentence_transformers" in made.stdout
    assert "skbst[encoders]" in made.stdout


@pytest.mark.parametrize(
    "modules", [{"type": "a"}, ["a"], [[]], "a", 1, [{}], [{"type": "sentence_transformers.models.Gone"}]]
)
def test_odd_lists_of_modules_are_a_checkpoint_error(tmp_path, modules):
    import json

    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError):
        SentenceTransformerFeaturizer(tmp_path).fit_transform(["a dog"])
