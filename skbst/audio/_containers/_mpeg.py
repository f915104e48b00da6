"""An MP3 file: whether it tells its length, and whether more sound follows than it tells."""

from skbst.audio._containers._behind import begins_a_sound, behind
from skbst.audio._containers._mpeg_frames import frame_bytes, frame_follows, row_follows
from skbst.audio._containers._mpeg_info import lame_bytes, spoilt, told_bytes
from skbst.audio._containers._tags import read_at, skip_tags

__all__ = ["look_at_mpeg"]

# a frame or two of slack: encoders count their own header differently
_SLACK_BYTES = 4096
# bytes that are searched for the first frame of a file that begins with something else
_SEARCHED_BYTES = 1 << 16
# the header, the side information and what may tell a length
_FRAME_HEAD = 64
_READ_AT_ONCE = 1 << 20


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
        wrong with its first frame, whether that tells the length to the sample, and where a sound of another container
        begins (int or None).
    """
    place, damage = skip_tags(file, 0, size), ""
    if frame_bytes(read_at(file, place, 4)) is None or not frame_follows(file, place, size):
        start, place = place, size if is_other else _next_frame(file, place, size, _SEARCHED_BYTES)
        if not row_follows(file, place, size):
            return None
        damage = f"{place - start} bytes before its first frame"
    truncation, parts, exact, begin = None, [], 0, None
    while place < size and begin is None:
        frame = read_at(file, place, 256)
        told, n_bytes = told_bytes(frame)
        damage = damage or spoilt(frame)
        exact = lame_bytes(frame) if told else 0
        stop, n_lost = (place + n_bytes, 0) if told and n_bytes else _end_of_stream(file, place, size)
        if told and (stop > size + _SLACK_BYTES // 8 or size < place + exact <= place + n_bytes):
            truncation = f"{size - place} of {n_bytes} bytes"
        following, begin, note = _following(file, place, min(stop, size), size)
        damage = damage or (f"{n_lost} bytes between its frames are no sound" if n_lost else note)
        parts.append((place, following, told))
        place = following
    is_one = len(parts) == 1 and begin is None
    if is_one and parts[0][2]:
        parts = []
    return truncation, parts, damage, exact > 0 and is_one, begin


def _following(file, place, stop, size):
    """Where the part that stops here ends with its tags, where another container begins, and what is wrong between."""
    following, note = skip_tags(file, stop, size), ""
    if following < size and not frame_follows(file, following, size):
        found = behind(file, following, size)
        if found.n_bytes:
            note = f"what follows its {following - place} bytes is no sound"
        if found.begin is not None and frame_bytes(read_at(file, found.begin, 4)) is None:
            return following, found.begin, note
        following = _next_frame(file, following, size) if found.begin is None else found.begin
    if size - following < 16 or following <= place:
        following = size
    return following, None, note


def _end_of_stream(file, place, size):
    """Walk along frames to where a stream of another kind begins, which no decoder goes on with, or another file.

    Also counts the bytes between frames, which a decoder skips.
    """
    data, base, at = b"", place, 0
    kind, n_lost = None, 0
    while True:
        if at + _FRAME_HEAD > len(data):
            base, at = base + at, 0
            data = read_at(file, base, _READ_AT_ONCE)
        head = data[at : at + _FRAME_HEAD]
        length = frame_bytes(head)
        if length is None:
            here = base + at
            following = _next_frame(file, here, size) if skip_tags(file, here, size) == here else size
            if following >= size or not row_follows(file, following, size) or begins_a_sound(head):
                return min(here, size), n_lost
            n_lost += following - here
            at += following - here
            continue
        # version and layer, rate, and whether it is mono
        own = head[1] & 0xFE, head[2] & 0x0C, head[3] >> 6 == 3
        if kind is not None and (own != kind or told_bytes(head)[0]):
            return base + at if row_follows(file, base + at, size) else size, n_lost
        kind, at = own, at + length


def _next_frame(file, place, size, n_bytes=_SLACK_BYTES):
    """The next place in a few frames' reach where one begins, or the end."""
    data, at = read_at(file, place, n_bytes), -1
    while (at := data.find(b"\xff", at + 1)) >= 0:
        if frame_bytes(data[at : at + 4]) is not None and frame_follows(file, place + at, size):
            return place + at
    return size
