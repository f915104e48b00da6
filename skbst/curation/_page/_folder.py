"""The page's folder: nobody's file is overwritten or removed but those of an earlier page."""

import re

from skbst._files import write_atomically
from skbst._paths import absolute_path
from skbst.exceptions import DataFormatError

__all__ = ["finish", "own_folder", "remove_left_overs"]

_MARK = '<meta name="generator" content="skbst review_page">'
_OURS = re.compile(r"\d{5}\.(ogg|wav|png)")


def own_folder(out):
    """Make the folder, or take over that of an earlier page; a stranger's folder is left as it is."""
    out = absolute_path(out)
    page, sounds = out / "index.html", out / "sounds"
    if out.exists() and not out.is_dir():
        raise DataFormatError(f"{out} is a file. Pass a folder.")
    ours = page.is_file() and _MARK in _beginning(page)
    if out.is_dir() and any(out.iterdir()) and not ours:
        raise DataFormatError(f"{out} holds something else. Pass an empty folder, or that of an earlier review page.")
    if sounds.is_symlink() or (sounds.exists() and not sounds.is_dir()):
        raise DataFormatError(f"{sounds} is no folder of an earlier page. Pass an empty folder.")
    sounds.mkdir(parents=True, exist_ok=True)
    # the earlier page's sounds are about to change under it
    write_atomically(page, f"<!doctype html>{_MARK}<title>Unfinished</title><p>This page is being made.")
    return out


def finish(out, html):
    """Put the page into its folder."""
    write_atomically(out / "index.html", html)
    return out / "index.html"


def remove_left_overs(out, used):
    """Remove the excerpts of an earlier page that this one does not use; other files stay."""
    for path in (out / "sounds").iterdir():
        if _OURS.fullmatch(path.name) and f"sounds/{path.name}" not in used:
            path.unlink(missing_ok=True)


def _beginning(page):
    with open(page, encoding="utf-8", errors="replace") as file:
        return file.read(1000)
