import hashlib
import io
import json
import logging
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

from skbst._paths import get_data_home
from skbst.datasets import _download as download_module
from skbst.datasets import fetch_bsd2k, fetch_bsd10k, fetch_bsd35k_cs
from skbst.datasets._unpack import unpack
from skbst.exceptions import DownloadError

TABLE = "sound_id,class,title,tags\n7,fx-a,Dog,bark\n9,ss-n,Forest,birds\n"


def zip_bytes(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


def npy_bytes(vector):
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(vector, dtype=np.float32))
    return buffer.getvalue()


def wav_bytes(n_samples=200_000):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(0).uniform(-0.5, 0.5, n_samples), 44100, format="WAV")
    return buffer.getvalue()


class Zenodo:
    """A server on 127.0.0.1 with the part of Zenodo's API that is used."""

    def __init__(self, records, concepts):
        self.records, self.concepts = records, concepts
        self.requests = []
        self.checksums = {}
        self.break_after = {}
        self.status = {}
        self.ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((self.path, self.headers.get("Range")))
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def downloads(self):
        return [path.split("/")[-2] for path, _ in self.requests if path.endswith("/content")]

    def answer(self, handler):
        parts = handler.path.strip("/").split("/")
        if self.status.get(handler.path):
            return handler.send_error(self.status[handler.path].pop(0))
        if parts[:2] == ["api", "records"] and parts[2] in self.concepts:
            handler.send_response(302)
            handler.send_header("Location", f"{self.url}/api/records/{self.concepts[parts[2]]}")
            return handler.end_headers()
        if parts[:2] != ["api", "records"] or parts[2] not in self.records:
            return handler.send_error(404)
        files = self.records[parts[2]]
        if len(parts) == 3:
            return self.send(handler, 200, json.dumps({"files": [self.entry(parts[2], n) for n in files]}).encode())
        return self.send_file(handler, parts[4], files[parts[4]])

    def entry(self, record, name):
        content = self.records[record][name]
        checksum = self.checksums.get(name, "md5:" + hashlib.md5(content).hexdigest())
        link = f"{self.url}/api/records/{record}/files/{name}/content"
        return {"key": name, "size": len(content), "checksum": checksum, "links": {"self": link}}

    def send_file(self, handler, name, content):
        start = handler.headers.get("Range")
        if start and self.ranges:
            start = int(start.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return handler.send_error(416)
            extra = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            return self.send(handler, 206, content[start:], extra, self.cut(name))
        return self.send(handler, 200, content, {}, self.cut(name))

    def cut(self, name):
        cuts = self.break_after.get(name)
        return cuts.pop(0) if cuts else None

    def send(self, handler, status, content, headers=None, cut=None):
        handler.send_response(status)
        for key, value in {"Content-Length": len(content), **(headers or {})}.items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(content[:cut])
        handler.close_connection = True


@pytest.fixture
def zenodo():
    files = {
        "README.md": b"# BSD10k",
        "metadata.zip": zip_bytes({"metadata/BSD10k_metadata.csv": TABLE, "__MACOSX/metadata/._x.csv": b"junk"}),
        "features.zip": zip_bytes(
            {
                f"features/clap_{kind}_embeddings/{i}.npy": npy_bytes([1, 0])
                for kind in ("audio", "text")
                for i in (7, 9)
            }
        ),
        "audio.zip": zip_bytes({"BSD10k-v1.2/audio/7.wav": wav_bytes(), "BSD10k-v1.2/audio/9.wav": wav_bytes(50)}),
    }
    server = Zenodo({"19868804": files, "19187100": files}, {"17233904": "19868804"})
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def fetch(zenodo, tmp_path):
    def run(**options):
        return fetch_bsd10k(**({"data_home": tmp_path, "base_url": zenodo.url, "delay": 0, "verbose": 0} | options))

    return run


def test_only_what_is_asked_for(zenodo, fetch, tmp_path):
    bunch = fetch(parts=("metadata",))
    assert zenodo.downloads() == ["metadata.zip"]
    assert bunch.target.to_dict() == {"7": "fx-a", "9": "ss-n"}
    assert bunch.embeddings == {}
    assert bunch.root == tmp_path / "bsd10k"
    assert sorted(path.name for path in bunch.root.rglob("*")) == ["BSD10k_metadata.csv", "metadata"]


def test_parts_are_added_and_never_fetched_twice(zenodo, fetch):
    fetch(parts="metadata")
    bunch = fetch()
    assert zenodo.downloads() == ["metadata.zip", "features.zip"]
    assert bunch.embeddings["clap_text"].shape == (2, 2)
    assert (bunch.data["audio"] == "").all()
    n_requests = len(zenodo.requests)
    bunch = fetch(parts=("metadata", "features"), download_if_missing=False)
    assert len(zenodo.requests) == n_requests
    bunch = fetch(parts=("metadata", "features", "audio"))
    assert zenodo.downloads() == ["metadata.zip", "features.zip", "audio.zip"]
    assert soundfile.info(bunch.data.loc["7", "audio"]).frames == 200_000
    data, target = fetch(return_X_y=True)
    assert len(data) == len(target) == 2


def test_the_other_data_set_has_its_own_folder(zenodo, tmp_path, monkeypatch):
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path / "home"))
    bunch = fetch_bsd35k_cs(parts=("metadata",), base_url=zenodo.url, verbose=0)
    assert bunch.root == tmp_path / "home/bsd35k_cs"
    assert all("19187100" in path for path, _ in zenodo.requests)


def test_the_evaluation_set_is_asked_for_by_its_record(zenodo, tmp_path):
    with pytest.raises(DownloadError, match=r"zenodo.20442928"):
        fetch_bsd2k(data_home=tmp_path, base_url=zenodo.url, verbose=0, n_retries=0)
    root = tmp_path / "bsd2k"
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    (root / "metadata" / "BSD2k_metadata.csv").write_text("anonymous_id,title,tags,description\n1.wav,Dog,bark,\n")
    bunch = fetch_bsd2k(data_home=tmp_path, parts="metadata", download_if_missing=False)
    assert (bunch.target, bunch.data.index.tolist()) == (None, ["1.wav"])


def test_goes_on_after_broken_connections(zenodo, fetch):
    zenodo.break_after["audio.zip"] = [200_000, 100_000]
    bunch = fetch(parts=("metadata", "audio"))
    ranges = [start for path, start in zenodo.requests if path.endswith("audio.zip/content")]
    assert ranges == [None, "bytes=196608-", "bytes=295936-"]
    assert soundfile.info(bunch.data.loc["7", "audio"]).frames == 200_000


def test_goes_on_in_a_later_call(zenodo, fetch, tmp_path):
    zenodo.break_after["audio.zip"] = [200_000]
    with pytest.raises(DownloadError, match=r"196608 of \d+ bytes are kept in .*audio.zip.*call again"):
        fetch(parts=("metadata", "audio"), n_retries=0)
    assert not (tmp_path / "bsd10k/audio").exists()
    fetch(parts=("metadata", "audio"), n_retries=0)
    assert zenodo.requests[-1][1] == "bytes=196608-"
    assert not (tmp_path / "bsd10k/archives").exists()


def test_server_without_ranges(zenodo, fetch):
    zenodo.ranges = False
    zenodo.break_after["audio.zip"] = [100_000]
    bunch = fetch(parts=("metadata", "audio"))
    assert soundfile.info(bunch.data.loc["7", "audio"]).frames == 200_000


def test_part_of_another_size_starts_anew(zenodo, fetch, tmp_path):
    content = zenodo.records["19868804"]["metadata.zip"]
    folder = tmp_path / "bsd10k/archives"
    folder.mkdir(parents=True)
    part = folder / f"metadata.zip.{hashlib.md5(content).hexdigest()[:12]}.part"
    part.write_bytes(content + b"too much")
    assert len(fetch(parts="metadata").data) == 2
    assert zenodo.requests[-1][1] is None


def test_complete_part_is_not_asked_for_again(zenodo, fetch, tmp_path):
    content = zenodo.records["19868804"]["metadata.zip"]
    folder = tmp_path / "bsd10k/archives"
    folder.mkdir(parents=True)
    (folder / f"metadata.zip.{hashlib.md5(content).hexdigest()[:12]}.part").write_bytes(content)
    assert len(fetch(parts="metadata").data) == 2
    assert zenodo.downloads() == []


def test_wrong_checksum(zenodo, fetch, tmp_path):
    zenodo.checksums["metadata.zip"] = "md5:" + "0" * 32
    with pytest.raises(
        DownloadError, match=r"metadata.zip/content: \d+ bytes arrived, but their checksum is not md5:000"
    ):
        fetch()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_busy_server_is_asked_again(zenodo, fetch):
    path = "/api/records/19868804/files/metadata.zip/content"
    zenodo.status[path] = [503, 429]
    assert len(fetch(parts="metadata").data) == 2
    zenodo.status[path] = []


def test_missing_file_is_not_asked_again(zenodo, fetch):
    path = "/api/records/19868804/files/metadata.zip/content"
    zenodo.status[path] = [404] * 9
    with pytest.raises(DownloadError, match="answered 404 Not Found"):
        fetch()
    assert len(zenodo.status[path]) == 8


def test_missing_record(zenodo, fetch):
    zenodo.concepts.clear()
    with pytest.raises(DownloadError, match=r"records/17233904 answered 404.*load_bsd\(folder\)"):
        fetch()


def test_offline(fetch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DownloadError, match=r"Cannot reach .*network\?.*doi.org/10.5281/zenodo.17233904"):
        fetch(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(DownloadError, match=r"\['metadata', 'features'\] of bsd10k are not in .*download_if_missing"):
        fetch(download_if_missing=False)


def test_offline_with_everything_there(zenodo, fetch):
    fetch()
    zenodo.server.shutdown()
    assert len(fetch(base_url="http://127.0.0.1:1").data) == 2


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"files": [{"key": "a.zip"}]}', b"[]"])
def test_answer_that_is_no_record(zenodo, fetch, answer, monkeypatch):
    monkeypatch.setattr(zenodo, "entry", None)
    monkeypatch.setattr(zenodo, "answer", lambda handler: zenodo.send(handler, 200, answer))
    with pytest.raises(DownloadError, match="is not the description of a Zenodo record"):
        fetch()


def test_checksum_of_an_unknown_kind(zenodo, fetch):
    zenodo.checksums["metadata.zip"] = "crc32:1234"
    with pytest.raises(DownloadError, match="crc32"):
        fetch()


def test_record_without_the_part(zenodo, fetch):
    del zenodo.records["19868804"]["features.zip"]
    with pytest.raises(DownloadError, match=r"no archive of 'features'; its files are \['README.md', 'metadata.zip'"):
        fetch()
    assert zenodo.downloads() == []


@pytest.mark.parametrize("parts", [("features",), ("metadata", "sound"), ()])
def test_bad_parts(fetch, parts):
    with pytest.raises(ValueError, match="parts must hold 'metadata'"):
        fetch(parts=parts)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"min_confidance": 4},
            TypeError,
            r"fetch_bsd10k\(\) got an unexpected option 'min_confidance'.*'min_confidence'",
        ),
        ({"root": "elsewhere"}, TypeError, "unexpected option 'root'"),
        ({"min_confidence": 9}, ValueError, "The 'min_confidence' parameter of load_bsd must be"),
        ({"on_missing_audio": "skip"}, ValueError, "The 'on_missing_audio' parameter of load_bsd must be"),
    ],
)
def test_bad_load_options_are_refused_before_the_network(zenodo, fetch, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        fetch(**options)
    assert zenodo.requests == []
    assert list(tmp_path.iterdir()) == []


def test_full_disk(zenodo, fetch, monkeypatch):
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(DownloadError, match=r"metadata\.zip needs 0\.00 GB"):
        fetch()
    assert zenodo.downloads() == []


def test_archives_can_be_kept(fetch, tmp_path):
    fetch(parts="metadata", keep_archives=True)
    assert (tmp_path / "bsd10k/archives/metadata.zip").is_file()


def test_a_folder_put_there_by_hand_is_used(zenodo, fetch, tmp_path):
    (tmp_path / "bsd10k/metadata").mkdir(parents=True)
    (tmp_path / "bsd10k/metadata/BSD10k_metadata.csv").write_text(TABLE)
    assert len(fetch(parts="metadata").data) == 2
    (tmp_path / "bsd10k/metadata").rename(tmp_path / "bsd10k/Metadata")
    assert len(fetch(parts="metadata").data) == 2
    assert zenodo.requests == []


def test_progress_bar_and_nothing_else(fetch, capfd):
    fetch(parts="metadata", verbose=0)
    assert capfd.readouterr() == ("", "")


def test_progress_bar(fetch, capfd):
    fetch(parts="metadata", verbose=1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "metadata.zip" in err
    assert "100%" in err


def test_pooch_logger_is_left_as_it_was(fetch):
    import pooch

    logger = pooch.get_logger()
    before = logger.level
    fetch(parts="metadata")
    assert logger.level == before != logging.CRITICAL


def test_data_home(monkeypatch, tmp_path):
    monkeypatch.delenv("SKBST_DATA_HOME", raising=False)
    assert get_data_home().name == "skbst_data"
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path))
    assert get_data_home() == tmp_path
    assert get_data_home("~/x") == get_data_home("~") / "x"


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/tmp/evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_paths_that_leave_the_folder(tmp_path, name):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zip_bytes({"metadata/good.csv": b"1", name: b"2"}))
    with pytest.raises(DownloadError, match="would leave the folder"):
        unpack([archive], tmp_path / "out/metadata")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]


def test_links(tmp_path):
    archive = tmp_path / "a.zip"
    info = zipfile.ZipInfo("metadata/link.csv")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(info, "/etc/passwd")
    with pytest.raises(DownloadError, match="is a link"):
        unpack([archive], tmp_path / "metadata")
    assert not (tmp_path / "metadata").exists()


def test_two_files_of_one_name(tmp_path):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zip_bytes({"a/1.wav": b"1", "b/1.wav": b"2"}))
    with pytest.raises(DownloadError, match=r"two files would become 1\.wav"):
        unpack([archive], tmp_path / "audio")


def test_damaged_archive(tmp_path):
    content = bytearray(zip_bytes({"audio/1.wav": bytes(1000)}))
    content[60] ^= 0xFF
    archive = tmp_path / "a.zip"
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match="the archive is damaged"):
        unpack([archive], tmp_path / "audio")
    archive.write_bytes(b"not a zip")
    with pytest.raises(DownloadError, match="the archive is damaged"):
        unpack([archive], tmp_path / "audio")
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("prefix", ["", "features/", "BSD35k-CS/features/"])
def test_leading_folders_do_not_matter(tmp_path, prefix):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zip_bytes({f"{prefix}clap_audio_embeddings/1.npy": b"1"}))
    unpack([archive], tmp_path / "features", depth=2)
    assert (tmp_path / "features/clap_audio_embeddings/1.npy").read_bytes() == b"1"


def test_a_server_that_sends_more_than_it_states(zenodo, fetch, tmp_path):
    """Without a length of its own it would fill the disk; what is kept must not stand in the way of the next try."""
    entry = zenodo.entry
    zenodo.entry = lambda record, name: entry(record, name) | {"size": 100}
    with pytest.raises(DownloadError, match="sends more than the 100 bytes that the record states"):
        fetch(parts="metadata")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    zenodo.entry = entry
    assert len(fetch(parts="metadata").data) == 2


@pytest.mark.parametrize("status", [416, 403, 503])
def test_a_refusal_is_a_download_error(status, zenodo, fetch):
    path = "/api/records/19868804/files/metadata.zip/content"
    zenodo.status[path] = [status]
    with pytest.raises(DownloadError):
        fetch(parts="metadata", n_retries=0)
    assert len(fetch(parts="metadata").data) == 2


def test_a_killed_download_leaves_one_file_and_the_next_none(zenodo, fetch, tmp_path):
    content = zenodo.records["19868804"]["metadata.zip"]
    folder = tmp_path / "bsd10k/archives"
    folder.mkdir(parents=True)
    (folder / f"metadata.zip.{hashlib.md5(content).hexdigest()[:12]}.part").write_bytes(content[:100])
    (folder / "tmpab12_xyz").touch()  # of an earlier version
    assert len(fetch(parts="metadata").data) == 2
    assert zenodo.requests[-1][1] == "bytes=100-"
    assert sorted(path.name for path in (tmp_path / "bsd10k").iterdir()) == ["metadata"]


def test_fetches_into_one_folder_wait_for_each_other(zenodo, fetch, tmp_path):
    found = []
    running = [threading.Thread(target=lambda: found.append(len(fetch(parts="metadata").data))) for _ in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert found == [2] * 8
    assert zenodo.downloads() == ["metadata.zip"]
    assert sorted(path.name for path in (tmp_path / "bsd10k").iterdir()) == ["metadata"]


def test_odd_archives_are_download_errors(tmp_path):
    good = zip_bytes({"metadata/a.csv": b"sound_id,class\n" * 4000})
    with zipfile.ZipFile(io.BytesIO(good)) as zipped:
        start = zipped.infolist()[0].header_offset + 30
    flipped = bytearray(good)
    flipped[start + 20] ^= 0xFF
    encrypted = bytearray(good)
    for place in (good.index(b"PK\x03\x04") + 6, good.index(b"PK\x01\x02") + 8):
        encrypted[place] |= 1
    method = bytearray(good)
    for place in (good.index(b"PK\x03\x04") + 8, good.index(b"PK\x01\x02") + 10):
        method[place] = 99
    directory = good.index(b"PK\x01\x02")
    compressed = bytearray(good)
    compressed[directory + 20 : directory + 24] = b"\xfe\xff\xff\x7f"
    nameless = bytearray(good.replace(b"metadata/a.csv", b"." + b"/" * 12 + b"."))
    odd = (flipped, encrypted, method, compressed, nameless, good[:-30], good[:50], b"")
    for number, content in enumerate(odd):
        archive = tmp_path / f"{number}.zip"
        archive.write_bytes(content)
        with pytest.raises(DownloadError):
            unpack([archive], tmp_path / "out" / str(number))
        assert list((tmp_path / "out").iterdir()) == []


def test_a_bomb_of_members_that_share_their_bytes(tmp_path):
    content = bytes(10_000_000)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("metadata/0.csv", content)
        for number in range(1, 50):
            info = zipfile.ZipInfo(f"metadata/{number}.csv")
            first = zipped.infolist()[0]
            for name in ("compress_type", "compress_size", "file_size", "CRC", "header_offset", "flag_bits"):
                setattr(info, name, getattr(first, name))
            zipped.filelist.append(info)
    with pytest.raises(DownloadError, match="overlap"):
        unpack([archive], tmp_path / "out/metadata")
    assert not list((tmp_path / "out").glob("*"))
