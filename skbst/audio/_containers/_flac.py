"""A FLAC file: whether its frames are those that its header promises, and what follows."""

from typing import NamedTuple

from skbst.audio._containers._behind import Behind, behind
from skbst.audio._containers._tags import read_at

__all__ = ["look_at_flac"]

# by their code in a frame header; 0 is no size
_RATES = dict(enumerate((88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000), 1))
# by their code in a frame header, in samples; 0 is no size of its own
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
# no frame that common encoders write is longer
_TAIL_BYTES = 1 << 18
# bytes; taken as it is
_READ_AT_ONCE = 1 << 20
# the longest header of a frame, its checksum included, and the shortest frame
_HEAD_BYTES, _SHORTEST_FRAME = 16, 8
# up to here a file is searched for gaps, which costs reading it all
_ALWAYS_SEARCHED = 1 << 26


class _Frame(NamedTuple):
    """Its byte in the file, its first sample, and the one behind its last."""

    place: int
    first: int
    stop: int


def look_at_flac(file, size):
    """Compare the numbers of the frames with each other and with the header.

    Up to 64 MB every frame is looked at, above those near the end.

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

    damage : str
        What contradicts what.

    found : Behind
        What follows the last frame.
    """
    head = read_at(file, 0, 42)
    if len(head) < 42 or head[4] & 0x7F:
        return None, "", Behind(size)
    n_samples = (head[21] & 0x0F) << 32 | int.from_bytes(head[22:26], "big")
    block = int.from_bytes(head[10:12], "big")
    place, code = _first_frame(file)
    is_searched = size <= _ALWAYS_SEARCHED
    found = _frames(file, place if is_searched else max(place, size - _TAIL_BYTES), size, code, block)
    frames = _first_sound(found, n_samples, at=0 if is_searched else None)
    is_whole = bool(frames) and frames[-1].stop == n_samples
    truncation, end = None, frames[-1].stop if frames else 0
    if n_samples and 0 < end < n_samples:
        truncation = f"about {end} of {n_samples} samples"
    elif is_searched and (n_missing := sum(b.first - a.stop for a, b in zip([_Frame(0, 0, 0), *frames], frames))):
        truncation = f"{n_missing} samples are missing before the end"
    damage = _contradiction(head, code, n_samples, 0 if is_whole else end)
    if not frames:
        return truncation, damage, _uncertain(behind(file, min(place, size), size), size)
    rest = _behind_frame(file, frames[-1].place, size, has_length=n_samples > 0)
    if rest is None:
        # a frame without an end is cut or damaged
        rest = behind(file, min(frames[-1].place + _HEAD_BYTES, size), size)
        if size - frames[-1].place <= _TAIL_BYTES:
            truncation = truncation or "its last frame is not whole"
    elif is_whole or n_samples == 0:
        return truncation, damage, rest
    return truncation, damage, _uncertain(rest, size)


def _uncertain(rest, size):
    """What follows a sound whose end is not known: all of it, up to another sound, may be its own."""
    return Behind(size) if rest.begin is None else rest._replace(stop=rest.begin, n_bytes=0)


def _behind_frame(file, place, size, has_length):
    """What follows the frame that begins here: of several places where it may end the one behind which stands what is
    known, or nothing, else the first; None where it has no end."""
    first = None
    for n_bytes in _ends_of_frame(read_at(file, place, _TAIL_BYTES), has_length):
        rest = behind(file, place + n_bytes, size, is_searched=False)
        if not rest.n_bytes:
            return rest
        first = place + n_bytes if first is None else first
    return None if first is None else behind(file, first, size)


def _ends_of_frame(data, has_length):
    """Yield where the frame that begins these bytes may end: its checksum, put behind it, makes the remainder 0."""
    value = 0
    for at, byte in enumerate(data, 1):
        before, value = value, (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
        if value == 0 and before and at > _SHORTEST_FRAME:
            # a zero may be the checksum's last byte: one alone is, and one too many is nothing to a reader that knows
            # when to stop
            n_zeros = len(data[at : at + 2]) - len(data[at : at + 2].lstrip(b"\0"))
            yield at + (n_zeros == 1 or (n_zeros > 1 and has_length))


def _first_sound(frames, n_samples, at):
    """Frames of the first of several sounds: up to its last one, or to where another begins to count anew.

    Bytes that look like a frame are one where they go on from the frame before, where the next frame goes on from
    them, or where they end the sound. The first sample is `at`; None is that of the first frame.
    """
    last = None
    kept, frame = [], next(frames, None)
    while frame is not None:
        # no more is read than the first sound
        following, last = next(frames, None), frame
        at = frame.first if at is None else at
        is_confirmed = following is not None and following.first == frame.stop
        if frame.first < at and is_confirmed:
            break
        if frame.first == at or (frame.first > at and (is_confirmed or frame.stop == n_samples)):
            kept.append(frame)
            at = frame.stop
        if kept and at == n_samples:
            break
        frame = following
    return kept or [last][: last is not None]


def _contradiction(head, code, n_samples, end):
    """What the header says otherwise than the first frame, or the last one."""
    rate = int.from_bytes(head[18:21], "big") >> 4
    said = _RATES.get(code[2] & 0x0F, rate) if len(code) >= 4 else rate
    if said != rate:
        return f"its header says {rate} Hz, its first frame {said} Hz"
    if 0 < n_samples < end:
        return f"its header says {n_samples} samples, its last frame ends at {end}"
    return ""


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


def _frames(file, start, size, code, block):
    """Yield each frame whose header is found, in the order of the file."""
    if len(code) < 4 or code[0] != 0xFF or code[1] & 0xFE != 0xF8:
        return
    place = start
    while place < size:
        file.seek(place)
        # a last frame of silence is shorter than the header of another
        data, at = file.read(_READ_AT_ONCE) + bytes(_HEAD_BYTES), -1
        last = place + _READ_AT_ONCE >= size
        while (at := data.find(code[:2], at + 1)) >= 0:
            if at + _HEAD_BYTES > (len(data) if last else _READ_AT_ONCE):
                break
            if data[at + 3] & 0x0F == code[3] & 0x0F:
                span = _frame_span(data[at : at + _HEAD_BYTES], block)
                if span is not None:
                    yield _Frame(place + at, *span)
        place += _READ_AT_ONCE - _HEAD_BYTES


def _frame_span(head, block):
    """The first sample of the frame with this header and the one behind it, or None where it is none."""
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
    first = number if head[1] & 1 else number * block
    return first, first + own


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


def _remainders(polynomial, n_bits):
    """Of all bytes, for a checksum of as many bits."""
    values = []
    for byte in range(256):
        value = byte << n_bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> n_bits - 1 else 0)
            value &= (1 << n_bits) - 1
        values.append(value)
    return values


_CRC8, _CRC16 = _remainders(0x07, 8), _remainders(0x8005, 16)


def _crc8(data):
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value
