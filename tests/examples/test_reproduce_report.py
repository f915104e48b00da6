import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context

from skbst.datasets import load_bsd, make_bst_clips
from skbst.metrics import hierarchical_accuracy_score, hierarchical_f1_score
from skbst.model_selection import official_folds

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def script(example):
    return example("reproduce_report")


@pytest.fixture(scope="module")
def parts(script):
    return sys.modules["_reproduction"]


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Two small sets that do not know that they are made."""
    folder = tmp_path_factory.mktemp("sets")
    classes = dict.fromkeys(["m-sp", "is-p", "sp-s", "fx-a", "fx-h", "ss-n"], 1)
    short = {"max_duration": 0.2, "sample_rate": 16000, "class_weights": classes}
    base = make_bst_clips(folder / "base", n_clips=60, random_state=0, **short)
    more = make_bst_clips(folder / "more", n_clips=48, flavour="bsd35k", random_state=1, **short)
    return SimpleNamespace(base=base, more=more)


def words(roots, out, *rest, more=True):
    extra = ["--bsd35k", roots.more] if more else []
    given = ["--bsd10k", roots.base, *extra, "--out", out, "--epochs", 1, "--folds", 2, "--protocol", "official"]
    return [str(word) for word in [*given, *rest]]


def read(out):
    return pd.read_csv(out / "tables.csv").set_index(["protocol", "row"])


def results(out):
    return {path.name: path.stat().st_mtime_ns for path in sorted((out / "results").glob("*.npz"))}


def make_study(script, roots, out, *rest):
    return script.make_study(script.parse(words(roots, out, *rest)))


@pytest.fixture(scope="module")
def finished(script, roots, tmp_path_factory):
    """A finished run of all that shares a fit, under both protocols."""
    out = tmp_path_factory.mktemp("finished")
    rows = ["grand", "log_stft", "post_log_stft", "kd_log_stft", "flat", "system_1", "system_2"]
    script.main(words(roots, out, "--rows", *rows, "--protocol", "both", "--folds", 1))
    return out


def test_all_rows_are_scored_as_the_metrics_say(finished, roots):
    table, bunch = read(finished), load_bsd(roots.base)
    for protocol, groups in {"official": None, "grouped": bunch.metadata["uploader"]}.items():
        test = official_folds(bunch.target, groups=groups, validation_size=None)[0].test
        (file,) = finished.glob(f"results/{protocol}-fold0-flat-*.npz")
        with np.load(file) as result:
            assert_array_equal(result["test"], test)
            assert result["log_proba"].shape == (len(test), 6)
            predicted = result["classes"][result["log_proba"].argmax(axis=1)]
        truth = bunch.target.to_numpy()[test]
        line = table.loc[(protocol, "flat")]
        assert_allclose(line["hF"], 100 * hierarchical_f1_score(truth, predicted))
        assert_allclose(line["hAcc"], 100 * hierarchical_accuracy_score(truth, predicted))
        assert_allclose(line["hF_difference"], line["hF"] - 80.57)
        assert_allclose(line["gain"], line["hF"] - table.loc[(protocol, "baseline"), "hF"])
        assert line["low"] <= line["gain"] <= line["high"]
        assert line["n_test"] == len(test)
        columns = ["hF", "hAcc", "gain", "low", "high"]
        assert table.loc[(protocol, "system_1"), columns].equals(table.loc[(protocol, "post_log_stft"), columns])


def test_system_2_is_a_dash_and_the_tables_say_what_they_are_of(finished):
    table, text = read(finished), (finished / "tables.md").read_text()
    assert np.isnan(table.loc[("official", "system_2"), "hF"])
    assert "| System 2 (trained on everything: nothing is left to score it on) | – " in text
    assert set(table["data"]) == {"60 clips of base, not the 10,956 of BSD10k-v1.2 that the report's figures are of"}
    assert text.count(table["data"].iloc[0]) == 6
    assert "| + BSD-Grand + Flat" in text
    assert (finished / "tables.png").stat().st_size > 10_000


def test_members_share_the_log_stft_fit(finished, parts):
    import joblib

    for file in finished.glob("results/official-fold0-*.npz"):
        with np.load(file) as result:
            assert result["n_extra"] == (pd.read_csv(finished / "extra" / "official-fold0.csv")["kept"].sum())
    (network,) = finished.glob("results/official-fold0-log_stft-*.joblib")
    network = joblib.load(network)
    assert network.branch == "log-stft"
    seen = {path.name.split("-")[2] for path in (finished / "results").glob("official-fold0-*.npz")}
    assert seen == {"baseline", "grand", "log_stft", "post_log_stft", "kd_log_stft", "flat"}


def test_a_finished_run_is_not_run_again(finished, script, roots, capsys):
    before = results(finished)
    rows = ["grand", "log_stft", "post_log_stft", "kd_log_stft", "flat", "system_1", "system_2"]
    table = read(finished)
    script.main(words(roots, finished, "--rows", *rows, "--protocol", "both", "--folds", 1))
    assert "fits        12 (6 members), 12 of them are there already" in capsys.readouterr().out
    assert results(finished) == before
    pd.testing.assert_frame_equal(read(finished), table)


def test_gains_over_another_row_need_no_further_fit(finished, script, roots, capsys):
    """By hand: the difference of both rows, and nothing for the row itself."""
    before, table = results(finished), read(finished)
    script.main(
        words(roots, finished, "--rows", "post_log_stft", "--over", "log_stft", "--protocol", "both", "--folds", 1)
    )
    assert "gain in hF over log_stft" in capsys.readouterr().out
    assert results(finished) == before
    for protocol in ["official", "grouped"]:
        lines, hf = read(finished).loc[protocol], table.loc[protocol, "hF"]
        assert set(lines.index) == {"baseline", "log_stft", "post_log_stft"}
        assert np.isnan(lines.loc["log_stft", "gain"])
        assert_allclose(lines.loc["baseline", "gain"], hf["baseline"] - hf["log_stft"])
        assert_allclose(lines.loc["post_log_stft", "gain"], hf["post_log_stft"] - hf["log_stft"])


def test_a_killed_run_loses_one_fit(script, run_killed, roots, tmp_path, capsys):
    rest = ["--rows", "grand", "flat"]
    run_killed("reproduce_report", ".npz", 3, *words(roots, tmp_path, *rest))
    before = results(tmp_path)
    assert len(before) == 2
    script.main(words(roots, tmp_path, *rest))
    said = capsys.readouterr().out
    assert "6 (3 members), 2 of them are there already" in said
    assert "[4/4]" in said
    assert len(results(tmp_path)) == 6
    assert before.items() <= results(tmp_path).items()
    script.main(words(roots, tmp_path / "again", *rest))
    columns = ["hF", "hAcc", "gain", "low", "high", "p_value"]
    assert_array_equal(read(tmp_path)[columns], read(tmp_path / "again")[columns])


def test_other_settings_or_data_never_use_old_results(script, roots, tmp_path):
    def file(*rest, sets=roots):
        with config_context(enable_metadata_routing=True):
            return make_study(script, sets, tmp_path, *rest).file("official", 0, "flat").name

    same, others = (
        file(),
        [file("--seed", 1), file("--epochs", 2), file("--size", "report"), file("--modalities", "text")],
    )
    changed = tmp_path / "changed"
    shutil.copytree(roots.base, changed)
    table = next(changed.glob("metadata/*_metadata.csv"))
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1] + " indeed", *lines[2:]]))
    others.append(file(sets=SimpleNamespace(base=changed, more=roots.more)))
    assert file() == same
    assert len({same, *others}) == 6
    with config_context(enable_metadata_routing=True):
        study = make_study(script, roots, tmp_path)
        assert study.file("official", 0, "kd_log_stft") != study.file("official", 1, "kd_log_stft")
        assert study.file("official", 0, "baseline").name.split("-")[0] == "official"


@pytest.mark.parametrize("protocol", ["official", "grouped"])
def test_nothing_is_learnt_from_test_rows(script, parts, roots, tmp_path, protocol):
    study = make_study(script, roots, tmp_path)
    fold = parts.PreparedFold(study, protocol, 0, ["baseline", "grand"])
    n_base = len(study.bsd10k.data)
    assert not np.isin(fold.test, fold.train).any()
    assert fold.test.max() < n_base
    assert fold.train_only.nonzero()[0].min() == n_base
    assert set(fold.test) == set(study.official(protocol)[0].test)
    if protocol == "grouped":
        assert not set(fold.groups[fold.test]) & set(fold.groups[fold.train])
    assert fold.base[0].max() < n_base

    # other sounds and words in the test rows change nothing that is trained on
    other = make_study(script, roots, tmp_path)
    rows = fold.test
    other.bsd10k.data = other.bsd10k.data.copy()
    for column in other.bsd10k.data:
        values = other.bsd10k.data[column].to_numpy(dtype=object, copy=True)
        values[rows] = values[rows][::-1] if column == "audio" else "zyx zyx noise of nothing"
        other.bsd10k.data[column] = values
    changed = parts.PreparedFold(other, protocol, 0, ["baseline", "grand"])
    assert_array_equal(changed.train, fold.train)
    assert changed.data.index.tolist() == fold.data.index.tolist()
    for one, two in [(fold.base, changed.base), (fold.grand, changed.grand)]:
        for block in one[1].names:
            assert_array_equal(one[1][block], two[1][block])
    assert not np.array_equal(fold.grand[2]["text"], changed.grand[2]["text"])


def test_ensembles_average_the_stored_logits_with_the_weights_of_the_report(script, parts, roots, tmp_path):
    assert parts.ENSEMBLES["system_3"] == {"kd_log_stft": 0.4, "log_mel": 0.2, "flat": 0.3, "lcl": 0.1}
    eleven = {name: round(11 * weight) for name, weight in parts.ENSEMBLES["system_4"].items()}
    assert eleven == {"log_mel": 1, "mfcc": 1, "kd_log_stft": 3, "flat": 2, "gc": 1, "lcl": 3}
    rng = np.random.default_rng(0)
    with config_context(enable_metadata_routing=True):
        study = make_study(script, roots, tmp_path, "--folds", "1")
        logits = {}
        for member in parts.ENSEMBLES["system_4"]:
            logits[member] = np.log(rng.dirichlet(np.ones(3), size=5))
            content = {"test": np.arange(5), "log_proba": logits[member], "classes": np.array(["fx-a", "fx-h", "m-m"])}
            parts.write_whole(
                study.file("official", 0, member), lambda file, content=content: np.savez(file, **content)
            )
        test, predicted, fold = parts.predictions(study, "official", "system_3")
    mean = 0.4 * logits["kd_log_stft"] + 0.2 * logits["log_mel"] + 0.3 * logits["flat"] + 0.1 * logits["lcl"]
    assert_array_equal(predicted, np.array(["fx-a", "fx-h", "m-m"])[mean.argmax(axis=1)])
    assert_array_equal(test, np.arange(5))
    assert_array_equal(fold, np.zeros(5))


def test_text_alone(script, roots, tmp_path, capsys):
    shutil.copytree(roots.base / "metadata", tmp_path / "text" / "metadata")
    sets = SimpleNamespace(base=tmp_path / "text")
    script.main(words(sets, tmp_path, "--rows", "flat", "mfcc", "system_3", "grand", "post_embeddings", more=False))
    table = read(tmp_path).loc["official"]
    assert table["note"].dropna().to_dict() == {
        "grand": "no --bsd35k",
        "mfcc": "needs sounds",
        "system_3": "needs sounds",
    }
    assert table.loc[["baseline", "flat", "post_embeddings"], "hF"].notna().all()
    assert "builtin embeddings of text" in capsys.readouterr().out
    assert "BSD-Grand + " not in (tmp_path / "tables.md").read_text()


def test_without_paths_every_table_says_that_the_clips_are_made(script, roots, tmp_path, monkeypatch):
    made = {"bsd10k": roots.base, "bsd35k": roots.more}
    monkeypatch.setattr(script, "make_bst_clips", lambda root, flavour, **_: shutil.copytree(made[flavour], root))
    script.main(["--fast", "--out", str(tmp_path), "--epochs", "1", "--folds", "1", "--rows", "flat"])
    titles = [line for line in (tmp_path / "tables.md").read_text().splitlines() if line.startswith("**")]
    assert len(titles) == 4
    assert all("60 made clips: says nothing about real sounds" in title for title in titles)


def test_arguments_that_make_no_sense_are_refused(script, roots, tmp_path):
    with pytest.raises(SystemExit, match="needs --bsd10k"):
        script.main(["--bsd35k", str(roots.more)])
    with pytest.raises(SystemExit):
        script.main(["--rows", "system_5"])
    with pytest.raises(SystemExit, match="compared with system_2: trained on everything"):
        script.main(words(roots, tmp_path, "--over", "system_2"))


def test_vectors_of_other_encoders_take_the_place_of_embeddings(script, roots, tmp_path, capsys):
    """By sound_id, whatever the order of the file; what they say is what the networks learn."""
    bunch = load_bsd(roots.base)
    rng = np.random.default_rng(0)
    told = np.eye(6)[np.unique(bunch.target, return_inverse=True)[1]] + 0.01 * rng.normal(size=(60, 6))
    order = rng.permutation(60)
    arrays = {"audio_one": rng.normal(size=(60, 5)), "text_title": rng.normal(size=(60, 4)), "text_title_tags": told}
    np.savez(
        tmp_path / "v.npz", sound_id=bunch.data.index.to_numpy(str)[order], **{k: v[order] for k, v in arrays.items()}
    )
    given = ["--rows", "flat", "--vectors", tmp_path / "v.npz", "--epochs", 8]
    script.main(words(roots, tmp_path / "told", *given, more=False))
    assert "vectors audio_one and text_title_tags of both" in capsys.readouterr().out
    assert read(tmp_path / "told").loc[("official", "flat"), "hF"] > 95
    assert "60 clips of base by audio_one and text_title_tags, not the" in (tmp_path / "told" / "tables.md").read_text()
    script.main(words(roots, tmp_path / "not", *given, "--arrays", "audio_one", "text_title", more=False))
    assert read(tmp_path / "not").loc[("official", "flat"), "hF"] < 60
    with pytest.raises(SystemExit, match=r"\['nothing'\] cannot be used"):
        script.read_vectors(tmp_path / "v.npz", ["audio_one", "nothing"])
    np.savez(tmp_path / "none.npz", sound_id=np.arange(3))
    with pytest.raises(SystemExit, match="needs sound_id and an array"):
        script.read_vectors(tmp_path / "none.npz")
