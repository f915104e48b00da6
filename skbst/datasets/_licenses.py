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
_FROM_NAME = {
    "creative commons 0": "CC0",
    "cc0": "CC0",
    "cc0 1.0": "CC0",
    "public domain mark": "PDM",
    "attribution": "BY",
    "cc by": "BY",
    "attribution noncommercial": "BY-NC",
    "cc by-nc": "BY-NC",
    "attribution sharealike": "BY-SA",
    "cc by-sa": "BY-SA",
    "sampling+": "SAMPLING+",
}


def license_kind(license_):
    """Name the kind of a licence, whatever its version.

    Parameters
    ----------
    license_ : str
        The address of a Creative Commons licence, or one of Freesound's names for it.

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
    >>> license_kind("unspecified")
    'unknown'
    """
    match = _URL.search(license_)
    if match is None:
        return _FROM_NAME.get(" ".join(license_.lower().split()), "unknown")
    family, code = match.group(1).lower(), match.group(2).lower()
    if (family, code) in _FROM_URL:
        return _FROM_URL[family, code]
    known = {"by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd"}
    return code.upper() if family == "licenses" and code in known else "unknown"
