"""Pages of an Ogg file: where sounds begin, which pages are missing, whether the end is there."""

import zlib

__all__ = ["look_at_ogg"]

# flags of a page: a stream begins, a stream ends
_FIRST, _LAST = 2, 4
# how a page begins, with the only version there is
_PAGE = b"OggS\0"
# bytes; a page has at most 65,307
_SEARCHED_AT_ONCE = 1 << 16
# more places that only look like pages are no damage; taken as it is
_MOST_FALSE = 1000
# checksums of pages are compared up to here, which costs reading it all
_LARGEST_CHECKED = 1 << 26
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def look_at_ogg(file, size):
    """Walk over the page headers.

    Parameters
    ----------
    file : binary file
        An Ogg file; it is left anywhere.

    size : int
        Its bytes.

    Returns
    -------
    truncation : str or None
        How many pages are missing.

    parts : list of (int, int, bool)
        Bytes of each sound, where there is more than one; empty otherwise.

    end : int
        Where the last page ends.
    """
    starts, stops, numbers, open_streams, n_missing, in_head, end = [], [], {}, set(), 0, False, size
    for place, stop, flags, serial, number in _pages(file, size):
        if flags & _FIRST:
            if not in_head:
                starts.append(place)
                stops.append(end)
            in_head = True
            open_streams.add(serial)
        else:
            in_head = False
            n_missing += max(0, number - numbers.get(serial, -1) - 1)
        numbers[serial], end = number, stop
        if flags & _LAST:
            open_streams.discard(serial)
    truncation = None
    if n_missing:
        truncation = f"{n_missing} pages of the stream are missing"
    elif open_streams:
        truncation = "the last page of the stream is missing"
    parts = [(start, stop, True) for start, stop in zip(starts, [*stops[1:], end])] if len(starts) > 1 else []
    return truncation, parts, end


def _pages(file, size):
    """Place, end, flags, serial number and page number of each whole page; what has a wrong checksum is no page."""
    place, is_checked, n_false = 0, size <= _LARGEST_CHECKED, 0
    while place is not None and place < size and n_false < _MOST_FALSE:
        file.seek(place)
        head = file.read(27)
        table = file.read(head[26]) if len(head) == 27 and head[:4] == b"OggS" else b""
        stop = place + 27 + len(table) + sum(table)
        if len(table) < (head[26:27] or b"\1")[0] or stop > size:
            place, n_false = _next_page(file, place + 1), n_false + 1
            continue
        if is_checked and _checksum(head[:22] + bytes(4) + head[26:] + table + file.read(sum(table))) != head[22:26]:
            place, n_false = _next_page(file, place + 1), n_false + 1
            continue
        yield place, stop, head[5], head[14:18], int.from_bytes(head[18:22], "little")
        place = stop


def _checksum(page):
    """The checksum of a page: zlib's runs over the bits the other way round, from ones to ones."""
    value = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2).to_bytes(4, "little")


def _next_page(file, place):
    """The next place that looks like a page, or None."""
    while True:
        file.seek(place)
        data = file.read(_SEARCHED_AT_ONCE)
        found = data.find(_PAGE)
        if found >= 0:
            return place + found
        if len(data) < _SEARCHED_AT_ONCE:
            return None
        place += len(data) - len(_PAGE) + 1
