"""An MP3 file: whether it tells its length, and whether more sound follows than it tells."""

from skbst.audio._containers._contradictions import begins_a_sound
from skbst.audio._containers._mpeg_info import lame_bytes, spoilt, told_bytes

__all__ = ["look_at_mpeg"]

# in Hz, by the version bits of a frame header: MPEG 1, 2 and 2.5
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# a frame or two of slack: encoders count their own header differently
_SLACK_BYTES = 4096
# bytes that are searched for the first frame of a file that begins with something else
_SEARCHED_BYTES = 1 << 16
# the header, the side information and what may tell a length
_FRAME_HEAD = 64
_READ_AT_ONCE = 1 << 20
# so many frames one behind the other are no accident
_N_IN_A_ROW = 3


def look_at_mpeg(file, size, *, is_other=False):
    """Read the frames that tell a length.

    Parameters
    ----------
    file : binary file
        Any file; it is left anywhere.

    size : int
        Its bytes.

    is_other : bool, default=False
        Whether it begins as another container does, so that no first frame is searched for.

    Returns
    -------
    found : None or tuple
        None where this is no MP3 (MPEG layer III). Else how many bytes are missing (str or None), the bytes of
        each sound with whether its length is told (no parts where the file is one sound of told length), what is
        wrong with its first frame, and whether that tells the length to the sample.
    """
    place, damage = _skip_tags(file, 0, size), ""
    if _frame_bytes(_read(file, place, 4)) is None or not _frame_follows(file, place, size):
        start, place = place, size if is_other else _next_frame(file, place, size, _SEARCHED_BYTES)
        if not _row_follows(file, place, size):
            return None
        damage = f"{place - start} bytes before its first frame"
    truncation, parts, exact = None, [], 0
    while place < size:
        frame = _read(file, place, 256)
        told, n_bytes = told_bytes(frame)
        damage = damage or spoilt(frame)
        exact = lame_bytes(frame) if told else 0
        stop = place + n_bytes if told and n_bytes else _end_of_stream(file, place, size)
        if told and (stop > size + _SLACK_BYTES // 8 or size < place + exact <= place + n_bytes):
            truncation = f"{size - place} of {n_bytes} bytes"
        following = _skip_tags(file, stop, size) if stop < size else size
        if following < size and begins_a_sound(_read(file, following, 8)):
            parts += [(place, following, told), (following, size, True)]
            break
        if following < size and not _frame_follows(file, following, size):
            if _read(file, following, _SLACK_BYTES).strip(b"\0"):
                damage = damage or f"what follows its {following - place} bytes is no sound"
            following = _next_frame(file, following, size)
        if size - following < 16 or following <= place:
            following = size
        parts.append((place, following, told))
        place = following
    if len(parts) == 1 and parts[0][2]:
        parts = []
    return truncation, parts, damage, exact > 0 and len(parts) < 2


def _end_of_stream(file, place, size):
    """Walk along frames to where a stream of another kind begins, which no decoder goes on with, or another file."""
    data, base, at = b"", place, 0
    kind = None
    while True:
        if at + _FRAME_HEAD > len(data):
            base, at = base + at, 0
            data = _read(file, base, _READ_AT_ONCE)
        head = data[at : at + _FRAME_HEAD]
        length = _frame_bytes(head)
        if length is None:
            after = _skip_tags(file, base + at, size)
            return base + at if base + at < after < size and _frame_follows(file, after, size) else size
        # version and layer, rate, and whether it is mono
        own = head[1] & 0xFE, head[2] & 0x0C, head[3] >> 6 == 3
        if kind is not None and (own != kind or told_bytes(head)[0]):
            return base + at if _row_follows(file, base + at, size) else size
        kind, at = own, at + length


def _row_follows(file, place, size):
    """Whether several frames stand here, one behind the other."""
    for _ in range(_N_IN_A_ROW):
        if place + 4 > size or not _frame_follows(file, place, size):
            return False
        place += _frame_bytes(_read(file, place, 4))
    return True


def _read(file, place, n_bytes):
    file.seek(place)
    return file.read(n_bytes)


def _skip_tags(file, place, size):
    """Step over tags of ID3 and APE."""
    while place < size:
        head = _read(file, place, 32)
        if head[:3] == b"ID3" and len(head) >= 10:
            length = 0
            for byte in head[6:10]:
                length = length << 7 | byte & 0x7F
            place += 10 + length + (10 if head[5] & 0x10 else 0)
        elif head[:3] == b"TAG":
            place += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            place += 32 + int.from_bytes(head[12:16], "little") if head[23] & 0x20 else 32
        else:
            break
    return min(place, size)


def _frame_bytes(head):
    """Length of the frame with this header, or None where it is none of layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != 1:
        return None
    version, rate, bits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or bits in (0, 15):
        return None
    kbits = _KBITS[1 if version == 3 else 2][bits]
    return (144 if version == 3 else 72) * 1000 * kbits // _RATES[version][rate] + (head[2] >> 1 & 1)


def _frame_follows(file, place, size):
    """Whether a frame begins here, and another one, or the end, where it stops."""
    length = _frame_bytes(_read(file, place, 4))
    if length is None:
        return False
    after = place + length
    return (
        after + 4 > size or _frame_bytes(_read(file, after, 4)) is not None or _read(file, after, 3) in (b"TAG", b"ID3")
    )


def _next_frame(file, place, size, n_bytes=_SLACK_BYTES):
    """The next place in a few frames' reach where one begins, or the end."""
    data, at = _read(file, place, n_bytes), -1
    while (at := data.find(b"\xff", at + 1)) >= 0:
        if _frame_bytes(data[at : at + 4]) is not None and _frame_follows(file, place + at, size):
            return place + at
    return size
