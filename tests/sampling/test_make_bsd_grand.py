"""The whole recipe."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skbst.datasets import load_bsd, make_bst_clips, make_bst_table
from skbst.exceptions import DataFormatError
from skbst.model_selection import BSDGrandKFold, leakage_report
from skbst.sampling import make_bsd_grand


def as_bunch(table):
    table = table.set_index("sound_id")
    data = table[["title", "tags", "description"]]
    return Bunch(data=data, target=table["class"].rename("class"), metadata=table)


@pytest.fixture(scope="module")
def parts():
    base = make_bst_table(400, class_weights="tempered", random_state=0)
    more, truth = make_bst_table(500, flavour="bsd35k", class_weights="tempered", random_state=0, return_truth=True)
    return as_bunch(base), as_bunch(more), pd.Series(truth.to_numpy(), index=more["sound_id"])


@pytest.fixture(scope="module")
def grand(parts, tmp_path_factory):
    base, more, _ = parts
    store = tmp_path_factory.mktemp("store")
    return make_bsd_grand(base, more, min_per_class=4, cap=9, cv=2, store=store), store


def test_base_rows_are_not_touched(parts, grand):
    base, more, _ = parts
    grand, _ = grand
    pd.testing.assert_frame_equal(grand.data.iloc[:400], base.data)
    pd.testing.assert_series_equal(grand.target.iloc[:400], base.target)
    assert not grand.train_only[:400].any()
    assert grand.train_only[400:].all()
    extra = grand.data.index[400:]
    assert extra.equals(more.data.index[more.data.index.isin(extra)])
    assert len(grand.data) == len(grand.target) == len(grand.train_only) == len(grand.metadata)
    assert (grand.target[extra] == more.target[extra]).all()
    assert grand.groups.tolist() == grand.metadata["uploader"].tolist()
    assert grand.groups.index.equals(grand.data.index)


def test_manifest_has_every_candidate_and_the_first_reason(parts, grand):
    _, more, truth = parts
    manifest = grand[0].manifest
    assert manifest.index.tolist() == more.data.index.tolist()
    assert (manifest["kept"] == (manifest["reason"] == "")).all()
    assert set(manifest.index[manifest["kept"]]) == set(grand[0].data.index[400:])
    other = more.target.str.endswith("-other")
    assert (manifest["reason"][other] == "class that the base set lacks").all()
    assert manifest["score"][other].isna().all()
    assert manifest["score"][manifest["kept"]].notna().all()
    judged = manifest["score"].notna()
    assert manifest["reason"][judged].str.match(r"^$|teachers disagree|over the cap").all()
    right = truth[manifest.index] == manifest["class"]
    assert right[manifest["kept"]].mean() > 0.9
    assert right[judged].mean() < 0.8


def test_floor_and_cap(parts, grand):
    _, more, _ = parts
    manifest = grand[0].manifest
    sizes = manifest[manifest["kept"]].groupby(["uploader", "class"]).size()
    assert sizes.max() <= 9
    capped = manifest[manifest["reason"].str.startswith("over the cap")]
    for (uploader, code), rows in capped.groupby(["uploader", "class"]):
        stayed = manifest[(manifest["uploader"] == uploader) & (manifest["class"] == code) & manifest["kept"]]
        assert len(stayed) == 9
        assert stayed["score"].min() >= rows["score"].max()
    counts = manifest[manifest["kept"]]["class"].value_counts()
    available = more.target.value_counts().reindex(counts.index)
    assert (counts >= np.minimum(4, available)).all()
    assert set(counts.index) == set(more.target[~more.target.str.endswith("-other")])


def test_resumed_from_the_cache_it_is_the_same(parts, grand):
    base, more, _ = parts
    first, store = grand
    files = sorted(store.iterdir())
    assert len(files) == 6
    for path in files[::2]:
        path.unlink()
    again = make_bsd_grand(base, more, min_per_class=4, cap=9, cv=2, store=store)
    pd.testing.assert_frame_equal(again.manifest, first.manifest)
    assert again.card == first.card
    assert sorted(store.iterdir()) == files


def test_card_counts(parts, grand):
    grand, _ = grand
    assert "# Data card" in grand.card
    assert f"400 base rows, all kept as they are, and {grand.train_only.sum()} of 500 candidate rows" in grand.card
    line = next(line for line in grand.card.splitlines() if line.startswith("| fx-o |"))
    kept = int((grand.manifest["kept"] & (grand.manifest["class"] == "fx-o")).sum())
    assert line.split("|")[4].strip() == str(kept)
    assert "nan" not in grand.card


def test_a_fold_sees_nothing_of_its_test_part(parts):
    base, more, _ = parts
    changed = Bunch(**base)
    test = list(BSDGrandKFold(np.zeros(400, bool), n_splits=3).split(base.data, base.target))[1][1]
    changed.data = base.data.copy()
    changed.data.iloc[test] = "entirely different words"
    one, two = (
        make_bsd_grand(bunch, more, cv=3, fold=1, views=["title"], min_per_class=0) for bunch in (base, changed)
    )
    pd.testing.assert_frame_equal(one.manifest, two.manifest)
    assert set(one.seen_ids) == set(base.data.index[np.setdiff1d(np.arange(400), test)])
    split = [(np.setdiff1d(np.arange(400), test), test)]
    report = leakage_report(base.data, split, seen={"teachers": one}, warn=False)
    assert not report.findings["check"].str.contains("teachers").any()
    report = leakage_report(base.data, [split[0][::-1]], seen={"teachers": one}, warn=False)
    assert report.findings["check"].str.contains("teachers").sum() == 400 - len(test)
    other = make_bsd_grand(changed, more, cv=3, fold=0, views=["title"], min_per_class=0)
    assert not one.manifest["score"].equals(other.manifest["score"])


def test_from_folders_with_embeddings(tmp_path):
    quick = {"max_duration": 0.1, "sample_rate": 8000, "with_embeddings": True}
    base = make_bst_clips(tmp_path / "base", n_clips=69, **quick)
    more = make_bst_clips(tmp_path / "more", n_clips=69, flavour="bsd35k", **quick)
    grand = make_bsd_grand(base, more, cv=2, min_per_class=1, views=["title"])
    assert len(grand.manifest) == 69
    assert grand.manifest["reason"].str.startswith("not loaded").sum() == len(load_bsd(more).left_out) > 0
    assert grand.embeddings["clap_audio"].shape == (len(grand.data), 512)
    shipped = load_bsd(more)
    place = shipped.data.index.get_loc(grand.data.index[-1])
    np.testing.assert_array_equal(grand.embeddings["clap_text"][-1], shipped.embeddings["clap_text"][place])
    assert grand.data["audio"].str.len().min() > 0


def test_shared_sounds_are_not_added_twice(parts):
    base, more, _ = parts
    mixed = as_bunch(
        pd.concat([more.metadata.reset_index().iloc[:150], base.metadata.reset_index().iloc[:60].assign(confidence="")])
    )
    grand = make_bsd_grand(base, mixed, cv=2, views=["title"])
    assert (grand.manifest["reason"].iloc[150:] == "sound of the base set").all()
    assert grand.data.index.is_unique


def test_of_candidates_with_one_id_the_first_is_taken(parts):
    base, more, _ = parts
    again = as_bunch(pd.concat([more.metadata.reset_index(), more.metadata.reset_index().iloc[:150]]))
    grand = make_bsd_grand(base, again, cv=2, views=["title"])
    second, usable = grand.manifest.iloc[500:], ~again.target.iloc[500:].str.endswith("-other")
    assert (second["reason"].to_numpy()[usable] == "id of a candidate before it").all()
    assert (second["reason"].to_numpy()[~usable] == "class that the base set lacks").all()
    assert grand.data.index.is_unique
    first = make_bsd_grand(base, more, cv=2, views=["title"])
    pd.testing.assert_frame_equal(grand.manifest.iloc[:500], first.manifest)


def test_unusable_sets_are_refused(parts):
    base, more, _ = parts
    with pytest.raises(DataFormatError, match="bsd35k has no labels"):
        make_bsd_grand(base, Bunch(data=more.data, target=None, metadata=more.metadata))
    with pytest.raises(DataFormatError, match="None of 400 candidates"):
        make_bsd_grand(base, base)
    with pytest.raises(DataFormatError, match="3 folds"):
        make_bsd_grand(base, more, cv=3, fold=3)


@pytest.mark.data
def test_on_real_titles_and_tags_most_wrong_labels_go(data_root):
    table = pd.read_csv(data_root / "bsd10k-v1.0" / "BSD10k_metadata.csv", dtype=str, keep_default_na=False)
    table = table.assign(description="", confidence="").sample(2600, random_state=0)
    base, more = table.iloc[:2000].copy(), table.iloc[2000:].copy()
    rng = np.random.default_rng(0)
    wrong = rng.random(600) < 0.3
    more.loc[wrong, "class"] = rng.permutation(more["class"].to_numpy())[wrong]
    wrong = more["class"].to_numpy() != table["class"].to_numpy()[2000:]
    grand = make_bsd_grand(as_bunch(base), as_bunch(more), cv=2, min_per_class=0)
    kept = grand.manifest["kept"].to_numpy()
    assert wrong.mean() > 0.2
    assert wrong[kept].mean() < 0.05
    assert kept[~wrong].mean() > 0.3
