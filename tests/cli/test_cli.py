import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose

from skbst._version import __version__
from skbst.cli import main
from skbst.datasets import load_bsd, make_bst_clips
from skbst.metrics import hierarchical_f1_score
from skbst.persistence import load_model

pytest.importorskip("pyarrow", exc_type=ImportError)
COMMANDS = ("train", "label", "evaluate", "audit", "review", "verify", "doctor")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "clips"
    make_bst_clips(root, n_clips=46, max_duration=0.3, sample_rate=16000, class_weights="balanced", random_state=0)
    return root


@pytest.fixture(scope="module")
def model(root, tmp_path_factory):
    """Folder of a model that the command has trained."""
    out = tmp_path_factory.mktemp("models") / "model"
    assert main(["train", str(root), "-o", str(out)]) == 0
    return out


def test_train_saves_a_system_that_answers(root, model):
    clips = load_bsd(root)
    system = load_model(model)
    assert (system.predict(clips.data) == clips.target).mean() > 0.5
    assert [name for name, _ in system[0].featurizers] == ["audio", "text"]


def test_train_takes_corrections(root, tmp_path, capsys):
    clips, out, table = load_bsd(root), tmp_path / "model", tmp_path / "corrections.csv"
    first = clips.target.index[0]
    other = next(label for label in clips.target if label != clips.target.iloc[0])
    table.write_text(f"sound_id,from,to\n{first},{clips.target.iloc[0]},{other}\n")
    command = ["train", str(root), "-o", str(out), "--corrections", str(table)]
    assert main(command) == 0
    assert "Labels corrected: 1." in capsys.readouterr().out
    assert "Labels corrected: 1." in (out / "README.md").read_text(encoding="utf-8")
    table.write_text(f"sound_id,from,to\n{first},{other},{other}\n")
    assert main([*command, "--overwrite"]) == 1
    assert "another version of the labels" in capsys.readouterr().err


def test_train_can_be_quiet(root, tmp_path, capsys):
    assert main(["train", str(root), "-o", str(tmp_path / "model"), "--quiet", "--store", str(tmp_path / "kept")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("baseline (builtin, small) trained on ")
    assert len(said.out.splitlines()) == 2
    assert any((tmp_path / "kept").iterdir())


def test_train_refuses_to_replace(root, model, capsys):
    assert main(["train", str(root), "-o", str(model)]) == 1
    assert "pass --overwrite" in capsys.readouterr().err


def test_label_a_folder_and_read_it(root, model, tmp_path, capsys):
    out = tmp_path / "labels"
    assert main(["label", str(root / "audio"), "--model", str(model), "-o", str(out), "--quiet"]) == 0
    said = capsys.readouterr()
    assert "46 clips labelled" in said.out
    assert said.err == ""
    table = pd.read_parquet(out)
    assert table["sound_id"].tolist() == sorted(path.name for path in (root / "audio").iterdir())
    assert (table["problem"] != "").sum() == sum(not path.stat().st_size for path in (root / "audio").iterdir())


def test_evaluate_gives_the_figures_of_the_metric(root, model, tmp_path, capsys):
    out = tmp_path / "report.json"
    assert main(["evaluate", str(root), "--model", str(model), "-o", str(out)]) == 0
    assert "hierarchical accuracy" in capsys.readouterr().out
    clips = load_bsd(root)
    expected = hierarchical_f1_score(clips.target, load_model(model).predict(clips.data))
    assert json.loads(out.read_text())["overall"]["hierarchical_f1"] == pytest.approx(expected)


def test_verify_lists_problems(tmp_path, capsys):
    assert main(["verify", str(tmp_path)]) == 1
    assert "holds no *.output.csv" in capsys.readouterr().err
    (tmp_path / "Doe_UX_task1_1.output.csv").write_text("id,nonsense\n1,2\n")
    assert main(["verify", str(tmp_path)]) == 1
    assert "problem(s)" in capsys.readouterr().out


def test_doctor_names_what_is_here_and_how_to_get_the_rest(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path / "home"))
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for words in (
        f"skbst {__version__}",
        f"numpy {np.__version__}",
        "libsndfile",
        "encoder clap",
        "encoder of sounds of your own (TransformersAudioFeaturizer)",
        "encoder of texts of your own (SentenceTransformerFeaturizer)",
        "extra encoders: ",
        str(tmp_path / "home"),
    ):
        assert words in said


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"example:\n  skbst {command}" in capsys.readouterr().out


def test_version_and_wrong_arguments(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"skbst {__version__}\n"
    for words in (
        ["nonsense"],
        [],
        ["label", "x", "--model", "m"],
        ["label", "--model", "m", "--one", "x"],
        ["label", "x", "--model", "m", "-o", "y", "--rows", "0"],
        ["label", "x", "--model", "m", "-o", "y", "--candidates", "many"],
        ["label", "x", "--model", "m", "-o", "y", "--store", "s"],
        ["label", "x", "--model", "m", "-o", "y", "--metadata", "meta.json"],
        ["train", "x", "-o", "y", "--system", "5"],
    ):
        with pytest.raises(SystemExit, match="2"):
            main(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["label", "nowhere", "--model", "{model}", "-o", "{out}"], "nowhere does not exist"),
        (["label", "{root}/audio", "--model", "nowhere", "-o", "{out}"], "nowhere does not exist"),
        (["train", "nowhere", "-o", "{out}"], "nowhere does not exist"),
        (["label", "{root}/audio", "--model", "{model}", "-o", "{root}/audio"], "is what is to be labelled"),
        (["label", "{root}/audio", "--model", "{model}", "-o", "{model}/model.json"], "is a file; give the name of a"),
        (["label", "{root}/audio", "--model", "{model}", "-o", "{model}/model.json/x"], "cannot be made"),
        (["evaluate", "{root}", "--model", "nowhere"], "nowhere does not exist"),
        (["label", "{root}/audio", "--model", "{root}", "-o", "{out}"], "model"),
    ],
)
def test_an_error_is_one_line_and_a_code(words, message, root, model, tmp_path, capsys):
    places = {"root": root, "model": model, "out": tmp_path / "out"}
    assert main([word.format(**places) for word in words]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"skbst {words[0]}: error: ")
    assert message in said.err
    assert "Traceback" not in said.err


class TestOneSound:
    def run(self, model, sound, folder, metadata=None):
        words = ["label", "--one", str(sound), "--model", str(model), "--out-folder", str(folder)]
        code = main(words + (["--metadata", str(metadata)] if metadata else []))
        (path,) = folder.glob("*.json")
        return code, path.name, json.loads(path.read_text())

    def test_ok(self, root, model, tmp_path):
        clips = load_bsd(root).data.iloc[[3]]
        texts = {"id": 17, "name": clips["title"].iloc[0], "tags": clips["tags"].iloc[0].split(",")}
        texts["description"] = clips["description"].iloc[0]
        (tmp_path / "meta.json").write_text(json.dumps(texts))
        code, name, result = self.run(model, clips["audio"].iloc[0], tmp_path / "out", tmp_path / "meta.json")
        assert (code, name, result["status"], result["sound_id"]) == (0, "17.json", "ok", "17")
        system = load_model(model)
        clips["tags"] = ", ".join(texts["tags"])
        proba = system.predict_proba(clips)[0]
        assert list(result["probabilities"].values()) == sorted(result["probabilities"].values(), reverse=True)
        assert_allclose([result["probabilities"][code] for code in system.classes_], proba, atol=1e-6)
        assert result["predicted"] == system.predict(clips)[0]
        assert result["top"] == result["predicted"].split("-")[0]
        of_top = [p for code, p in zip(system.classes_, proba) if code.split("-")[0] == "fx"]
        assert result["top_probabilities"]["fx"] == pytest.approx(sum(of_top), abs=1e-5)
        assert result["model"]["name"] == str(model)
        assert result["taxonomy"]["name"] == "Broad Sound Taxonomy"
        assert result["skbst"] == __version__

    @pytest.mark.parametrize(
        ("name", "content", "status", "code", "words"),
        [
            ("gone.wav", None, "failed", 1, "not found"),
            ("empty.wav", b"", "failed", 1, "zero bytes"),
            ("text.wav", b"no sound", "failed", 1, "not decodable"),
            ("voice.m4a", b"\0\0\0\x20ftypM4A ", "skipped", 3, "no format that libsndfile reads"),
        ],
    )
    def test_failed_and_skipped(self, name, content, status, code, words, model, tmp_path):
        sound = tmp_path / name
        if content is not None:
            sound.write_bytes(content)
        found = self.run(model, sound, tmp_path / "out")
        assert (found[0], found[1], found[2]["status"]) == (code, f"{sound.stem}.json", status)
        assert words in found[2]["error"]

    @pytest.mark.parametrize("metadata", ["{", "[1]", None])
    def test_bad_metadata_or_model_is_a_status(self, metadata, root, model, tmp_path):
        path = tmp_path / "meta.json"
        if metadata is not None:
            path.write_text(metadata)
        code, _, result = self.run(model, next((root / "audio").iterdir()), tmp_path / "out", path)
        assert (code, result["status"]) == (1, "failed")
        assert "meta" in result["error"]

    @pytest.mark.parametrize(
        ("metadata", "status", "name"),
        [
            ("[" * 100_000, "failed", None),
            ('{"title": {"en": "dog"}}', "failed", None),
            ('{"id": ["a"]}', "failed", None),
            ('{"id": "../../evil", "title": "\\ud800 \\u0000"}', "ok", ".._.._evil.json"),
            ('{"id": "..", "tags": [1, null, "x"]}', "ok", "sound.json"),
            ('{"id": "", "title": null, "description": 5}', "ok", None),
            ('{"id": 1e999}', "ok", "inf.json"),
        ],
    )
    def test_metadata_of_any_kind_is_answered(self, metadata, status, name, root, model, tmp_path):
        (tmp_path / "meta.json").write_text(metadata)
        sound = next(path for path in (root / "audio").iterdir() if path.stat().st_size)
        found = self.run(model, sound, tmp_path / "out", tmp_path / "meta.json")
        assert (found[1], found[2]["status"]) == (name or f"{sound.stem}.json", status)

    def test_names_of_any_length_are_kept_apart(self, model, tmp_path):
        for last in "ab":
            self.run(model, tmp_path / f"{'é' * 4000}{last}.wav", tmp_path / last)
        names = [path.name for last in "ab" for path in (tmp_path / last).iterdir()]
        assert len(set(names)) == 2
        assert all(len(os.fsencode(name)) < 255 and name.startswith("ééé") for name in names)

    @pytest.mark.parametrize(
        "content", [b"", b"garbage", b"\x80\x04\x95\xff", None, "folder", "unfitted", "dict", "cut"]
    )
    def test_a_model_of_any_kind_is_a_status(self, content, root, model, tmp_path):
        import shutil

        import joblib
        from sklearn.linear_model import LogisticRegression

        path = tmp_path / "model.joblib"
        if content == "folder":
            path.mkdir()
        elif content == "cut":
            shutil.copytree(model, path)
            largest = max(path.iterdir(), key=lambda file: file.stat().st_size)
            largest.write_bytes(largest.read_bytes()[:100])
        elif content in ("unfitted", "dict"):
            joblib.dump({"unfitted": LogisticRegression(), "dict": {}}[content], path)
        elif content is not None:
            path.write_bytes(content)
        sound = next(path for path in (root / "audio").iterdir() if path.stat().st_size)
        code, name, result = self.run(path, sound, tmp_path / "out")
        assert (code, name, result["status"]) == (1, f"{sound.stem}.json", "failed")
        assert result["error"]

    def test_where_nothing_can_be_written_there_is_a_line_and_a_code(self, root, model, tmp_path, capsys):
        (tmp_path / "file").write_text("mine")
        sound = next((root / "audio").iterdir())
        for folder in (tmp_path / "file", tmp_path / "file" / "below", "nul\0"):
            words = ["label", "--one", str(sound), "--model", str(model), "--out-folder", str(folder)]
            assert main(words) == 1
            assert capsys.readouterr().err.startswith("skbst label: error: ")
        assert (tmp_path / "file").read_text() == "mine"

    def test_silence_is_answered_and_named(self, model, tmp_path):
        soundfile.write(tmp_path / "hush.wav", np.zeros(20_000), 16000)
        code, _, result = self.run(model, tmp_path / "hush.wav", tmp_path / "out")
        assert (code, result["status"], result["problem"]) == (0, "ok", "only zeros")

    def test_a_file_of_others_is_left(self, root, model, tmp_path, capsys):
        sound = next((root / "audio").iterdir())
        (tmp_path / "out").mkdir()
        theirs = tmp_path / "out" / f"{sound.stem}.json"
        theirs.write_text("[]")
        words = ["label", "--one", str(sound), "--model", str(model), "--out-folder", str(tmp_path / "out")]
        assert main(words) == 1
        assert theirs.read_text() == "[]"
        assert "was not written by skbst" in capsys.readouterr().err


def test_names_that_are_no_utf8_on_an_ascii_terminal(root, model, tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    with open(next(path for path in (root / "audio").iterdir() if path.stat().st_size), "rb") as source:
        content = source.read()
    with open(folder + b"/na\xefve \\ C:.wav", "wb") as file:
        file.write(content)
    out = os.fsdecode(folder + b"/labels")
    command = [sys.executable, "-m", "skbst", "label", "--quiet", "--model", str(model), "-o", out, os.fsdecode(folder)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    (part,) = (os.path.join(out, name) for name in os.listdir(out) if name.startswith("part-"))
    with open(part, "rb") as file:
        table = pd.read_parquet(file)
    assert table["sound_id"].tolist() == ["na\\xefve \\ C:.wav"]
    assert table["problem"].tolist() == [""]


def test_audit_and_review_of_a_data_set(root, tmp_path, capsys):
    from joblib import dump
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    words = make_column_transformer((TfidfVectorizer(max_features=50), "title"), sparse_threshold=0)
    model = make_pipeline(words, FunctionTransformer(), LogisticRegression())
    clips = load_bsd(root)
    dump(model.fit(clips.data, clips.target), tmp_path / "model.joblib")
    doubts, page = tmp_path / "doubts.csv", tmp_path / "page"
    audit = ["audit", str(root), "--model", str(tmp_path / "model.joblib"), "-o", str(doubts), "--folds", "2"]
    packs = tmp_path / "packs.csv"
    assert main([*audit, "--packs", str(packs)]) == 0
    assert pd.read_csv(packs).columns[:5].tolist() == ["group", "label", "suggestion", "n_clips", "n_doubtful"]
    table = pd.read_csv(doubts, converters={"sound_id": str})
    assert sorted(table["sound_id"]) == sorted(clips.data.index)
    assert (np.diff(table["score"]) > -1e-9).all()
    corrected, first = tmp_path / "corrected.csv", table.iloc[0]
    corrections = pd.DataFrame({"sound_id": first["sound_id"], "from": first["label"], "to": first["suggestion"]}, [0])
    corrections.to_csv(tmp_path / "corrections.csv", index=False)
    assert main([*audit[:5], str(corrected), "--folds", "2", "--corrections", str(tmp_path / "corrections.csv")]) == 0
    # what the page saved does as well, of several reviewers if they agree
    change = {"decision": "change", "label": first["label"], "new_label": first["suggestion"]}
    saved = [tmp_path / "ann.json", tmp_path / "bob.json", tmp_path / "cid.json"]
    for file, new in zip(saved, (first["suggestion"], first["suggestion"], "sp-c")):
        decisions = [{"sound_id": first["sound_id"], **change, "new_label": new, "who": file.stem}]
        file.write_text(json.dumps({"decisions": decisions}))
    saved_too = tmp_path / "saved.csv"
    command = [*audit[:5], str(saved_too), "--folds", "2", "--corrections"]
    assert main([*command, *map(str, saved[:2])]) == 0
    assert saved_too.read_bytes() == corrected.read_bytes()
    assert main([*command[:5], str(tmp_path / "no.csv"), *command[6:], *map(str, saved)]) == 1
    assert "reviewers differ on 1 sound" in capsys.readouterr().err
    again = pd.read_csv(corrected, converters={"sound_id": str}).set_index("sound_id")["label"]
    assert again[first["sound_id"]] == first["suggestion"]
    assert main(audit) == 1
    assert "exists and is left" in capsys.readouterr().err
    assert main(["review", str(root), "--table", str(doubts), "-o", str(page), "--limit", "5"]) == 0
    html = (page / "index.html").read_text(encoding="utf-8")
    shown = json.loads(html.split('id="data">')[1].split("</script>")[0])["clips"]
    assert [clip["sound_id"] for clip in shown] == table["sound_id"].tolist()[:5]
    assert {clip["label"] for clip in shown} <= set(clips.target)


def test_review_of_predictions(root, model, tmp_path):
    labels = tmp_path / "labels"
    assert main(["label", str(root / "audio"), "--model", str(model), "-o", str(labels), "--quiet"]) == 0
    assert (
        main(["review", str(root / "audio"), "--table", str(labels), "-o", str(tmp_path / "page"), "--limit", "3"]) == 0
    )
    html = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    shown = json.loads(html.split('id="data">')[1].split("</script>")[0])["clips"]
    least = pd.read_parquet(labels).sort_values("proba", kind="stable").head(3)
    assert [clip["sound_id"] for clip in shown] == least["sound_id"].tolist()
    assert [clip["label"] for clip in shown] == least["predicted"].tolist()
    page = ["review", str(root / "audio"), "--table", str(labels), "-o", str(tmp_path / "page"), "--quiet"]
    assert main([*page, "--sample", "1", "--jobs", "2"]) == 0
    html = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    data = json.loads(html.split('id="data">')[1].split("</script>")[0])
    assert sum(stratum["size"] for stratum in data["strata"]) == len(pd.read_parquet(labels))
    assert len(data["clips"]) == len(data["strata"])


class TestProcess:
    """The command as a process of its own: pipes that close, disks that are full, Ctrl-C."""

    def command(self, *words):
        return [sys.executable, "-W", "ignore", "-m", "skbst", *map(str, words)]

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            done = subprocess.run(self.command("doctor"), stdout=pipe, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    def test_a_full_disk_behind_the_output(self, root, model, tmp_path):
        sound = next(path for path in (root / "audio").iterdir() if path.stat().st_size)
        with open("/dev/full", "wb") as full:
            one = self.command("label", "--one", sound, "--model", model, "--out-folder", tmp_path)
            assert subprocess.run(one, stdout=full, stderr=subprocess.DEVNULL).returncode == 0
            done = subprocess.run(self.command("doctor"), stdout=full, stderr=subprocess.PIPE)
        assert (tmp_path / f"{sound.stem}.json").exists()
        assert done.returncode == 1
        assert b"No space left" in done.stderr
        assert b"Traceback" not in done.stderr

    @pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
    def test_an_interrupt_keeps_what_is_there(self, root, model, tmp_path):
        for attempt in range(5):  # a run that ended before the signal came says nothing about it
            out = tmp_path / f"labels-{attempt}"
            words = self.command("label", root / "audio", "--model", model, "-o", out, "--quiet", "--rows", 1)
            run = subprocess.Popen(words, stderr=subprocess.PIPE)
            while run.poll() is None and not list(out.glob("part-*")):
                time.sleep(0.005)
            run.send_signal(signal.SIGINT)
            said = run.communicate()[1]
            if run.returncode:
                break
        assert run.returncode == 130, said
        assert said.decode().startswith("skbst: interrupted; what was written is kept")
        assert (
            main(["label", str(root / "audio"), "--model", str(model), "-o", str(out), "--quiet", "--rows", "1"]) == 0
        )
        assert len(pd.read_parquet(out)) == 46
