import csv

import numpy as np
import pytest
import soundfile

COLUMNS = (
    *("sound_id", "class", "class_idx", "class_top", "confidence"),
    *("uploader", "license", "title", "tags", "description"),
)
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
BY = "https://creativecommons.org/licenses/by/4.0/"
BY_NC = "http://creativecommons.org/licenses/by-nc/3.0/"
ROWS = (
    ("11", "fx-a", "405", "fx", "5", "ann", CC0, "Dog", "dog,bark", 'Says "woof",\r\nthen\nstops.'),
    ("7", "ss-n", "501", "ss", "4", "bob", BY, "Forest", "birds", ""),
    ("100", "m-sp", "101", "m", "2", "bob", BY_NC, "NA", "", ""),
    ("33", "fx-a", "405", "fx", "", "cid", "unspecified", "", "", ""),
)


@pytest.fixture
def rows():
    """Four rows of a metadata table, as dicts."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


@pytest.fixture
def write_bsd(tmp_path, rows):
    """Write a data set below tmp_path and return its root."""

    def write(
        table_rows=rows,
        *,
        table="metadata/BSD10k_metadata.csv",
        audio=".wav",
        embeddings=(),
        encoding="utf-8",
        root=tmp_path / "BSD",
    ):
        path = root / table
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.DictWriter(file, fieldnames=list(table_rows[0]))
            writer.writeheader()
            writer.writerows(table_rows)
        ids = [row.get("sound_id", row.get("anonymous_id")) for row in table_rows]
        if audio is not None:
            (root / "audio").mkdir()
            for i, sound_id in enumerate(ids):
                name = sound_id if sound_id.endswith(audio) else sound_id + audio
                soundfile.write(root / "audio" / name, np.full(80, 0.01 * (i + 1)), 8000)
        for name in embeddings:
            folder = root / "features" / name
            folder.mkdir(parents=True)
            for i, sound_id in enumerate(ids):
                np.save(folder / f"{sound_id}.npy", np.eye(6, dtype=np.float32)[i])
        return root

    return write
