"""Which classes people confuse, and how often each class occurs."""

__all__ = ["BSD10K_COUNTS", "BSD35K_COUNTS", "NEIGHBOURS", "OFFICIAL_INDEX"]

#: Classes a careful listener could argue for instead, most likely first.
NEIGHBOURS = {
    "m-sp": ("is-p", "m-m", "m-si"),
    "m-si": ("m-m", "is-s", "is-e", "is-k"),
    "m-m": ("m-si", "m-sp", "ss-s"),
    "is-p": ("m-sp", "fx-o", "is-e"),
    "is-s": ("m-si", "is-k", "is-e"),
    "is-w": ("m-si", "is-s", "is-e"),
    "is-k": ("is-e", "m-si", "is-s"),
    "is-e": ("fx-el", "is-p", "m-si", "ss-s"),
    "sp-s": ("sp-p", "sp-c", "fx-h"),
    "sp-c": ("sp-s", "ss-i", "ss-u", "fx-h"),
    "sp-p": ("sp-s", "fx-ex", "fx-el"),
    "fx-o": ("fx-m", "fx-h", "is-p", "fx-n"),
    "fx-v": ("fx-m", "ss-u", "fx-o"),
    "fx-m": ("fx-o", "fx-v", "ss-i"),
    "fx-h": ("sp-s", "fx-o", "sp-c"),
    "fx-a": ("ss-n", "fx-h", "fx-n"),
    "fx-n": ("ss-n", "fx-o", "fx-el"),
    "fx-ex": ("fx-el", "ss-s", "sp-p", "fx-o"),
    "fx-el": ("fx-ex", "is-e", "fx-o"),
    "ss-n": ("fx-a", "fx-n", "ss-u"),
    "ss-i": ("ss-u", "sp-c", "fx-m"),
    "ss-u": ("ss-i", "ss-n", "fx-v", "sp-c"),
    "ss-s": ("fx-ex", "is-e", "m-m", "fx-el"),
}

#: Rows of each class in BSD10k-v1.2.
BSD10K_COUNTS = {
    "m-sp": 683, "m-si": 721, "m-m": 323, "is-p": 606, "is-s": 528, "is-w": 566, "is-k": 362, "is-e": 297,
    "sp-s": 806, "sp-c": 177, "sp-p": 364, "fx-o": 1211, "fx-v": 201, "fx-m": 279, "fx-h": 975, "fx-a": 166,
    "fx-n": 652, "fx-ex": 297, "fx-el": 208, "ss-n": 391, "ss-i": 207, "ss-u": 719, "ss-s": 217,
}  # fmt: skip

#: Sounds of each class in a set labelled by uploaders, before labels go wrong. Only is-w, is-k and sp-c
#: are BSD35k-CS's own figures; the others are made up to sum to the same 31,464.
BSD35K_COUNTS = {
    "m-sp": 2600, "m-si": 2700, "m-m": 2100, "is-p": 1500, "is-s": 700, "is-w": 34, "is-k": 43, "is-e": 2300,
    "sp-s": 1900, "sp-c": 50, "sp-p": 800, "fx-o": 4100, "fx-v": 1000, "fx-m": 700, "fx-h": 1900, "fx-a": 700,
    "fx-n": 2000, "fx-ex": 1500, "fx-el": 2100, "ss-n": 1200, "ss-i": 400, "ss-u": 700, "ss-s": 437,
}  # fmt: skip

_TOP_DIGIT = {"m": 1, "is": 2, "sp": 3, "fx": 4, "ss": 5}


def _indices():
    seen, index = dict.fromkeys(_TOP_DIGIT, 0), {}
    for code in BSD10K_COUNTS:
        top = code.split("-")[0]
        seen[top] += 1
        index[code] = 100 * _TOP_DIGIT[top] + seen[top]
    return index | {f"{top}-other": 100 * digit + 99 for top, digit in _TOP_DIGIT.items()}


#: Three-digit class_idx of BSD10k-v1.2 and BSD35k-CS.
OFFICIAL_INDEX = _indices()
