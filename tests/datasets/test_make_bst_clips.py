"""The generator: its layout, its reproducibility, and whether sound and text carry the class."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skbst.datasets import load_bsd, make_bst_clips, make_bst_table
from skbst.datasets._synth import SOUNDS, plan_clips, render_clip
from skbst.datasets._synth._neighbours import BSD10K_COUNTS, BSD35K_COUNTS, NEIGHBOURS, OFFICIAL_INDEX
from skbst.datasets._synth._plan import class_sequence
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy

QUICK = {"max_duration": 0.25, "sample_rate": 8000}
COLUMNS = [
    "sound_id",
    "class",
    "class_idx",
    "class_top",
    "confidence",
    "uploader",
    "license",
    "title",
    "tags",
    "description",
]
KINDS = [(code, name) for code in SOUNDS for name in SOUNDS[code]]


def digest(root):
    """Hash of every file under a folder, by relative path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def small_root(tmp_path_factory):
    return make_bst_clips(tmp_path_factory.mktemp("made") / "set", n_clips=69, random_state=3, **QUICK)


def test_tables_of_classes_are_complete():
    leaves = BST.leaves.tolist()
    assert list(BSD10K_COUNTS) == list(BSD35K_COUNTS) == list(NEIGHBOURS) == leaves
    assert sum(BSD10K_COUNTS.values()) == 10_956
    assert set(SOUNDS) == set(leaves)
    assert all(len(kinds) >= 3 for kinds in SOUNDS.values())
    assert all(code not in near and set(near) <= set(leaves) for code, near in NEIGHBOURS.items())
    assert OFFICIAL_INDEX["m-sp"] == 101
    assert OFFICIAL_INDEX["fx-el"] == 408
    assert OFFICIAL_INDEX["ss-s"] == 504
    assert OFFICIAL_INDEX["sp-other"] == 399


@pytest.mark.parametrize(("code", "name"), KINDS)
def test_every_kind_sounds(code, name):
    kind = SOUNDS[code][name]
    assert kind.render(np.random.default_rng(0), 150, 16000).shape == (150,)
    n = int(min(kind.duration[0], 1.5) * 16000)
    waveforms = [kind.render(np.random.default_rng(seed), n, 16000) for seed in (0, 0, 1)]
    for waveform in waveforms:
        assert waveform.shape == (n,)
        assert waveform.dtype == np.float32
        assert np.isfinite(waveform).all()
        assert np.abs(waveform).max() > 1e-4
    assert np.array_equal(waveforms[0], waveforms[1])
    assert not np.array_equal(waveforms[0], waveforms[2])
    assert len(kind.nouns) >= 5
    assert len(kind.tags) >= 5


def test_no_short_clip_is_silent():
    plans = plan_clips(92, shares=None, seed=5, limits=(0.02, 0.1))
    for plan in plans:
        waveform = render_clip(plan, 5, "bsd10k", 8000)
        assert len(waveform) == max(64, round(plan.duration * 8000))
        assert np.abs(waveform).max() > 0.005


def test_layout_is_that_of_bsd10k(small_root):
    table = pd.read_csv(small_root / "metadata" / "BSD10k_metadata.csv", dtype=str, keep_default_na=False)
    assert table.columns.tolist() == COLUMNS
    assert table["sound_id"].is_unique
    assert table["class"].nunique() == 23
    assert (table["class_idx"].astype(int) == table["class"].map(OFFICIAL_INDEX)).all()
    assert (table["class_top"] == table["class"].str.split("-").str[0]).all()
    assert set(table["confidence"]) <= set("12345")
    assert {path.stem for path in (small_root / "audio").iterdir()} == set(table["sound_id"])
    for sound_id in table["sound_id"][:10]:
        info = soundfile.info(small_root / "audio" / f"{sound_id}.wav")
        assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")


def test_table_of_the_taxonomy_is_that_of_v1_2(small_root):
    path = small_root / "metadata" / "BST_description.csv"
    table = pd.read_csv(path, keep_default_na=False).set_index("class_key")
    assert table.columns.tolist() == [
        "class_idx", "class_key_long", "top_level", "second_level", "description", "examples",
    ]  # fmt: skip
    assert len(table) == 23 + 5 + 5
    assert table["class_idx"].is_monotonic_increasing
    assert table.loc[list(OFFICIAL_INDEX), "class_idx"].to_dict() == OFFICIAL_INDEX
    assert table.loc[BST.tops, "class_idx"].tolist() == [100, 200, 300, 400, 500]
    assert table.loc["fx", "class_key_long"] == table.loc["fx", "top_level"] == "Sound effects"
    assert table.loc["fx-a", ["class_key_long", "second_level"]].tolist() == ["Sound effects / Animals", "Animals"]
    assert table.loc["fx-a", ["description", "examples"]].tolist() == BST.leaf_descriptions["fx-a"].split(": ")
    assert (table.loc[[f"{top}-other" for top in BST.tops], "second_level"] == "Other").all()
    tree = Taxonomy.from_csv(path)
    assert (tree, tree.leaf_names, tree.top_names) == (BST, BST.leaf_names, BST.top_names)


def test_a_larger_set_is_not_cut(tmp_path):
    root = make_bst_clips(tmp_path / "set", n_clips=30, random_state=3, **QUICK)
    before = digest(root)
    with pytest.raises(DataFormatError, match=r"holds 30 clips .*n_clips=29 would cut its table. Pass n_clips=30 or"):
        make_bst_clips(root, n_clips=29, random_state=3, **QUICK)
    assert digest(root) == before
    make_bst_clips(root, n_clips=30, random_state=3, **QUICK)
    assert digest(root) == before


def test_load_bsd_reads_it(small_root):
    sounds = load_bsd(small_root)
    assert len(sounds.data) == len(sounds.target) == 69
    assert set(sounds.target) == set(BST.leaves)
    assert sounds.taxonomy == BST
    assert {"audio", "title", "tags", "description"} <= set(sounds.data.columns)


def test_texts_are_as_messy_as_people_write_them():
    table = make_bst_table(1500, random_state=1)
    assert 0.15 < (table["description"] == "").mean() < 0.4
    assert table["description"].str.contains("<").any()
    assert table["description"].str.contains("example.org").any()
    assert table["description"].str.contains("\r\n").any()
    assert table["license"].nunique() == 6
    assert (table["tags"] != "").all()
    sizes = table["uploader"].value_counts()
    assert sizes.iloc[0] > 15 * sizes.median()
    of_several = table.groupby("uploader").filter(lambda rows: len(rows) > 4)
    assert of_several.groupby("uploader")["class"].nunique().mean() < 6


def test_lengths_follow_the_limits():
    seconds = pd.Series([plan.duration for plan in plan_clips(1200, shares=None, seed=0)])
    assert seconds.min() < 0.02
    assert seconds.max() > 25
    assert seconds.between(0.007, 30).all()
    capped = pd.Series([plan.duration for plan in plan_clips(300, shares=None, seed=0, limits=(0.1, 2.0))])
    assert capped.between(0.1, 2.0).all()
    assert capped[capped > 1.5].nunique() > 20


def test_same_bytes_whatever_the_jobs_and_a_prefix_stays(small_root, tmp_path):
    parallel = make_bst_clips(tmp_path / "parallel", n_clips=69, random_state=3, n_jobs=2, **QUICK)
    assert digest(parallel) == digest(small_root)
    few = make_bst_clips(tmp_path / "few", n_clips=30, random_state=3, **QUICK)
    waves = {name: value for name, value in digest(few).items() if name.startswith("audio")}
    assert len(waves) == 30
    assert waves.items() <= digest(small_root).items()
    other = make_bst_clips(tmp_path / "other", n_clips=30, random_state=4, **QUICK)
    assert not set(digest(other).values()) & set(waves.values())


def test_an_interrupted_run_is_completed_and_a_short_one_extended(small_root, tmp_path):
    root = make_bst_clips(tmp_path / "set", n_clips=40, random_state=3, **QUICK)
    waves = sorted((root / "audio").iterdir())
    waves[0].unlink()
    (root / "metadata" / "BSD10k_metadata.csv").unlink()
    before = {wave: wave.stat().st_mtime_ns for wave in waves[1:]}
    make_bst_clips(root, n_clips=69, random_state=3, **QUICK)
    assert digest(root) == digest(small_root)
    assert all(wave.stat().st_mtime_ns == then for wave, then in before.items())


def test_foreign_folders_are_refused(small_root, tmp_path):
    with pytest.raises(DataFormatError, match="sample_rate=8000, not 16000"):
        make_bst_clips(small_root, n_clips=69, random_state=3, max_duration=0.25, sample_rate=16000)
    with pytest.raises(DataFormatError, match="seed=3, not 4"):
        make_bst_clips(small_root, n_clips=69, random_state=4, **QUICK)
    (tmp_path / "metadata").mkdir()
    with pytest.raises(DataFormatError, match="not made here"):
        make_bst_clips(tmp_path, n_clips=5)
    with pytest.raises(DataFormatError, match="fx-zz"):
        make_bst_table(5, class_weights={"fx-zz": 1.0})
    with pytest.raises(DataFormatError, match=">= 0"):
        make_bst_table(5, class_weights={"fx-a": -1.0})
    with pytest.raises(ValueError, match="below min_duration"):
        make_bst_clips(tmp_path / "x", min_duration=2.0, max_duration=1.0)


def test_embeddings_stand_in_for_clap(tmp_path):
    root = make_bst_clips(tmp_path, n_clips=23, with_embeddings=True, n_empty_files=1, **QUICK)
    sounds = load_bsd(root)
    for name in ("clap_audio", "clap_text"):
        vectors = sounds.embeddings[name]
        assert vectors.shape == (23, 512)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
        assert np.linalg.matrix_rank(vectors) > 15


def test_class_sequence_by_hand():
    assert class_sequence({"a": 2, "b": 1}, 6, min_per_class=0) == ["a", "b", "a", "a", "b", "a"]
    sequence = class_sequence(BSD10K_COUNTS, 1000)
    counts = pd.Series(sequence).value_counts()
    expected = pd.Series(BSD10K_COUNTS) / 10_956 * 1000
    assert (counts - expected).abs().max() < 2
    assert pd.Series(sequence[:115]).value_counts().min() >= 4
    assert sequence[:300] == class_sequence(BSD10K_COUNTS, 300)


def test_label_noise_goes_to_neighbours_with_less_confidence():
    table, truth = make_bst_table(2000, label_noise=0.25, random_state=0, return_truth=True)
    wrong = table["class"] != truth
    assert 0.21 < wrong.mean() < 0.29
    assert all(label in NEIGHBOURS[was] for label, was in zip(table["class"][wrong], truth[wrong]))
    confidence = table["confidence"].astype(int)
    assert confidence[wrong].mean() < confidence[~wrong].mean() - 0.8
    clean, truth = make_bst_table(300, return_truth=True)
    assert (clean["class"] == truth).all()


def test_flavour_of_labels_by_uploaders():
    table, truth = make_bst_table(3000, flavour="bsd35k", random_state=0, return_truth=True)
    share = table["uploader"].value_counts(normalize=True)
    assert 0.36 < share.iloc[:10].sum() < 0.48
    other = table["class"].str.endswith("-other")
    assert 0.05 < other.mean() < 0.09
    assert (table["class_idx"][other] % 100 == 99).all()
    assert (table["confidence"] == "").all()
    wrong = (table["class"] != truth)[~other]
    assert 0.22 < wrong.mean() < 0.36
    disputed = table["class"][~other].isin(["is-p", "fx-m"])
    assert wrong[disputed].mean() > 0.5 > 2 * wrong[~disputed].mean()
    ten_k = make_bst_table(1000, random_state=0)
    assert not set(table["sound_id"]) & set(ten_k["sound_id"])
    assert set(table["uploader"]) & set(ten_k["uploader"])


def test_flavour_without_labels(tmp_path):
    root = make_bst_clips(tmp_path, n_clips=12, flavour="bsd2k", **QUICK)
    table = pd.read_csv(root / "metadata" / "BSD2k_metadata.csv", dtype=str, keep_default_na=False)
    assert table.columns.tolist() == ["anonymous_id", "title", "tags", "description"]
    sizes = [(root / "audio" / f"{name}.wav").stat().st_size for name in table["anonymous_id"]]
    assert sizes[0] == 0
    assert min(sizes[1:]) > 44
    assert load_bsd(root).target is None
    assert json.loads((root / "made_clips.json").read_text())["flavour"] == "bsd2k"


def log_band_statistics(waveform, sample_rate):
    """Mean, spread and change of log band energies."""
    waveform = np.pad(waveform, (0, max(0, 512 - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, 512)[::256] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(1, 256, 40).astype(int))
    bands = np.log(np.add.reduceat(power, edges, axis=1) + 1e-6)
    steps = np.diff(bands, axis=0) if len(bands) > 1 else np.zeros_like(bands)
    level = bands.mean(axis=0).max()
    parts = [bands.mean(axis=0) - level, bands.std(axis=0), steps.std(axis=0)]
    return np.concatenate([*parts, [np.log(len(waveform))]])


def test_sound_and_text_both_tell_the_class_and_neither_tells_all():
    plans = plan_clips(207, shares=dict.fromkeys(BST.leaves.tolist(), 1.0), seed=0, limits=(0.01, 1.2))
    labels = np.array([plan.label for plan in plans])
    X = np.stack([log_band_statistics(render_clip(plan, 0, "bsd10k", 11025), 11025) for plan in plans])
    audio = cross_val_score(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2), X, labels, cv=5).mean()
    table, truth = make_bst_table(920, class_weights="balanced", return_truth=True)
    text = table["title"] + " " + table["tags"] + " " + table["description"]
    pipeline = make_pipeline(TfidfVectorizer(token_pattern="[A-Za-z]{2,}"), RidgeClassifier())
    told = cross_val_score(pipeline, text, truth, cv=3).mean()
    assert 0.25 < audio < 0.85
    assert 0.55 < told < 0.9
