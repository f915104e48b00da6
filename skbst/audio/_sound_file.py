"""Open a sound file, or a part of one, and read it onward."""

import os
import re
import socket
import threading

import numpy as np
import soundfile

from skbst.audio._containers._slice import FileSlice

__all__ = ["MAX_SAMPLES", "ForwardFile", "blocks_to_error", "open_sounds", "read_span", "truncation_in", "words_of"]

# 1 GiB of float32: 4.7 hours at 16 kHz, 1.7 at 44.1 kHz
MAX_SAMPLES = 1 << 28
# 2 MiB of float32 at a time; taken as it is
_BLOCK_SAMPLES = 1 << 19
# short steps towards the damage, so that little before it is lost
_SALVAGE_FRAMES = 1 << 10
# in Hz; no recorder is that fast, damaged headers are
_LARGEST_RATE = 10_000_000
# what streams write while they do not know their length yet
_UNKNOWN_BYTES = 0x7FFF0000
_ANNOUNCED = re.compile(
    r"(?:(?:\bdata|\bSSND|\bBODY|Data Size|Data length)\s*:?\s*(?P<a>\d+) \(?should be (?P<b>\d+)\)?)"
    r"|(?:truncated\. (?P<d>\d+) <--> (?P<c>\d+))"
)
_COUNTS = re.compile(r"read from 'COMM' chunk \((\d+)\)[^(]*\((\d+)\)")
# where the first page of Vorbis says it is; a part of a stream begins elsewhere
_OFFSET = re.compile(r"PCM offset\s*: (\d+)")
# positions in Opus count samples of 48 kHz, those included that the decoder skips
_OPUS = re.compile(r"Preskip\s*: (\d+)[^$]*Granule pos offset\s*: (\d+)\s*Last Granule pos\s*: (\d+)")
_PACKETS = re.compile(r"Valid frames\s*: (\d+)")
# seeking is arithmetic in these; in MP3 and FLAC it was never seen to fail. In Ogg, one damaged byte kills the process.
_SEEKABLE = {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "MPEG_LAYER_III"}

# libsndfile's error 7
_NO_SUCH_FILE = 7

_local = threading.local()


class ForwardFile(soundfile.SoundFile):
    """A file that is read onward only.

    After each read of a seekable file soundfile seeks to where it already stands, which costs compressed formats
    up to a third of their speed.

    Parameters
    ----------
    source : path, file descriptor or binary file
        What is read.
    """

    def __init__(self, source):
        try:
            # as bytes, because a name need not be valid text
            is_path = isinstance(source, (str, os.PathLike)) and os.name != "nt"
            super().__init__(os.fsencode(source) if is_path else source)
        except (TypeError, ValueError) as error:
            # soundfile takes *.raw for samples without a header
            raise soundfile.SoundFileError(f"samples without a header: {error}") from error
        if self.samplerate > _LARGEST_RATE:
            self.close()
            raise soundfile.SoundFileError(f"a sample rate of {self.samplerate} Hz")
        self._feeder = source if isinstance(source, (FileSlice, _Feeder)) else None

    def seekable(self):
        return False

    def skip_to(self, frame):
        """Go to a frame: seek where that is arithmetic, else read what lies before."""
        if frame and self.format != "OGG" and self.subtype in _SEEKABLE:
            self.seek(frame)
            return
        step = max(1, _BLOCK_SAMPLES // self.channels)
        while frame > 0:
            n_read = len(self.read(out=_buffer(min(frame, step), self.channels)))
            if n_read == 0:
                return
            frame -= n_read

    def close(self):
        super().close()
        if getattr(self, "_feeder", None) is not None:
            self._feeder.close()


class _Feeder:
    """A part of a file behind a socket, so that nothing can seek in it and its length is not guessed."""

    def __init__(self, path, start, stop):
        self._reader, self._writer = socket.socketpair()
        self._slice = FileSlice(path, start, stop)
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def fileno(self):
        return self._reader.fileno()

    def _feed(self):
        quiet = getattr(socket, "MSG_NOSIGNAL", 0)
        try:
            while data := self._slice.read(1 << 16):
                view = memoryview(data)
                while view:
                    view = view[self._writer.send(view, quiet) :]
        except OSError:
            # the reader has enough
            pass
        finally:
            self._writer.close()

    def close(self):
        self._reader.close()
        self._thread.join()
        self._slice.close()


def open_sounds(path, look, errors=None):
    """Open each sound of a file, one after the other.

    Parameters
    ----------
    path : str or path-like
        The file.

    look : Look
        What was seen in it.

    errors : list of str, default=None
        Takes what libsndfile says of a sound that cannot be opened while others can; None raises it.

    Yields
    ------
    file : ForwardFile
        The next sound; it is closed when the one after it is asked for.
    """
    if look.parts:
        sources = [lambda part=part: _part_source(path, *part, look.patch) for part in look.parts]
    elif look.patch is not None:
        sources = [lambda: FileSlice(path, patch=look.patch)]
    else:
        sources = [lambda: path]
    for make in sources:
        source = make()
        try:
            file = _open(source)
        except soundfile.SoundFileError as error:
            if isinstance(source, (FileSlice, _Feeder)):
                source.close()
            if errors is None or len(sources) == 1:
                raise
            errors.append(words_of(error))
            continue
        with file:
            yield file


def _part_source(path, start, stop, told, patch):
    if not told and os.name != "nt":
        return _Feeder(path, start, stop)
    return FileSlice(path, start, stop, patch and (patch[0] - start, patch[1]))


def _open(source):
    if not isinstance(source, _Feeder):
        return ForwardFile(source)
    file = ForwardFile(os.dup(source.fileno()))
    file._feeder = source
    return file


def read_span(file, start, count, mixer):
    """Read frames of a file at its start and mix them; returns one channel, and whether an error ended it.

    The channel may be a view of a buffer that the next call in this thread overwrites.
    """
    step, missing, parts = max(1, _BLOCK_SAMPLES // file.channels), count, []
    try:
        file.skip_to(start)
        while missing > 0:
            block = _buffer(min(missing, step), file.channels)
            part = mixer(file.read(out=block))
            missing -= len(part)
            last = len(part) < len(block) or missing <= 0
            # the buffer is reused, so only a part that stays alone may be a view of it
            parts.append(part if last and not parts else part.copy())
            if last:
                break
    except (soundfile.SoundFileError, OSError):
        return np.empty(0, dtype=np.float32), True
    if not parts:
        return np.empty(0, dtype=np.float32), False
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), False


def blocks_to_error(file, mixer, errors):
    """Yield mixed blocks, so small that little is lost where one cannot be decoded; what ended it goes to `errors`."""
    # beyond its last sample a FLAC ends in an error that takes what was read before it along
    n_left = file.frames if file.format == "FLAC" else _SALVAGE_FRAMES
    while n_left > 0:
        try:
            frames = file.read(min(n_left, _SALVAGE_FRAMES), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            errors.append(words_of(error))
            return
        if len(frames) == 0:
            return
        n_left -= len(frames) if file.format == "FLAC" else 0
        yield mixer(frames)


def _buffer(n_frames, n_channels):
    """A part of this thread's own memory; a new array for each file would cost more than decoding does."""
    size = n_frames * n_channels
    memory = getattr(_local, "memory", None)
    if memory is None or memory.size < size:
        memory = _local.memory = np.empty(size, dtype=np.float32)
    return memory[:size].reshape(n_frames, n_channels)


def words_of(error):
    """What libsndfile says, without the name of the file, which stands elsewhere."""
    if getattr(error, "code", None) == _NO_SUCH_FILE:
        # libmpg123's answer to what is no MP3; the file is there
        return "Format not recognised"
    words = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(words).strip().rstrip(".")


def truncation_in(file):
    """What the header promised and the file does not hold, after libsndfile's log."""
    log = file.extra_info
    for found in _ANNOUNCED.finditer(log):
        announced, held = int(found["a"] or found["c"]), int(found["b"] or found["d"])
        if held < announced < _UNKNOWN_BYTES:
            return f"{held} of {announced} bytes"
    counts = _COUNTS.search(log)
    if counts and int(counts[2]) < int(counts[1]):
        return f"{counts[2]} of {counts[1]} samples"
    offset = _OFFSET.search(log)
    if offset and int(offset[1]):
        return f"{offset[1]} samples are missing at its start"
    opus = _OPUS.search(log)
    if opus:
        skipped, begin, end = map(int, opus.groups())
        if begin:
            return f"{begin} samples of 48 kHz are missing at its start"
        n_frames = (end - skipped) * file.samplerate // 48000
        if file.frames < n_frames:
            return f"{file.frames} of {n_frames} samples"
    packets = _PACKETS.search(log)
    if packets and file.frames != int(packets[1]):
        return f"{file.frames} samples can be read where its packets should hold {packets[1]}"
    return None
