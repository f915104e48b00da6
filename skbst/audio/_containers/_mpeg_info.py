"""The first frame of an MP3 file, which tells the length of the rest."""

__all__ = ["info_place", "lame_bytes", "spoilt", "told_bytes"]

_MARKS = (b"Xing", b"Info")
# flags, frames, bytes, table and quality stand before it
_LAME_PLACE = 120
# behind the header and the side information of all kinds of frames
_INFO_PLACES = (13, 21, 36)
_ENCODERS = (b"LAME", b"Lavc", b"Lavf")


def info_place(frame):
    """Where in the first frame Xing's header stands: behind its own header and side information."""
    mono = frame[3] >> 6 == 3
    return 4 + ((17 if mono else 32) if frame[1] >> 3 & 3 == 3 else (9 if mono else 17))


def told_bytes(frame):
    """Whether the first frame tells a length, and how many bytes it tells (0: none).

    Parameters
    ----------
    frame : bytes
        Its first 256 bytes.

    Returns
    -------
    told : bool

    n_bytes : int
        This frame included.
    """
    if len(frame) < 64:
        return False, 0
    at = info_place(frame)
    if frame[at : at + 4] in _MARKS:
        flags = int.from_bytes(frame[at + 4 : at + 8], "big")
        if not flags & 1:
            return False, 0
        return True, int.from_bytes(frame[at + 12 : at + 16], "big") if flags & 2 else 0
    # VBRI's header stands at 36; libsndfile does not read it
    return False, 0


def lame_bytes(frame):
    """What LAME's part of the first frame says of the bytes of the sound, exactly; 0 where there is no such part."""
    at = info_place(frame) + _LAME_PLACE if len(frame) >= 64 else len(frame)
    return int.from_bytes(frame[at + 28 : at + 32], "big") if frame[at : at + 4] in _ENCODERS else 0


def spoilt(frame):
    """Say what is wrong with a first frame that was written to tell the length.

    Its part by LAME or libavcodec has a checksum; without that, a mark that stands where other frames have it, or the
    encoder's name without a mark, give it away.
    """
    if len(frame) < 64:
        return ""
    own = info_place(frame)
    marks = [at for at in _INFO_PLACES if frame[at : at + 4] in _MARKS]
    names = [at for at in _INFO_PLACES if frame[at + _LAME_PLACE :][:4] in _ENCODERS]
    if own not in marks:
        return "its first frame tells the length for frames of another kind" if marks or names else ""
    at = own + _LAME_PLACE
    stated = int.from_bytes(frame[at + 34 : at + 36], "big")
    if own in names and stated and _crc16(frame[: at + 34]) != stated:
        return "the checksum of its first frame is wrong"
    return ""


def _crc16(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value
