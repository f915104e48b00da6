"""A FLAC file: whether its frames are those that its header promises, and what follows."""

import re

__all__ = ["look_at_flac"]

# how a sound of any container begins that was put behind; long enough to be no accident
_MARK = re.compile(rb"fLaC\0\0\0\x22|OggS\0\x02|(?:RIFF|RF64).{4}WAVE|FORM.{4}AIF[FC]|caff\0\x01\0\0desc", re.DOTALL)
_LONGEST_MARK = 12
# by their code in a frame header; 0 is no size
_RATES = dict(enumerate((88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000), 1))
# by their code in a frame header, in samples; 0 is no size of its own
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
# no frame that common encoders write is longer
_TAIL_BYTES = 1 << 18
# bytes; taken as it is
_READ_AT_ONCE = 1 << 20
# the longest header of a frame, its checksum included
_HEAD_BYTES = 16
# up to here a file is searched for gaps and for sounds behind the first, which costs reading it all
_ALWAYS_SEARCHED = 1 << 26


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

    parts : list of (int, int, bool)
        Bytes of each sound, where there is more than one; empty otherwise.

    damage : str
        What contradicts what.
    """
    file.seek(0)
    head = file.read(42)
    if len(head) < 42 or head[4] & 0x7F:
        return None, [], ""
    n_samples = (head[21] & 0x0F) << 32 | int.from_bytes(head[22:26], "big")
    block = int.from_bytes(head[10:12], "big")
    place, code = _first_frame(file)
    is_searched = size <= _ALWAYS_SEARCHED
    frames = _frames(file, place if is_searched else max(place, size - _TAIL_BYTES), size, code, block)
    is_whole = n_samples > 0 and any(stop == n_samples for _, stop in frames)
    starts = [] if is_whole and not is_searched else _later_marks(file, place, size)
    if starts:
        stops = [*starts, size]
        return None, [(start, stop, True) for start, stop in zip([0, *starts], stops)], ""
    truncation = None
    if not is_whole and n_samples and frames and frames[-1][1] < n_samples:
        truncation = f"about {frames[-1][1]} of {n_samples} samples"
    elif is_searched and (n_missing := _missing(frames)):
        truncation = f"{n_missing} samples are missing before the end"
    return truncation, [], _contradiction(head, code, n_samples, frames[-1][1] if frames and not is_whole else 0)


def _missing(frames):
    """Samples in the gaps between frames; a gap counts where the frame behind it is followed by the next."""
    n_missing, at = 0, 0
    for (start, stop), (following, _) in zip(frames, [*frames[1:], (frames[-1][1], 0)] if frames else []):
        if start > at and following == stop:
            n_missing += start - at
        if start == at or following == stop:
            at = stop
    return n_missing


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
    """First sample and end of each frame whose header is found, in the order of the file."""
    if len(code) < 4 or code[0] != 0xFF or code[1] & 0xFE != 0xF8:
        return []
    frames, place = [], start
    while place < size:
        file.seek(place)
        # a last frame of silence is shorter than the header of another
        data, at = file.read(_READ_AT_ONCE) + bytes(_HEAD_BYTES), -1
        last = place + _READ_AT_ONCE >= size
        while (at := data.find(code[:2], at + 1)) >= 0:
            if at + _HEAD_BYTES > (len(data) if last else _READ_AT_ONCE):
                break
            if data[at + 3] & 0x0F == code[3] & 0x0F:
                frame = _frame_span(data[at : at + _HEAD_BYTES], block)
                if frame is not None:
                    frames.append(frame)
        place += _READ_AT_ONCE - _HEAD_BYTES
    return frames


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


def _crc8_of(value):
    for _ in range(8):
        value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


_CRC8 = bytes(map(_crc8_of, range(256)))


def _crc8(data):
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _later_marks(file, place, size):
    """Where sounds behind the first begin; its metadata may hold such marks and are passed over."""
    marks = []
    while place < size:
        file.seek(place)
        data = file.read(_READ_AT_ONCE)
        marks += [place + match.start() for match in _MARK.finditer(data)]
        if len(data) < _READ_AT_ONCE:
            break
        place += len(data) - _LONGEST_MARK + 1
    return sorted(set(marks))
