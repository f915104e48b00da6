"""One CSV file from the parts of a library."""

import hashlib
import json
import os
import uuid

import pandas as pd

__all__ = ["put_csv", "refuse_foreign_csv"]

_RECORD = "_skbst_csv.json"


def refuse_foreign_csv(out, place):
    """Refuse to replace a file that was not written here, or was changed since.

    Parameters
    ----------
    out : Path
        The CSV file.

    place : Path
        The folder of its parts.
    """
    if out.exists() and _checksum(out) != _recorded(place):
        raise FileExistsError(
            f"{out} exists and is not as skbst wrote it. Nothing was labelled. Move it away, or give another name."
        )


def put_csv(out, place, names):
    """Write the table of all parts, whole or not at all; same parameters, and the names of the parts."""
    scratch = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(scratch, "w", encoding="utf-8", newline="") as file:
            for number, name in enumerate(sorted(names)):
                with open(place / name, "rb") as part:
                    table = pd.read_parquet(part)
                table.to_csv(file, index=False, header=number == 0, lineterminator="\n")
        checksum = _checksum(scratch)
        note = place / f"{_RECORD}.{uuid.uuid4().hex}.tmp"
        note.write_text(json.dumps({"sha256": checksum}), encoding="utf-8")
        os.replace(note, place / _RECORD)
        os.replace(scratch, out)
    finally:
        scratch.unlink(missing_ok=True)


def _recorded(place):
    try:
        return json.loads((place / _RECORD).read_text(encoding="utf-8")).get("sha256")
    except (OSError, ValueError):
        return None


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
