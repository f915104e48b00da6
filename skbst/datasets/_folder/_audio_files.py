"""Find the sound files of a folder."""

import os
import unicodedata
from pathlib import Path

from skbst.exceptions import DataFormatError

__all__ = ["AUDIO_EXTENSIONS", "OTHER_SOUND_EXTENSIONS", "AudioFolder", "is_audio_file", "looks_like_sound"]

#: Extensions of what libsndfile decodes, lower case.
AUDIO_EXTENSIONS = frozenset(
    f".{name}"
    for name in (
        *("wav", "wave", "w64", "rf64", "flac", "ogg", "oga", "opus", "mp3", "mp2", "aif", "aiff", "aifc", "au", "snd"),
        *("caf", "voc", "paf", "svx", "nist", "sph", "ircam", "sf", "avr", "htk", "pvf", "sds", "sd2", "wve"),
    )
)

#: Extensions of sounds that libsndfile has no reader for.
OTHER_SOUND_EXTENSIONS = frozenset(
    f".{name}" for name in ("m4a", "mp4", "aac", "wma", "webm", "mka", "amr", "ape", "wv", "ra", "ac3", "dts", "3gp")
)
# first bytes of what libsndfile decodes; at 8 for containers that name their content there
_MAGIC = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xfa", b".snd", b"caff", b"riff\x2e\x91\xcf\x11")
_MAGIC_AT_8 = (b"WAVE", b"AIFF", b"AIFC", b"8SVX", b"16SV")


def looks_like_sound(path):
    """Whether a regular file begins as a sound that libsndfile decodes does; for names without an extension."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_MAGIC) or (head[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM") and head[8:] in _MAGIC_AT_8)


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
        self._names = {}
        self.n_files = 0
        self.n_unreadable = 0  # sounds of formats that libsndfile has no reader for
        if folder is None:
            return
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.is_file() or entry.name.startswith("."):
                continue
            stem, extension = os.path.splitext(entry.name)
            if is_audio_file(entry.name) or (not extension and looks_like_sound(entry.path)):
                self.n_files += 1
                self._names.setdefault(_composed(entry.name), []).append(entry.name)
                self._by_stem.setdefault(_composed(stem), []).append(entry.name)
            elif extension.lower() in OTHER_SOUND_EXTENSIONS:
                self.n_unreadable += 1

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
        sound_id = _composed(sound_id)
        stem, extension = os.path.splitext(sound_id)
        names = self._names.get(sound_id) or self._by_stem.get(sound_id, [])
        if not names and extension.lower() in AUDIO_EXTENSIONS:
            names = self._by_stem.get(stem, [])
        if len(names) > 1:
            raise DataFormatError(f"{self.folder}: {len(names)} files belong to sound {sound_id!r}: {names}. Keep one.")
        return str(Path(self.folder) / names[0]) if names else ""


def _composed(name):
    """One spelling of letters with accents: disks of some systems hold them in two characters (NFD)."""
    return unicodedata.normalize("NFC", name)
