"""Cleaning of titles, which on Freesound are mostly file names."""

import re

from skbst.text._lexicon import DRUM_MACHINES, EQUIPMENT_PHRASE, EXTENSION, FILE_CODE, TECHNICAL_PHRASE, UNIT
from skbst.text._pieces import substitute
from skbst.text._steps import _cut, has_words, tidy_punctuation

__all__ = ["clean_title", "strip_extension", "strip_numbers", "unfold_file_name"]

_EXTENSION = re.compile(rf"(?i)(?<=\w|[)\]'\"!#-])(?:\s?\.{EXTENSION})+(?![\w.])|(?<=[\w)\]])_{EXTENSION}$")
_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ]{2})(?<!\bMc)(?<!\bMac)(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")
_SEPARATOR_IN_NAME = re.compile(r"(?<=\w)[.+~=](?=\w)|(?<=[^\W\d]{2})-(?=\w)|(?<=\d)-(?=[^\W\d]{2})")
_DATE = re.compile(
    r"(?i)(?<!\w)(?:(?:19|20)\d\d[-_. /]?(?:0[1-9]|1[0-2])[-_. /]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:19|20)\d\d[-_.]\d{1,2}[-_.]\d{1,2}"
    r"|\d{1,2}[-_./]\d{1,2}[-_./](?:(?:19|20)\d\d|\d\d)"
    r"|\d{1,2}[-_. ]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-_. ]?(?:19|20)\d\d)"
    r"(?:[-_ T]?\d{1,2}[:h.]\d{2}(?:[:.]\d\d)?)?(?![^\W_])"
    r"|(?<![\w:])\d{1,2}(?::\d{2}){1,2}(?: ?[ap]m)?(?![\w:])|(?<![\w:])\d{1,2} ?[ap]m(?!\w)"
)
_NUMBER = re.compile(rf"(?i)(?<![\w#♯♭$€£])[#№-]{{0,2}}\d+(?:[.,/:x×-]\d+)*(?![^\W_]|[.,]\d|\s?-?{UNIT}\b)")
_TRAILING = re.compile(r"(?i)(?<=[^\W\d_]{3})(?<!sharp)(?<!flat)(?<!\bmp)\d+(?:[-_.]\d+)*(?![^\W_])")
_LEADING = re.compile(rf"(?i)(?<![\w.,#])\d+[-_.]?(?!{UNIT}\b)(?=[^\W\d_]{{4}})")


def strip_extension(title, removed=None):
    """Drop the extensions of sound files.

    Parameters
    ----------
    title : str
        A title.

    removed : list, default=None
        Receives the extensions.

    Returns
    -------
    title : str

    Examples
    --------
    >>> from skbst.text import strip_extension
    >>> strip_extension("door.close.WAV"), strip_extension("hum.aif (edited)")
    ('door.close', 'hum (edited)')
    """
    return _cut(_EXTENSION, title, removed, "") if "." in title or "_" in title else title


def unfold_file_name(title):
    """Make words of a file name: underscores, dots, hyphens, %20 and CamelCase become spaces.

    Dots and hyphens are kept in titles that have spaces, where they are punctuation.

    Parameters
    ----------
    title : str
        A title without its extension.

    Returns
    -------
    title : str

    Examples
    --------
    >>> from skbst.text import unfold_file_name
    >>> unfold_file_name("20060301.bells.blackbird"), unfold_file_name("BigDoor_slam-hard")
    ('20060301 bells blackbird', 'Big Door slam hard')
    >>> unfold_file_name("Sax Alto - F#5, half-open")
    'Sax Alto - F#5, half-open'
    """
    if " " not in title.strip():
        title = _SEPARATOR_IN_NAME.sub(" ", title)
    return _CAMEL.sub(" ", title.replace("%20", " ").replace("_", " "))


def strip_numbers(title, removed=None):
    """Drop dates, times, take and file numbers; keep tempo, notes, bars, bits and drum machines.

    Parameters
    ----------
    title : str
        A title without its extension.

    removed : list, default=None
        Receives the numbers.

    Returns
    -------
    title : str

    Examples
    --------
    >>> from skbst.text import strip_numbers
    >>> strip_numbers("05 laugh12 2013-05-04").split()
    ['laugh']
    >>> strip_numbers("808 kick loop 120 bpm F#4")
    '808 kick loop 120 bpm F#4'
    """
    if not re.search(r"\d", title):
        return title
    title = _cut(_DATE, title, removed, " ")
    title = _cut(FILE_CODE, title, removed, " ")
    for pattern in (_NUMBER, _TRAILING, _LEADING):
        title = substitute(pattern, lambda match: _drop_number(match.group(0), removed), title)
    return title


def _drop_number(number, removed):
    if number.strip("()# -") in DRUM_MACHINES:
        return number
    if removed is not None:
        removed.append(number.strip())
    return " "


def clean_title(title, removed=None):
    """Clean one title: extension, file-name form, equipment, dates and numbers.

    Parameters
    ----------
    title : str
        A title; Unicode, HTML and links already tidied.

    removed : list, default=None
        Receives what was taken away.

    Returns
    -------
    title : str
        A title that had a word keeps one: where everything would go, only the extension does.

    Examples
    --------
    >>> from skbst.text import clean_title
    >>> clean_title("20051106_poplar-Wind_v2.wav")
    'poplar Wind'
    >>> clean_title("ZOOM0012.WAV")
    'ZOOM0012'
    """
    stem = strip_extension(title, removed)
    words = unfold_file_name(stem)
    if re.search(r"\d", words) or " " in words:
        words = _cut(TECHNICAL_PHRASE, _cut(EQUIPMENT_PHRASE, words, removed, " "), removed, " ")
    words = strip_numbers(words, removed)
    words = tidy_punctuation(words)
    if not has_words(words) and has_words(stem):
        return tidy_punctuation(stem)
    return words if has_words(words) else ""
