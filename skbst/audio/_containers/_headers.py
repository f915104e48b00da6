"""How many bytes of sound the header of a file promises, container by container."""

import re
import struct
from typing import NamedTuple

__all__ = ["MARKS", "Promise", "promise_of"]

# what streams write while they do not know their length yet
_UNKNOWN_BYTES = 0x7FFF0000


class Promise(NamedTuple):
    """`size` bytes from `start` on; None where the container has no place for it.

    `field` is where and how the number stands in the header, and what it counts beside the sound. `strict` containers
    are refused by libsndfile where the number is wrong. `description` is the chunk that tells rate and channels of a
    `container` of chunks, `chunks` how their heads are built: the form of the length, what it is rounded up to, and
    whether it counts the head, which then has a long mark.
    """

    start: int
    size: int | None
    field: tuple | None = None
    unfinished: bool = False
    strict: bool = False
    reason: str = ""
    detail: str = ""
    container: str = ""
    description: bytes = b""
    chunks: tuple | None = None

    def patched(self, n_bytes):
        """Where in the header which bytes stand for this many bytes of sound."""
        if self.field is None:
            return None
        place, form, extra = self.field
        return place, struct.pack(form, min(n_bytes + extra, 256 ** struct.calcsize(form) // 2 - 1))


def promise_of(file, head, size):
    """Find the promise of a file.

    Parameters
    ----------
    file : binary file
        It is left anywhere.

    head : bytes
        Its first 4096 bytes.

    size : int
        How many it has.

    Returns
    -------
    promise : Promise or None
        None where nothing is known of this container.
    """
    for mark, container, read in _READERS:
        if head.startswith(mark):
            try:
                return read(file, head, size, container)
            except (struct.error, ValueError, IndexError):
                return None
    return None


def _chunks(file, place, size, form, *, align=2, includes_head=False):
    """Mark, place of its length, place of its content, and length of each chunk."""
    n_mark = 16 if includes_head else 4
    n_head = n_mark + struct.calcsize(form)
    while place + n_head <= size:
        file.seek(place)
        head = file.read(n_head)
        length = struct.unpack(form, head[n_mark:])[0] - (n_head if includes_head else 0)
        yield head[:4], place + n_mark, place + n_head, length
        if length < 0:
            return
        place += n_head + -(-length // align) * align


# the chunk that describes the sound, and the container it is of
_DESCRIPTIONS = {b"fmt ": "wave", b"COMM": "aiff", b"desc": "caf", b"BODY": "iff"}


def _chunked(file, place, size, form, wanted, *, extra=0, align=2, includes_head=False, strict=False):
    """The promise of the chunk that holds the sound."""
    n_head = 16 + struct.calcsize(form) if includes_head else 0
    container, description = "", b""
    for mark, field, start, length in _chunks(file, place, size, form, align=align, includes_head=includes_head):
        if mark in _DESCRIPTIONS:
            file.seek(start)
            container, description = _DESCRIPTIONS[mark], file.read(min(64, max(0, length)))
        if mark == wanted:
            promise = _checked(file, size, start + extra, length - extra, (field, form, extra + n_head), strict)
            return promise and promise._replace(
                container=container, description=description, chunks=(form, align, includes_head)
            )
    return None


def _checked(file, size, start, n_bytes, field, strict=False):
    largest = _UNKNOWN_BYTES if field is not None and field[1].endswith("I") else 1 << 62
    if n_bytes >= largest:
        return None
    if n_bytes <= 0:
        if _is_chunk(file, start, size):
            return None
        return Promise(start, 0, field, unfinished=True)
    return Promise(start, n_bytes, field, strict=strict)


def _is_chunk(file, place, size):
    """Whether another chunk begins here, not sound."""
    file.seek(place)
    head = file.read(8)
    if len(head) < 8:
        return False
    lengths = (int.from_bytes(head[4:], order) for order in ("little", "big"))
    return all(32 <= byte < 127 for byte in head[:4]) and any(place + 8 + n <= size for n in lengths)


def _riff(file, head, size, order):
    return _chunked(file, 12, size, order + "I", b"data") if head[8:12] == b"WAVE" else None


def _rf64(file, head, size, _):
    data_bytes, field, description = None, None, b""
    for mark, place, start, length in _chunks(file, 12, size, "<I"):
        file.seek(start)
        if mark == b"ds64":
            field = (start + 8, "<q", 0)
            data_bytes = struct.unpack("<8xq", file.read(16))[0]
        elif mark == b"fmt ":
            description = file.read(min(64, length))
        elif mark == b"data":
            if data_bytes is None or 0 < length < _UNKNOWN_BYTES:
                data_bytes, field = length, (place, "<I", 0)
            promise = _checked(file, size, start, data_bytes, field)
            return promise and promise._replace(container="wave", description=description, chunks=("<I", 2, False))
    return None


def _form(file, head, size, _):
    kind = head[8:12]
    if kind in (b"AIFF", b"AIFC"):
        return _chunked(file, 12, size, ">I", b"SSND", extra=8)
    return _chunked(file, 12, size, ">I", b"BODY") if kind in (b"8SVX", b"16SV") else None


def _w64(file, head, size, _):
    return _chunked(file, 40, size, "<q", b"data", align=8, includes_head=True)


def _caf(file, head, size, _):
    for mark, field, start, length in _chunks(file, 8, size, ">q", align=1):
        if mark == b"data":
            if length == -1:
                return None
            promise = _checked(file, size, start + 4, length - 4, (field, ">q", 4), strict=True)
            # its first chunk has a fixed place
            return promise and promise._replace(container="caf", description=head[20:52], chunks=(">q", 1, False))
    return None


def _au(file, head, size, order):
    start, n_bytes = struct.unpack(order + "4xII", head[:12])
    return _checked(file, size, start, n_bytes, (8, order + "I", 0))


# kinds of blocks are numbered from 0 to here in Creative's format, and none stands before its header's end
_LAST_VOC_BLOCK, _VOC_HEADER = 9, 26


def _voc(file, head, size, _):
    place = struct.unpack("<20xH", head[:22])[0]
    if place < _VOC_HEADER:
        detail = f"its first block would stand at byte {place}, in the header"
        return Promise(0, None, reason="header contradicts itself", detail=detail)
    while place + 4 <= size:
        file.seek(place)
        block = file.read(4)
        length = int.from_bytes(block[1:], "little")
        if block[0] == 0 or block[0] > _LAST_VOC_BLOCK:
            # an empty sound after the last block: whatever follows belongs to none
            return Promise(place + (block[0] == 0), 0)
        if place + 4 + length > size:
            n_head = {1: 2, 9: 12}.get(block[0], 0)
            return Promise(place + 4 + n_head, length - n_head)
        place += 4 + length
    return None


def _nist(file, head, size, _):
    fields = dict(re.findall(rb"(\w+) -i (\d+)", head))
    n_frames, n_bytes = int(fields.get(b"sample_count", 0)), int(fields.get(b"sample_n_bytes", 0))
    coding = re.search(rb"sample_coding -s\d+ (\S+)", head)
    if not head[8:16].strip().isdigit() or int(head[8:16]) % 1024 or int(head[8:16]) == 0:
        return Promise(0, None, reason="header contradicts itself", detail=f"a header of {head[8:16]!r} bytes")
    if n_frames == 0 or (coding is not None and b"shorten" in coding[1]):
        return None
    return Promise(int(head[8:16]), n_frames * n_bytes * int(fields.get(b"channel_count", 1)))


def _avr(file, head, size, _):
    stereo, bits, n_frames = struct.unpack(">12xHH10xI", head[:30])
    return Promise(128, n_frames * (bits // 8) * (2 if stereo else 1))


def _mpc(file, head, size, _):
    return Promise(42, int.from_bytes(head[30:34], "little") * 2 * (2 if head[21] else 1))


def _wve(file, head, size, _):
    return Promise(32, int.from_bytes(head[18:22], "big"))


def _lengthless(file, head, size, container):
    detail = f"the header of {container} has no length, so that nobody can tell whether the end is there"
    return Promise(0, None, reason="length not stated", detail=detail)


_READERS = (
    (b"RIFF", "<", _riff),
    (b"RIFX", ">", _riff),
    (b"RF64", "RF64", _rf64),
    (b"BW64", "BW64", _rf64),
    (b"FORM", "IFF", _form),
    (b"riff", "W64", _w64),
    (b"caff", "CAF", _caf),
    (b".snd", ">", _au),
    (b"dns.", "<", _au),
    (b"Creative Voice File", "VOC", _voc),
    (b"NIST_1A", "NIST", _nist),
    (b"2BIT", "AVR", _avr),
    (b"ALawSoundFile**", "WVE", _wve),
    (b"\x01\x04", "MPC2K", _mpc),
    (b" paf", "PAF", _lengthless),
    (b"fap ", "PAF", _lengthless),
    (b"PVF1", "PVF", _lengthless),
    (b"Extended Instrument", "XI", _lengthless),
    (b"\x64\xa3\x01\x00", "IRCAM", _lengthless),
    (b"\x64\xa3\x02\x00", "IRCAM", _lengthless),
    (b"\x64\xa3\x03\x00", "IRCAM", _lengthless),
    (b"\x64\xa3\x04\x00", "IRCAM", _lengthless),
    (b"\x00\x01\xa3\x64", "IRCAM", _lengthless),
    (b"\x00\x02\xa3\x64", "IRCAM", _lengthless),
    (b"\x00\x03\xa3\x64", "IRCAM", _lengthless),
    (b"\x00\x04\xa3\x64", "IRCAM", _lengthless),
)

#: What a file of a known container begins with.
MARKS = (*(mark for mark, _, _ in _READERS), b"OggS", b"fLaC")
