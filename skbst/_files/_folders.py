"""A folder that appears whole, and one that is replaced without being lost on the way."""

import os
import shutil
from contextlib import contextmanager, suppress

from skbst._files._atomic import remove_abandoned, scratch_name
from skbst._files._locks import fcntl, is_still, lock_descriptor

__all__ = ["bring_back", "put_aside_name", "put_in_place", "scratch_folder"]


@contextmanager
def scratch_folder(place):
    """Make a folder beside `place`, with the permissions of any new folder; what is left of it goes at the end.

    What earlier writers to `place` left when they were killed goes first; those that still write are left alone.

    Parameters
    ----------
    place : Path
        Where the content is to stand in the end.

    Yields
    ------
    scratch : Path
        An empty folder on the same disk, so that it can be renamed.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(place.parent, of=f"{place.name[:100]}.")
    scratch, descriptor = _new_folder(place)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _new_folder(place):
    """A new folder, and its open descriptor, which is locked where the system can lock folders."""
    while True:
        scratch = scratch_name(place)
        scratch.mkdir()
        if fcntl is None:
            return scratch, None
        try:
            descriptor = os.open(scratch, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            taken = lock_descriptor(descriptor)
        except OSError:  # some network disks have no locks
            return scratch, descriptor
        if taken and is_still(descriptor, scratch):
            return scratch, descriptor
        os.close(descriptor)  # a cleaner came between the making of the folder and its lock


def put_in_place(scratch, place, is_whole):
    """Rename `scratch` to `place`; what stands there is put aside first and comes back if that fails.

    Killed at any moment, it leaves the old folder or the new one, under `place` or under ``put_aside_name(place)``.

    Parameters
    ----------
    scratch : Path
        A whole new folder.

    place : Path
        Its name.

    is_whole : callable
        Whether a folder, a Path, is one of those that are replaced.
    """
    if not place.exists():
        os.replace(scratch, place)
        return
    aside = put_aside_name(place)
    # with a folder in place, what stands aside is older
    shutil.rmtree(aside, ignore_errors=True)
    try:
        os.replace(place, aside)
        os.replace(scratch, place)
    except BaseException:
        bring_back(place, is_whole)
        raise
    # renamed before it is deleted, so that half of a folder never stands aside
    with suppress(OSError):
        os.replace(aside, scratch)


def bring_back(place, is_whole):
    """Undo a replacement that stopped between its two renames, if there was one; same parameters."""
    if not place.exists() and is_whole(put_aside_name(place)):
        os.replace(put_aside_name(place), place)


def put_aside_name(place):
    """Where `put_in_place` puts what stood there, a Path."""
    return place.with_name(f".{place.name}.skbst-old")
