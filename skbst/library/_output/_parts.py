"""Run over the parts of a library, each once, whoever else is at it."""

import hashlib
import json
import os
import time

import joblib

from skbst._progress import progress_bar

__all__ = ["fingerprint", "run_parts"]

_WAIT = 0.2  # seconds between two looks at a part that another run has claimed


def run_parts(source, folder, compute, write, summary, *, rows, n_jobs=1, suffix=".parquet", verbose=0):
    """Compute and write the parts that are not there.

    Parameters
    ----------
    source : ClipSource
        The clips.

    folder : LibraryFolder
        Where parts lie.

    compute : callable
        ``compute(clips)`` gives the table of a part and its figures; runs where the jobs run.

    write : callable
        ``write(table, file)``, a binary file.

    summary : LibrarySummary
        Counts.

    rows : int
        Clips in a part.

    n_jobs : int, default=1
        Of joblib.

    suffix : str, default=".parquet"
        Of the files.

    verbose : int, default=0
        Above 0 there is a bar with the rate and the time left.
    """
    waiting = {}

    def todo(bar):
        for number, clips in enumerate(source.parts(rows)):
            name = f"part-{number:06d}-{fingerprint(clips, folder.key)}{suffix}"
            if not settled(name, clips, bar):
                yield joblib.delayed(_compute)(compute, clips, name)
            # those that the other run has finished meanwhile, so that few are held
            for other in [name for name in waiting if (folder.path / name).exists()]:
                clips = waiting.pop(other)
                if not settled(other, clips, bar):
                    yield joblib.delayed(_compute)(compute, clips, other)

    def settled(name, clips, bar):
        """Whether nothing is to be done for a part by this run now."""
        record = folder.find(name)
        if record is None and not folder.claim(name):
            waiting[name] = clips
            return True
        # another run may have finished it between looking and claiming
        record = record or folder.find(name)
        if record is None:
            return False
        folder.drop_claim(name)
        summary.add(record, computed=False)
        bar.update(record["rows"])
        return True

    def left(bar):
        while waiting:
            for name, clips in list(waiting.items()):
                del waiting[name]
                if not settled(name, clips, bar):
                    yield joblib.delayed(_compute)(compute, clips, name)
            if waiting:
                time.sleep(_WAIT)

    with progress_bar(total=source.n_clips, desc="labelling", verbose=verbose) as bar:
        for jobs in (todo, left):
            for name, table, figures in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs(bar)):
                folder.write(name, lambda file, table=table: write(table, file), figures)
                summary.add(figures, computed=True)
                bar.update(figures["rows"])


def fingerprint(clips, key):
    """Changes with the rows of a part, with size and times of their files, and with `key`; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for record in zip(clips.index, *(clips[name] for name in clips.columns)):
        content = [cell if isinstance(cell, str) else joblib.hash(cell) for cell in record]
        digest.update(json.dumps([key, content, _stat(record[1])]).encode())
    return digest.hexdigest()[:16]


def _stat(path):
    """Size and times of a file; the time of its entry changes even where the other was set back."""
    if not isinstance(path, str):
        return None
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns if os.name == "posix" else 0]


def _compute(compute, clips, name):
    return name, *compute(clips)
