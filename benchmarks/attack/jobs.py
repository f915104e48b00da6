"""What the attacks interrupt: each job writes into a folder, and gives the bytes that a reader gets out of it."""

import hashlib
import http.server
import io
import json
import threading
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.datasets import fetch_bsd10k
from skbst.features import AudioStatisticsFeaturizer, BlockSelector, ClipFeaturizer, MFCCFeaturizer
from skbst.library import embed_library, label_library
from skbst.persistence import load_model, save_model

N_CLIPS = 24
ROWS = 4
RATE = 16000
LABELS = np.array(["fx-a", "m-sp", "ss-n"])


def clips():
    """A table of short sounds that are arrays, so that nothing but the job's folder is read or written."""
    sounds = [(np.random.default_rng(i).normal(0, 0.1, 6000).astype(np.float32), RATE) for i in range(N_CLIPS)]
    audio = np.empty(N_CLIPS, dtype=object)
    audio[:] = sounds
    return pd.DataFrame({"audio": audio, "title": "", "tags": "", "description": ""}, index=map(str, range(N_CLIPS)))


def digest(*arrays):
    """A checksum of arrays, or of anything that prints exactly."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes() if isinstance(array, np.ndarray) else repr(array).encode())
    return total.hexdigest()


class Vectors:
    """Vectors kept in a store."""

    def __init__(self):
        self.data = clips()

    def run(self, folder):
        featurizer = AudioStatisticsFeaturizer(standardize=False, store=folder / "store").fit(self.data[:1])
        return digest(*(featurizer.transform(self.data[i : i + ROWS]) for i in range(0, N_CLIPS, ROWS)))


class Frames(Vectors):
    """Frames kept in a store."""

    def run(self, folder):
        featurizer = MFCCFeaturizer(duration=0.3, store=folder / "store").fit(self.data)
        return digest(*(np.array(featurizer.transform(self.data[i : i + ROWS])) for i in range(0, N_CLIPS, ROWS)))


class EmbeddedLibrary(Vectors):
    """A library's vectors."""

    def run(self, folder):
        featurizer = AudioStatisticsFeaturizer(standardize=False).fit(self.data[:1])
        embed_library(featurizer, self.data, folder / "store", rows=ROWS)
        featurizer.set_params(store=folder / "store")
        return digest(featurizer.transform(self.data))


class LabelledLibrary(Vectors):
    """A library's labels; `again` counts the clips that were labelled although they had been."""

    def __init__(self):
        super().__init__()
        features = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.3))])
        self.model = make_pipeline(features, BlockSelector("mfcc"), LogisticRegression())
        self.model.fit(self.data, LABELS[np.arange(N_CLIPS) % 3])

    def run(self, folder):
        label_library(self.model, self.data, folder / "labels", rows=ROWS)
        parts = sorted((folder / "labels").glob("*.parquet"))
        return digest(*(part.read_bytes() for part in parts))

    def n_parts(self, folder):
        """How many parts are there."""
        return len(list((folder / "labels").glob("[!._]*.parquet")))

    def n_computed(self, folder):
        """How many parts a run computes."""
        return -(-label_library(self.model, self.data, folder / "labels", rows=ROWS).n_computed // ROWS)


class Model(Vectors):
    """A saved model, written over one that is there."""

    def __init__(self):
        super().__init__()
        self.X = np.random.default_rng(0).normal(size=(600, 40))
        y = LABELS[np.arange(600) % 3]
        self.old, self.new = (LogisticRegression(C=c, max_iter=20).fit(self.X, y) for c in (0.01, 1.0))

    def run(self, folder):
        if not (folder / "model").exists():
            save_model(self.old, folder / "model")
        save_model(self.new, folder / "model", overwrite=True)
        return digest(load_model(folder / "model").predict_proba(self.X[:50]))

    def check(self, folder):
        """Whatever happened, a model that is there is the old or the new one."""
        if not (folder / "model").exists():
            return True
        found = load_model(folder / "model").predict_proba(self.X[:50])
        return any(np.array_equal(found, model.predict_proba(self.X[:50])) for model in (self.old, self.new))


class Download:
    """A data set fetched from a server on this machine."""

    def __init__(self):
        rows = [f"{i},fx-a,dog {np.random.default_rng(i).bytes(20).hex()},dog\n" for i in range(3000)]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("metadata/BSD10k_metadata.csv", "sound_id,class,title,tags\n" + "".join(rows))
        self._data = buffer.getvalue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self):
        data, checksum = self._data, "md5:" + hashlib.md5(self._data, usedforsecurity=False).hexdigest()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Say nothing."""

            def do_GET(self):
                if self.path.startswith("/api"):
                    link = f"http://127.0.0.1:{self.server.server_port}/file"
                    entry = {"key": "BSD10k_metadata.zip", "size": len(data), "checksum": checksum}
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(json.dumps({"files": [entry | {"links": {"self": link}}]}).encode())
                    return
                start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.end_headers()
                self.wfile.write(data[start:])

        return Handler

    def run(self, folder):
        url = f"http://127.0.0.1:{self._server.server_port}"
        options = {"parts": ("metadata",), "base_url": url, "verbose": 0, "on_missing_audio": "ignore", "n_retries": 0}
        return digest(fetch_bsd10k(data_home=folder / "home", **options).data["title"].tolist())


JOBS = {
    "vectors": Vectors,
    "frames": Frames,
    "embed_library": EmbeddedLibrary,
    "label_library": LabelledLibrary,
    "save_model": Model,
    "fetch": Download,
}


def quietly(job, folder):
    """Run a job without its warnings: a store that cannot be written is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return job.run(Path(folder))
