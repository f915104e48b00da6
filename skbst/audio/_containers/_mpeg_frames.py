"""Frames of MPEG layer III: how long they are, and whether they stand in a row."""

from skbst.audio._containers._tags import read_at

__all__ = ["frame_bytes", "frame_follows", "row_follows"]

# in Hz, by the version bits of a frame header: MPEG 1, 2 and 2.5
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# so many frames one behind the other are no accident
_N_IN_A_ROW = 3


def row_follows(file, place, size):
    """Whether several frames stand here, one behind the other."""
    for _ in range(_N_IN_A_ROW):
        if place + 4 > size or not frame_follows(file, place, size):
            return False
        place += frame_bytes(read_at(file, place, 4))
    return True


def frame_bytes(head):
    """Length of the frame with this header, or None where it is none of layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != 1:
        return None
    version, rate, bits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or bits in (0, 15):
        return None
    kbits = _KBITS[1 if version == 3 else 2][bits]
    return (144 if version == 3 else 72) * 1000 * kbits // _RATES[version][rate] + (head[2] >> 1 & 1)


def frame_follows(file, place, size):
    """Whether a frame begins here, and another one, or the end, where it stops."""
    length = frame_bytes(read_at(file, place, 4))
    if length is None:
        return False
    after = place + length
    return (
        after + 4 > size
        or frame_bytes(read_at(file, after, 4)) is not None
        or read_at(file, after, 3) in (b"TAG", b"ID3")
    )
