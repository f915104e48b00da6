"""A FLAC file: whether its last frame is the one that its header promises, and what follows."""

__all__ = ["look_at_flac"]

_MARK = b"fLaC\x00\x00\x00\x22"
# by their code in a frame header; 0 is no size
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
# no frame that common encoders write is longer
_TAIL_BYTES = 1 << 18
# up to here a file is searched for sounds behind the first, whatever its last frame says, which costs reading it all
_ALWAYS_SEARCHED = 1 << 26


def look_at_flac(file, size):
    """Compare the number of the last frame with the header.

    Parameters
    ----------
    file : binary file
        A FLAC file; it is left anywhere.

    size : int
        Its bytes.

    Returns
    -------
    truncation : str or None
        How many samples are missing.

    parts : list of (int, int, bool)
        Bytes of each sound, where there is more than one; empty otherwise.
    """
    file.seek(0)
    head = file.read(42)
    if len(head) < 42 or head[4] & 0x7F:
        return None, []
    n_samples = (head[21] & 0x0F) << 32 | int.from_bytes(head[22:26], "big")
    block = int.from_bytes(head[10:12], "big")
    first = _first_frame(file)
    ends = _frame_ends(file, size, first, block)
    is_whole = n_samples > 0 and n_samples in ends
    starts = [] if is_whole and size > _ALWAYS_SEARCHED else _later_marks(file, size)
    if starts:
        stops = [*starts, size]
        return None, [(start, stop, True) for start, stop in zip([0, *starts], stops)]
    if not is_whole and n_samples and ends and ends[-1] < n_samples:
        return f"about {ends[-1]} of {n_samples} samples", []
    return None, []


def _first_frame(file):
    """The place of the first frame and its first four bytes."""
    place, last = 4, False
    while not last:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4:
            return place, b""
        last = bool(head[0] & 0x80)
        place += 4 + int.from_bytes(head[1:], "big")
    file.seek(place)
    return place, file.read(4)


def _frame_ends(file, size, first, block):
    """The sample behind each frame whose header is found near the end of the file."""
    place, code = first
    if len(code) < 4 or code[0] != 0xFF or code[1] & 0xFE != 0xF8:
        return []
    start = max(place, size - _TAIL_BYTES)
    file.seek(start)
    # a last frame of silence is shorter than the header of another
    data, ends, at = file.read(size - start) + bytes(16), [], -1
    while (at := data.find(code[:2], at + 1)) >= 0:
        if len(data) < at + 16:
            break
        if data[at + 3] & 0x0F == code[3] & 0x0F:
            end = _frame_end(data[at : at + 16], block)
            if end is not None:
                ends.append(end)
    return ends


def _frame_end(head, block):
    """The sample behind the frame with this header, or None where it is none."""
    number, length = _coded_number(head[4:])
    if number is None:
        return None
    at, kind, rate = 4 + length, head[2] >> 4, head[2] & 0x0F
    if kind in (6, 7):
        own = int.from_bytes(head[at : at + kind - 5], "big") + 1
        at += kind - 5
    else:
        own = _BLOCK_SIZES[kind]
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if own == 0 or at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    return number + own if head[1] & 1 else number * block + own


def _coded_number(data):
    """A number in the way of UTF-8, and its bytes."""
    first, n_more = data[0], 0
    if first & 0x80:
        while n_more < 7 and first & (0x40 >> n_more):
            n_more += 1
        if n_more == 0:
            return None, 0
    value = first & (0x7F if n_more == 0 else 0x3F >> n_more)
    for byte in data[1 : 1 + n_more]:
        if byte & 0xC0 != 0x80:
            return None, 0
        value = value << 6 | byte & 0x3F
    return value, 1 + n_more


def _crc8(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


def _later_marks(file, size):
    """Where sounds behind the first begin."""
    marks, place, overlap = [], 1, len(_MARK) - 1
    while place < size:
        file.seek(place)
        data, at = file.read(1 << 20), -1
        while (at := data.find(_MARK, at + 1)) >= 0:
            marks.append(place + at)
        if len(data) < 1 << 20:
            break
        place += len(data) - overlap
    return marks
