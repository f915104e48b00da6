import functools
import hashlib
import http.server
import json
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, EmbeddingStore

pytest.importorskip("pyarrow", exc_type=ImportError)


@pytest.mark.slow
def test_the_whole_way_offline(example, tmp_path, capsys):
    table = example("from_zero_to_labels").main(["--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert len(table) == 46
    assert "46 clips labelled" in said
    assert "nothing to be skewed" in said
    assert "The least sure ones" in said
    assert (tmp_path / "out" / "model" / "model.json").is_file()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def zenodo(tmp_path):
    """``zenodo(root)`` serves a data set as archives of Zenodo's record of BSD10k; gives the address."""
    folder, servers = tmp_path / "zenodo", []
    handler = functools.partial(QuietHandler, directory=str(folder))

    def serve(root):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        (folder / "files").mkdir(parents=True)
        (folder / "api" / "records").mkdir(parents=True)
        entries = []
        for part in ("metadata", "features"):
            path = folder / "files" / f"{part}.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for file in sorted((root / part).rglob("*")):
                    if file.is_file():
                        archive.write(file, file.relative_to(root))
            content = path.read_bytes()
            entry = {"key": path.name, "size": len(content), "links": {"self": f"{url}/files/{path.name}"}}
            entries.append(entry | {"checksum": "md5:" + hashlib.md5(content).hexdigest()})
        (folder / "api" / "records" / "17233904").write_text(json.dumps({"files": entries}))
        return url

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
@pytest.mark.clap
@pytest.mark.parametrize("same_clap", [True, False])
def test_the_whole_way_from_a_record(same_clap, example, zenodo, tiny_clap, tmp_path, monkeypatch, capsys):
    """Fetched tables and vectors, own sounds embedded with the same CLAP, the skew said; or with another one."""
    root = make_bst_clips(
        tmp_path / "bsd", n_clips=46, max_duration=0.3, sample_rate=16000, class_weights="balanced", random_state=0
    )
    clips = load_bsd(root)
    settings = {"checkpoint": tiny_clap, "backend": "transformers", "n_jobs": 1}
    vectors = {
        "clap_audio": ClapAudioFeaturizer(**settings).fit_transform(clips.data),
        "clap_text": ClapTextFeaturizer(**settings).fit_transform(clips.data),
    }
    for name, rows in vectors.items():
        if not same_clap:
            rows = np.random.default_rng(0).permutation(rows, axis=1)
        EmbeddingStore(root, name=name).write(clips.data.index, rows)
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path / "home"))
    words = ["--fetch", "--mirror", zenodo(root), "--checkpoint", str(tiny_clap), "--sounds", str(root / "audio")]
    table = example("from_zero_to_labels").main([*words, "--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert table["sound_id"].tolist() == sorted(path.name for path in (root / "audio").iterdir())
    assert "of sounds the skew is not known" in said
    assert ("of 20 texts: median cosine 1.0000" in said) == same_clap
    assert ("That is another CLAP" in said) != same_clap
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "out" / "labels"))
