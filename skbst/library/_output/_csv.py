"""One CSV file from the parts of a library."""

import hashlib
import json

import pandas as pd

from skbst._files import remove_abandoned, write_atomically

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

    def fill(file):
        for number, name in enumerate(sorted(names)):
            with open(place / name, "rb") as part:
                table = pd.read_parquet(part)
            file.write(table.to_csv(index=False, header=number == 0, lineterminator="\n").encode("utf-8"))
        file.seek(0)
        note = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        write_atomically(place / _RECORD, json.dumps(note), sync=False)

    remove_abandoned(out.parent, of=f"{out.name}.")
    write_atomically(out, fill, sync=False)


def _recorded(place):
    try:
        return json.loads((place / _RECORD).read_text(encoding="utf-8")).get("sha256")
    except (OSError, ValueError):
        return None


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
