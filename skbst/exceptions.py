"""The errors and warnings that skbst raises beside the standard ones."""

from sklearn.exceptions import ConvergenceWarning

__all__ = [
    "AudioDecodeError",
    "AudioDecodeWarning",
    "CalibrationWarning",
    "CheckpointError",
    "DataFormatError",
    "DownloadError",
    "FewClipsWarning",
    "LeakageWarning",
    "StoreWarning",
    "UnsafeModelError",
    "VersionMismatchWarning",
]


class DataFormatError(ValueError):
    """A table, folder or array is not in the layout that was expected."""


class AudioDecodeError(ValueError):
    """A sound file could not be decoded and ``on_error="raise"`` was asked for."""


class CheckpointError(ValueError):
    """A model checkpoint is damaged, of another architecture, or unsafe to load."""


class DownloadError(OSError):
    """A remote file could not be fetched, or arrived with the wrong checksum."""


class UnsafeModelError(ValueError):
    """A saved model asks for something that the safe format refuses to build."""


class AudioDecodeWarning(UserWarning):
    """Some sound files could not be decoded and were replaced by silence."""


class CalibrationWarning(UserWarning):
    """There are too few calibration rows for what was promised."""


class FewClipsWarning(ConvergenceWarning):
    """A network was trained on fewer clips than it needs."""


class LeakageWarning(UserWarning):
    """Something of the test part was seen in training."""


class StoreWarning(RuntimeWarning):
    """A store could not be read or written as it should; the answer was computed without it."""


class VersionMismatchWarning(UserWarning):
    """A model was saved by other versions of the libraries than those that load it."""
