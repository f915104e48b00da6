"""Servers that do not keep to the rules: the right bytes, or a `DownloadError` and nothing half or foreign left."""

import gzip
import hashlib
import json
import os
import socketserver
import threading

import pytest

from skbst.datasets import _zenodo
from skbst.datasets._download import download
from skbst.datasets._zenodo import RemoteFile, list_record
from skbst.exceptions import DownloadError

CONTENT = os.urandom(150_000)


def answer(status=200, body=CONTENT, length=None, **headers):
    headers = {"Content_Length": len(body) if length is None else length, "Connection": "close", **headers}
    lines = [
        f"HTTP/1.1 {status} X",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def serve():
    """Start a server that answers with raw bytes; `answers` takes the number of the request and its Range."""
    servers = []

    def start(answers):
        seen = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                lines = [self.rfile.readline().decode().strip()]
                while lines[-1]:
                    lines.append(self.rfile.readline().decode().strip())
                asked = next((line[13:-1] for line in lines if line.lower().startswith("range: bytes=")), None)
                seen.append(asked)
                self.wfile.write(answers(len(seen), None if asked is None else int(asked)))

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/a.zip", seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def remote(url, content=CONTENT):
    return RemoteFile("a.zip", url, len(content), "md5:" + hashlib.md5(content).hexdigest())


def get(url, folder, **options):
    return download(remote(url), folder, **{"delay": 0, **options}).read_bytes()


def ranged(start, said=None, stop=None):
    said = start if said is None else said
    body = CONTENT[start or 0 : stop]
    return answer(206, body, Content_Range=f"bytes {said or 0}-{len(CONTENT) - 1}/{len(CONTENT)}")


GOES_ON = {
    "another range than asked for": lambda number, start: answer() if start is None else ranged(start + 1000),
    "a range from the start": lambda number, start: answer() if start is None else ranged(0),
    "no word of the range": lambda number, start: answer() if start is None else answer(206, CONTENT[start:]),
    "a range that nobody asked for": lambda number, start: ranged(start or 0),
    "416 to any range": lambda number, start: answer() if start is None else answer(416, b""),
    "all of it": lambda number, start: answer(),
    "an error page first": lambda number, start: answer(503, b"<html>") if number == 1 else answer(),
    "nothing first": lambda number, start: b"" if number == 1 else answer(),
    "no length": lambda number, start: answer(length="")[: -len(CONTENT)] + CONTENT,
    "a length that is none": lambda number, start: answer(length="many"),
    "gzip": lambda number, start: answer(body=gzip.compress(CONTENT), Content_Encoding="gzip"),
    "gzip of a range": lambda number, start: (
        answer()
        if start is None
        else answer(206, gzip.compress(CONTENT[start:]), Content_Encoding="gzip", Content_Range=f"bytes {start}-/9")
    ),
}


@pytest.mark.parametrize("kept", [0, 40_000])
@pytest.mark.parametrize("name", GOES_ON)
def test_the_right_bytes_arrive(tmp_path, serve, name, kept):
    url, _ = serve(GOES_ON[name])
    part = tmp_path / f"a.zip.{remote(url).checksum[4:16]}.part"
    part.write_bytes(CONTENT[:kept])
    assert get(url, tmp_path) == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_server_that_closes_early_each_time(tmp_path, serve):
    url, seen = serve(lambda number, start: ranged(start or 0)[: 200 + 30_000])
    with pytest.raises(DownloadError, match="call again to go on"):
        get(url, tmp_path, n_retries=1)
    for _ in range(6):
        try:
            content = get(url, tmp_path, n_retries=1)
            break
        except DownloadError:
            continue
    assert content == CONTENT
    places = [int(place or 0) for place in seen]
    assert places == sorted(places)


BROKEN = {
    "another content": lambda number, start: answer(body=bytes(len(CONTENT))),
    "a page instead": lambda number, start: answer(body=b"<html>not here</html>"),
    "broken gzip": lambda number, start: answer(body=b"no gzip", Content_Encoding="gzip"),
    "a bomb": lambda number, start: answer(body=gzip.compress(bytes(30_000_000)), Content_Encoding="gzip"),
    "chunks that are none": lambda number, start: answer(length="", Transfer_Encoding="chunked"),
    "no HTTP": lambda number, start: b"SSH-2.0-OpenSSH\r\n",
    "nothing": lambda number, start: b"",
    "204": lambda number, start: answer(204, b""),
    "304": lambda number, start: answer(304, b""),
    "416 for ever": lambda number, start: answer(416, b""),
    "a file of this machine": lambda number, start: answer(302, b"", Location="file:///etc/hostname"),
    "a name that is none": lambda number, start: answer(302, b"", Location="http://[::1/x"),
    "redirects for ever": lambda number, start: answer(302, b"", Location="/again"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_had_is_a_download_error(tmp_path, serve, name):
    url, _ = serve(BROKEN[name])
    with pytest.raises(DownloadError, match=r"try again|Try again|call again|sends more"):
        get(url, tmp_path, n_retries=1)
    left = [path.name for path in tmp_path.iterdir()]
    assert "a.zip" not in left
    # what is kept does not stand in the way of a server that works
    good, _ = serve(GOES_ON["a range that nobody asked for"])
    try:
        assert get(good, tmp_path) == CONTENT
    except DownloadError:
        assert get(good, tmp_path) == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_redirect_to_another_server_is_followed(tmp_path, serve):
    other, seen = serve(GOES_ON["a range that nobody asked for"])
    url, _ = serve(lambda number, start: answer(302, b"", Location=other))
    (tmp_path / f"a.zip.{remote(url).checksum[4:16]}.part").write_bytes(CONTENT[:9])
    assert get(url, tmp_path) == CONTENT
    assert seen == ["9"]


def test_addresses_that_are_none_are_asked_for_once(tmp_path, monkeypatch):
    import requests

    asked = []
    real = requests.get
    monkeypatch.setattr(requests, "get", lambda url, **options: asked.append(url) or real(url, **options))
    for url in ("file:///etc/hostname", "nonsense", "http://", "ftp://127.0.0.1/x", ""):
        with pytest.raises(DownloadError, match="is no address"):
            _zenodo.request(url)
        with pytest.raises(DownloadError):
            get(url, tmp_path, n_retries=3)
    assert len(asked) == 10


@pytest.mark.parametrize(
    "changed",
    [
        {"size": -1}, {"size": "many"}, {"size": None}, {"size": 1e400}, {"size": float("nan")}, {"size": [1]},
        {"checksum": "md5:"}, {"checksum": None}, {"checksum": "crc:0"}, {"checksum": 5}, {"key": 7}, {"key": None},
        {"key": ".."}, {"key": ""}, {"key": "a\0b"}, {"links": None}, {"links": {"self": 5}}, {"links": []},
    ],
    ids=repr,
)  # fmt: skip
def test_records_that_are_odd(serve, changed):
    entry = {"key": "a.zip", "size": 5, "checksum": "md5:" + "0" * 32, "links": {"self": "http://x/a.zip"}}
    body = json.dumps({"files": [entry | changed]}).encode()
    url, _ = serve(lambda number, start: answer(body=body))
    with pytest.raises(DownloadError, match="not the description"):
        list_record("1", base_url=url)


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"files": 3}', b'{"files": [[]]}', b"\xff\xfe", b"[" * 100_000])
def test_records_that_are_none(serve, body):
    url, _ = serve(lambda number, start: answer(body=body))
    with pytest.raises(DownloadError):
        list_record("1", base_url=url)


def test_a_record_without_end(serve, monkeypatch):
    monkeypatch.setattr(_zenodo, "_LONGEST_RECORD", 1000)
    url, _ = serve(lambda number, start: answer(body=b" " * 1001 + b'{"files": []}'))
    with pytest.raises(DownloadError, match="more than 1000 bytes"):
        list_record("1", base_url=url)
