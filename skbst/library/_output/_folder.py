"""A folder of parts that knows what it wrote itself, and that several runs may fill at once."""

import hashlib
import json
import os
import uuid
from pathlib import Path

from skbst._files import FileLock, locked, remove_abandoned, write_atomically
from skbst.exceptions import DataFormatError

__all__ = ["LibraryFolder", "make_folder"]

RECORD = "_skbst_library.json"
_WORK, _LOCK = "_skbst_work", "_skbst.lock"


class LibraryFolder:
    """The output of a run, which holds parts and the record of who wrote them.

    While runs are at work ``_skbst_work`` holds a record of each part (written before the part itself), the claims of
    parts that are being computed and unfinished files. When the last run ends, the records are put together in
    ``_skbst_library.json`` and the folder is removed. Names that begin with ``_`` are no part of the table for pandas.

    Parameters
    ----------
    path : Path
        The folder; made where it is not there.

    identity : str
        Which library it holds.

    key : str
        What each part depends on beside its clips: the model and the settings.

    run : str
        Runs with another one cannot work here at the same time.

    replace : bool
        Whether the labels of another library may be replaced.
    """

    def __init__(self, path, *, identity, key, run, replace=False):
        self.path, self.identity, self.key = Path(path), identity, key
        self.work = self.path / _WORK
        make_folder(self.path)
        self._check_identity(replace)
        with locked(self.path / _LOCK):
            self.work.mkdir(exist_ok=True)
            self._refuse_other_runs(run)
            self._run = FileLock(self.work / f"run-{run[:16]}.lock")
            self._run.take(shared=True, wait=True)
        self._claims, self._records, self.targets, self.notes = {}, self._read_records(), {}, []

    def find(self, name):
        """The record of a part that is there, whole and as it was written; else None.

        A file of that name that is something else is kept aside, if this run has claimed the part.
        """
        if name in self.targets:
            return self.targets[name]
        path = self.path / name
        if not path.exists():
            return None
        record = self._record_of(name)  # after looking for the part: a writer puts the record there first
        if record is None or _checksum(path) != record["sha256"]:
            if name not in self._claims:
                return None
            self._set_aside(path, "was changed since it was written" if record else "was not written by skbst")
            return None
        self.targets[name] = record
        return record

    def claim(self, name):
        """Whether this run may compute a part: no other one is at it."""
        claim = FileLock(self.work / f"{name}.claim")
        if claim.take():
            self._claims[name] = claim
            return True
        return False

    def write(self, name, write, figures):
        """Put a part in its place, whole: ``write(file)`` fills it, `figures` stand in the record."""

        record = dict(figures)

        def fill(file):
            write(file)
            file.seek(0)
            record["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
            self._put_record(name, record)  # before the part, so that whoever finds the part finds it too

        try:
            # not forced to the disk: a part that a loss of power cuts has another checksum, and is made again
            write_atomically(self.path / name, fill, sync=False)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{self.path / name} could not be written ({error.strerror or error}). What was written before is "
                "kept; make room, or make the folder writable, and give the same command again",
            ) from error
        self._records[name] = self.targets[name] = record
        self.drop_claim(name)

    def drop_claim(self, name):
        """Give up a claim."""
        claim = self._claims.pop(name, None)
        if claim is not None:
            claim.release(remove=True)

    def finish(self):
        """Remove parts of ours that this run's clips no longer give, and put the records together."""
        with locked(self.path / _LOCK):
            self._records = {**self._read_records(), **self.targets}
            self._remove_stale()
            _write_json(self.path / RECORD, self._content())
            remove_abandoned(self.path)
            if self._run.only_holder():
                self._run.release(remove=True)
                self._clear_work()
            else:
                self._run.release()
        self._name_foreign()

    def close(self):
        """Give back all locks; for a run that did not end well."""
        for name in list(self._claims):
            self.drop_claim(name)
        self._run.release()

    def _content(self):
        parts = dict(sorted(self.targets.items()))
        return {"format": 1, "library": self.identity, "key": self.key, "parts": parts}

    def _check_identity(self, replace):
        content = _read_json(self.path / RECORD)
        if not content or replace or content.get("library", "") == self.identity:
            return
        rows = sum(record["rows"] for record in content["parts"].values())
        raise DataFormatError(
            f"{self.path} holds the labels of another library ({content['library'] or 'a table'}, {rows} clips). "
            "Nothing was labelled or removed. Give another folder, or pass replace=True (--replace) to replace them."
        )

    def _refuse_other_runs(self, run):
        for path in self.work.glob("run-*.lock"):
            if path.name == f"run-{run[:16]}.lock":
                continue
            lock = FileLock(path)
            if not lock.take():
                raise DataFormatError(
                    f"{self.path}: another run with another model, manifest or settings is at work here. Wait for it, "
                    "or give another folder."
                )
            lock.release(remove=True)

    def _read_records(self):
        content = _read_json(self.path / RECORD) or {"parts": {}}
        records = dict(content["parts"])
        for path in sorted(self.work.glob("*.record")):
            record = _read_json(path)
            if record is not None:
                records[path.name.removesuffix(".record")] = record
        return records

    def _record_of(self, name):
        record = _read_json(self.work / f"{name}.record")
        return self._records.get(name) if record is None else record

    def _put_record(self, name, record):
        _write_json(self.work / f"{name}.record", record)

    def _remove_stale(self):
        """Parts of ours that no clip of this run gives; a part that was changed by others stays."""
        stale = [name for name in sorted(self._records) if name not in self.targets and (self.path / name).exists()]
        gone = 0
        for name in stale:
            path = self.path / name
            if _checksum(path) == self._records[name]["sha256"]:
                path.unlink()
                gone += self._records[name]["rows"]
            else:
                self._set_aside(path, "was changed since it was written")
        if gone:
            self.notes.append(
                f"{gone} older rows in {len(stale)} part(s) were removed and replaced: they were made from other clips "
                "or by another model."
            )

    def _clear_work(self):
        """Remove what runs left at work, killed ones too, and nothing else."""
        for pattern in ("*.record", "*.claim", "*.tmp", "run-*.lock"):
            for path in self.work.glob(pattern):
                path.unlink(missing_ok=True)
        if not any(self.work.iterdir()):
            self.work.rmdir()

    def _set_aside(self, path, why):
        """Keep a file that is not as we wrote it under a name that is no part of the table."""
        target = path.with_name(f"_kept-{uuid.uuid4().hex[:8]}-{path.name}")
        try:
            os.rename(path, target)
        except FileNotFoundError:
            return
        self.notes.append(f"{path.name} {why}; it is kept as {target.name} and its part was made anew.")

    def _name_foreign(self):
        """Say which files here are read by pandas and are not ours."""
        foreign = sorted(
            path.name for path in self.path.iterdir() if path.name[0] not in "._" and path.name not in self.targets
        )
        if foreign:
            self.notes.append(
                f"{len(foreign)} file(s) in {self.path} were not written by skbst and were left (first: {foreign[0]}). "
                "pandas.read_parquet of the folder reads them too; move them away."
            )


def make_folder(path):
    """Make a folder where there is none; say what to do where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileExistsError(f"{path} is a file; give the name of a folder.") from error
    except OSError as error:
        why = error.strerror or error
        raise OSError(error.errno, f"the folder {path} cannot be made ({why}); give another one") from error


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write_json(path, content):
    write_atomically(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True), sync=False)
