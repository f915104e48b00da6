"""Headers that contradict themselves."""

import struct

__all__ = ["contradiction_in"]

# coded so that one frame has a whole number of bytes
_PLAIN_WAVE = (1, 3, 6, 7)
# coded in blocks of as many bytes as the header's nBlockAlign says
_BLOCK_WAVE = (2, 0x11, 0x31)
_PLAIN_AIFF = (
    b"NONE",
    b"twos",
    b"sowt",
    b"raw ",
    b"fl32",
    b"FL32",
    b"fl64",
    b"FL64",
    b"in24",
    b"in32",
    b"alaw",
    b"ulaw",
)


def contradiction_in(container, description, n_bytes):
    """Compare the numbers of a header with each other.

    Parameters
    ----------
    container : str
        ``"wave"``, ``"aiff"``, ``"caf"``, or another, of which nothing is known.

    description : bytes
        The content of its chunk "fmt ", COMM or desc.

    n_bytes : int
        What the header says of the sound's length in bytes.

    Returns
    -------
    detail : str
        What contradicts what; "" where nothing does.
    """
    try:
        if container == "wave":
            return _wave(description)
        if container == "aiff":
            return _aiff(description, n_bytes)
        return _caf(description) if container == "caf" else ""
    except struct.error:
        return ""


def _wave(form):
    tag, n_channels, rate, byte_rate, align, bits = struct.unpack("<HHIIHH", form[:16])
    if tag == 0xFFFE and len(form) >= 26:
        tag = int.from_bytes(form[24:26], "little")
    if tag in _PLAIN_WAVE:
        if align != n_channels * -(-bits // 8):
            return f"{n_channels} channels of {bits} bits in {align} bytes a frame"
        expected = rate * align
        slack = 0
    elif tag in _BLOCK_WAVE and len(form) >= 20:
        n_frames = int.from_bytes(form[18:20], "little")
        expected = rate * align / n_frames if n_frames else 0
        # encoders round this number in their own ways
        slack = 0.05 * expected + align
    else:
        return ""
    if byte_rate and abs(byte_rate - expected) > slack:
        return f"{rate} Hz at {align} bytes a block, and {byte_rate} bytes a second"
    return ""


def _aiff(common, n_bytes):
    n_channels, n_frames, bits = struct.unpack(">HIH", common[:8])
    if len(common) >= 22 and common[18:22] not in _PLAIN_AIFF:
        return ""
    expected = n_frames * n_channels * -(-bits // 8)
    if expected == n_bytes:
        return ""
    return f"{n_frames} frames of {n_channels} channels of {bits} bits, and {n_bytes} bytes of sound"


def _caf(description):
    kind, _, packet, n_frames, n_channels, bits = struct.unpack(">4sIIIII", description[8:32])
    if kind != b"lpcm" or packet == n_frames * n_channels * -(-bits // 8):
        return ""
    return f"{n_channels} channels of {bits} bits in {packet} bytes a packet"
