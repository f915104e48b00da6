"""From cleaned fields to one text of limited length."""

import re

__all__ = ["approximate_token_count", "join_fields", "truncate_fields"]

_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")
_ENDS = (".", "!", "?", "…", "。", "！", "？")


def approximate_token_count(text):
    """Estimate how many tokens a byte-pair encoder makes of a text, start and end marks included.

    A word of ASCII letters counts one token for its first six letters and one for every four more, a digit and a
    mark one each, a letter outside ASCII one and a half. The estimate leans high: see the user guide for
    how it compares with a real tokenizer.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    n_tokens : int

    Examples
    --------
    >>> from skbst.text import approximate_token_count
    >>> approximate_token_count("Rain on a roof. rain, wind")
    10
    """
    n_tokens = 2.0
    for piece in _PIECE.findall(text):
        if piece.isascii():
            n_tokens += 1 + max(0, -(-(len(piece) - 6) // 4))
        else:
            n_tokens += 1.5 * len(piece)
    return int(-(-n_tokens // 1))


def join_fields(title="", terms=(), description=""):
    """Write the fields of a clip as one text: title, tags, description.

    The form is ``"{title}. {tags}. {description}"``. Tags are joined by ``", "``. An empty field leaves no trace; a
    field that ends a sentence gets no second full stop.

    Parameters
    ----------
    title : str, default=""
        Cleaned title.

    terms : sequence of str, default=()
        Cleaned tags.

    description : str, default=""
        Cleaned description.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst.text import join_fields
    >>> join_fields("Rain on a roof", ["rain", "roof"], "It pours!")
    'Rain on a roof. rain, roof. It pours!'
    >>> join_fields("Rain!", [], "")
    'Rain!'
    """
    parts = [part for part in (title, ", ".join(terms), description) if part]
    return " ".join([part if part.endswith(_ENDS) else part + "." for part in parts[:-1]] + parts[-1:])


def truncate_fields(title, terms, description, *, max_tokens=77, token_counter=approximate_token_count):
    """Join fields and keep what fits: the title first, then tags, then the description.

    Words of the description go first, from its end; then whole tags, from the last; then words of the title.

    Parameters
    ----------
    title : str
        Cleaned title.

    terms : sequence of str
        Cleaned tags.

    description : str
        Cleaned description.

    max_tokens : int or None, default=77
        Largest number of tokens, start and end marks included; None keeps all.

    token_counter : callable, default=approximate_token_count
        Takes a text, returns its number of tokens. A real one, such as
        ``lambda text: len(tokenizer(text)["input_ids"])``, makes the limit exact.

    Returns
    -------
    text : str
        At least the first word.

    Examples
    --------
    >>> from skbst.text import truncate_fields
    >>> truncate_fields("Rain", ["rain", "wind"], "It pours all night", max_tokens=10)
    'Rain. rain, wind. It pours'
    """
    whole = join_fields(title, terms, description)
    if max_tokens is None or token_counter(whole) <= max_tokens:
        return whole
    units = [("title", word) for word in title.split()] + [("tag", term) for term in terms]
    units += [("description", word) for word in description.split()]
    fits, too_many = 1, len(units)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if token_counter(_join_units(units[:middle])) <= max_tokens:
            fits = middle
        else:
            too_many = middle
    return _join_units(units[:fits])


def _join_units(units):
    fields = {"title": [], "tag": [], "description": []}
    for field, unit in units:
        fields[field].append(unit)
    return join_fields(" ".join(fields["title"]), fields["tag"], " ".join(fields["description"]))
