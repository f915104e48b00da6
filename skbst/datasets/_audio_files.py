"""Find the sound files of a folder."""

import os
from pathlib import Path

from skbst.exceptions import DataFormatError

__all__ = ["AUDIO_EXTENSIONS", "AudioFolder", "is_audio_file"]

#: Extensions of what libsndfile decodes, lower case.
AUDIO_EXTENSIONS = frozenset(
    f".{name}"
    for name in (
        *("wav", "wave", "w64", "rf64", "flac", "ogg", "oga", "opus", "mp3", "mp2", "aif", "aiff", "aifc", "au", "snd"),
        *("caf", "voc", "paf", "svx", "nist", "sph", "ircam", "sf", "avr", "htk", "pvf", "sds", "sd2", "wve"),
    )
)


def is_audio_file(name):
    """Whether a file name has an extension of ``AUDIO_EXTENSIONS`` and is not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS


class AudioFolder:
    """The sound files of one folder, by id.

    The folder is listed once, and ids are only ever compared with its names, so that an id with path
    separators finds nothing.

    Parameters
    ----------
    folder : Path or None
        The folder; None holds nothing.
    """

    def __init__(self, folder):
        self.folder = folder
        self._by_stem = {}
        self._names = set()
        self.n_files = 0
        if folder is None:
            return
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if is_audio_file(entry.name) and entry.is_file():
                self.n_files += 1
                self._names.add(entry.name)
                self._by_stem.setdefault(os.path.splitext(entry.name)[0], []).append(entry.name)

    def find(self, sound_id):
        """Path of a sound's file, or "" where there is none.

        Parameters
        ----------
        sound_id : str
            With or without an extension: "123" finds ``123.flac``; "123.wav" finds ``123.wav``, and where that is not
            there ``123.flac``.

        Returns
        -------
        path : str

        Raises
        ------
        DataFormatError
            If several files match.
        """
        if sound_id in self._names:
            return str(Path(self.folder) / sound_id)
        stem, extension = os.path.splitext(sound_id)
        names = self._by_stem.get(sound_id, [])
        if not names and extension.lower() in AUDIO_EXTENSIONS:
            names = self._by_stem.get(stem, [])
        if len(names) > 1:
            raise DataFormatError(f"{self.folder}: {len(names)} files belong to sound {sound_id!r}: {names}. Keep one.")
        return str(Path(self.folder) / names[0]) if names else ""
