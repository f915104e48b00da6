"""List the sound files below a folder, and count what is passed over."""

import os
from collections import Counter
from dataclasses import dataclass, field

from skbst._paths import N_NAMED, printable
from skbst.datasets._folder._audio_files import OTHER_SOUND_EXTENSIONS, is_audio_file, looks_like_sound

__all__ = ["SoundListing", "list_sounds"]


@dataclass
class SoundListing:
    """What was found below a folder.

    Parameters
    ----------
    sounds : list of str
        Paths below the folder, with ``/``, sorted.

    passed_over : dict of str to list of str
        Reason -> paths of what may be sound and is not listed.

    others : Counter
        Extensions of all files that are not listed, and their number.
    """

    sounds: list = field(default_factory=list)
    passed_over: dict = field(default_factory=dict)
    others: Counter = field(default_factory=Counter)

    def pass_over(self, reason, name):
        """Note something that may be sound."""
        self.passed_over.setdefault(reason, []).append(name)

    def in_words(self):
        """One sentence for each reason, with numbers and the first names; "" if nothing was passed over."""
        parts = []
        for reason, names in self.passed_over.items():
            rest = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
            shown = ", ".join(printable(name) for name in sorted(names)[:N_NAMED])
            parts.append(f"{len(names)} {reason} ({shown}{rest})")
        return "; ".join(parts)


def list_sounds(folder, *, recursive=True):
    """List the sound files below a folder; linked folders are followed, each once.

    Parameters
    ----------
    folder : str
        An absolute path.

    recursive : bool, default=True
        Whether to look into sub-folders.

    Returns
    -------
    listing : SoundListing
    """
    listing = SoundListing()
    # links last, so that what lies below the folder itself has its own name
    seen, queue, links = set(), [("", folder)], []
    while queue or links:
        prefix, place = queue.pop() if queue else links.pop()
        try:
            stat = os.stat(place)
            if (stat.st_dev, stat.st_ino) in seen and stat.st_ino:
                continue  # a link to what is listed already, or in a circle
            seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(place) as entries:
                entries = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            listing.pass_over(f"folder(s) that cannot be read: {error.strerror}", prefix.rstrip("/") or place)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = prefix + entry.name
            if _is_folder(entry):
                if recursive:
                    (links if entry.is_symlink() else queue).append((f"{name}/", entry.path))
            else:
                _sort_in(listing, name, entry)
    listing.sounds.sort()
    return listing


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:
        return False


def _sort_in(listing, name, entry):
    """Take a file for a sound, for something that may be one, or for another file."""
    extension = os.path.splitext(entry.name)[1].lower()
    audible = is_audio_file(entry.name)
    try:
        regular = entry.is_file()
    except OSError:
        regular = False
    if not regular:
        if audible or not extension:
            reason = "broken link(s)" if entry.is_symlink() else "pipe(s), device(s) or the like"
            listing.pass_over(reason, name)
        return
    if audible or ((not extension or _is_no_extension(extension)) and looks_like_sound(entry.path)):
        listing.sounds.append(name)
        return
    listing.others[extension or "no extension"] += 1
    if extension in OTHER_SOUND_EXTENSIONS:
        listing.pass_over(f"file(s) in a format that libsndfile does not read, {extension}", name)


def _is_no_extension(extension):
    """Whether what follows the last dot of a name is part of the name ("192452__dr. someone")."""
    return len(extension) > 6 or " " in extension
