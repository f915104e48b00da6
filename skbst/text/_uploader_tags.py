"""Tags that only say who uploaded."""

from skbst.text._tags import split_tags

__all__ = ["find_uploader_tags", "squash"]


def find_uploader_tags(tags, uploaders):
    """Find tags that are the name of the uploader who uses them.

    Parameters
    ----------
    tags : sequence of str
        Tags of each clip, as they were written.

    uploaders : sequence of str or None
        Who uploaded each; None where nobody knows.

    Returns
    -------
    own : list of str
        Squashed tags, sorted; names of fewer than three letters are no reason to drop a tag.

    Examples
    --------
    >>> from skbst.text._uploader_tags import find_uploader_tags
    >>> find_uploader_tags(["rain,Sandy-RB", "sandyrb,wind"], ["sandyrb", "bob"])
    ['sandyrb']
    """
    if uploaders is None:
        return []
    own = set()
    for text, name in zip(tags, uploaders):
        squashed = squash(name or "")
        if len(squashed) >= 3:
            own.update(squash(tag) for tag in split_tags(text) if squash(tag) == squashed)
    return sorted(own)


def squash(text):
    """Letters and digits alone, in lower case: how tags and names are compared."""
    return "".join(char for char in str(text).casefold() if char.isalnum())
