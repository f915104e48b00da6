"""What a licence of the metadata allows."""

import re

__all__ = ["COMMERCIAL_LICENSES", "license_kind"]

#: Kinds that allow commercial use and derived works. BY asks for credit, BY-SA also for the same licence.
COMMERCIAL_LICENSES = ("CC0", "PDM", "BY", "BY-SA")

_URL = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z+\-]+)", re.IGNORECASE)
_FROM_URL = {
    ("publicdomain", "zero"): "CC0",
    ("publicdomain", "mark"): "PDM",
    ("licenses", "sampling+"): "SAMPLING+",
    ("licenses", "nc-sampling+"): "NC-SAMPLING+",
}
_KINDS = frozenset({"CC0", "PDM", "BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND", "SAMPLING+", "NC-SAMPLING+"})
# several words that mean one part, the longer first
_PHRASES = (
    (r"public domain mark", "pdm"),
    (r"public domain dedication", "dedication"),
    (r"cc ?zero|creative commons (zero|0)|cc ?0", "cc0"),
    (r"non ?commercial", "nc"),
    (r"share ?alike", "sa"),
    (r"no ?deriv(ative|atives|ative works|s)?", "nd"),
    (r"sampling ?(\+|plus)", "sampling+"),
    (r"attribution", "by"),
)
_ORDER = ("CC0", "PDM", "BY", "NC", "SA", "ND", "SAMPLING+")
_VERSION = re.compile(r"v?[1-4]\.[0-9]")
# words of a name that say nothing of what is allowed
_FILLERS = frozenset({"cc", "creative", "commons", "license", "licence", "the", "international", "unported", "generic"})
_FILLERS |= {"universal", "dedication"}


def license_kind(license_):
    """Name the kind of a licence, whatever its version.

    Parameters
    ----------
    license_ : str
        The address of a Creative Commons licence, or a name for it: "CC BY 4.0", "Attribution 4.0 International",
        "CC-BY-NC-3.0", Freesound's "Creative Commons 0". A name with any other word in it is unknown.

    Returns
    -------
    kind : str
        "CC0", "PDM" (public domain mark), "BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND",
        "SAMPLING+", "NC-SAMPLING+", or "unknown" for everything else.

    Examples
    --------
    >>> from skbst.datasets._licenses import license_kind
    >>> license_kind("http://creativecommons.org/licenses/by-nc/3.0/")
    'BY-NC'
    >>> license_kind("CC BY 4.0")
    'BY'
    >>> license_kind("unspecified")
    'unknown'
    """
    match = _URL.search(license_)
    if match is None:
        return _kind_of_name(license_)
    family, code = match.group(1).lower(), match.group(2).lower()
    if (family, code) in _FROM_URL:
        return _FROM_URL[family, code]
    return code.upper() if family == "licenses" and code.upper() in _KINDS else "unknown"


def _kind_of_name(name):
    """Kind of a licence's name; every word must be understood, for one of them could take a right away."""
    text = " ".join(re.sub(r"[^\w.+?]|_", " ", name.lower()).split())
    for phrase, part in _PHRASES:
        text = re.sub(rf"(?<!\w)({phrase})(?![\w+])", part, text)
    parts = {word.upper() for word in text.split() if word not in _FILLERS and not _VERSION.fullmatch(word)}
    kind = "-".join(part for part in _ORDER if part in parts)
    return kind if kind in _KINDS and parts <= set(_ORDER) else "unknown"
