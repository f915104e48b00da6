"""Tags that programs put before and behind sounds of any kind."""

__all__ = ["read_at", "skip_tags"]

# tags that are found by their end are searched that far; covers of records stand in tags that tell their length
_SEARCHED_BYTES = 1 << 16
_LONGEST_HEAD = 32
# more tags one behind the other are none; taken as it is
_MOST_TAGS = 20
# those that are in use
_VERSIONS_OF_ID3 = range(2, 5)


def read_at(file, place, n_bytes):
    """Bytes of a file from a place on."""
    file.seek(place)
    return file.read(n_bytes)


def skip_tags(file, place, size):
    """Step over tags of ID3, APE and Lyrics3.

    Parameters
    ----------
    file : binary file
        It is left anywhere.

    place : int
        Where the first tag may begin.

    size : int
        Bytes of the file.

    Returns
    -------
    place : int
        Where the last of them ends; as it came where there is none.
    """
    for _ in range(_MOST_TAGS):
        length = _tag_bytes(file, place, size)
        if place >= size or length == 0:
            break
        place += length
    return min(place, size)


def _tag_bytes(file, place, size):
    head = read_at(file, place, _LONGEST_HEAD)
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] in _VERSIONS_OF_ID3:
        length = 0
        for byte in head[6:10]:
            length = length << 7 | byte & 0x7F
        return 10 + length + (10 if head[5] & 0x10 else 0)
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) == _LONGEST_HEAD:
        return _LONGEST_HEAD + (int.from_bytes(head[12:16], "little") if head[23] & 0x20 else 0)
    if head[:11] == b"LYRICSBEGIN":
        data = read_at(file, place, _SEARCHED_BYTES)
        ends = [data.find(mark) + len(mark) for mark in (b"LYRICS200", b"LYRICSEND") if mark in data]
        return min(ends, default=0)
    return _bytes_to_foot(file, place)


def _bytes_to_foot(file, place):
    """Length of a tag of APE whose length stands at its end only."""
    data = read_at(file, place, _SEARCHED_BYTES)
    at = data.find(b"APETAGEX")
    foot = data[at : at + _LONGEST_HEAD]
    is_foot = at > 0 and len(foot) == _LONGEST_HEAD and int.from_bytes(foot[12:16], "little") == at + _LONGEST_HEAD
    return at + _LONGEST_HEAD if is_foot else 0
