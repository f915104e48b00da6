"""A page on disk to look, listen and decide."""

import base64
import hashlib
import json
from functools import partial
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd

from skbst._files import write_atomically
from skbst._paths import absolute_path
from skbst.curation._excerpt import write_excerpt
from skbst.curation._review_rows import as_list, as_text, review_rows
from skbst.exceptions import DataFormatError
from skbst.taxonomy import resolve_taxonomy

__all__ = ["review_page"]

_PARTS = Path(__file__).parent / "_page"
_SECONDS = 10.0
_TEXTS = ("title", "tags", "description", "license", "uploader")
# each brings an excerpt of its own; shared by the clips that name it
_N_NEIGHBOURS = 3
_MARK = '<meta name="generator" content="skbst review_page">'


def review_page(table, clips, out, *, taxonomy=None, limit=None):
    """Write a folder with a page on which a person listens to clips and decides about their labels.

    The page opens from disk without a server and asks no host for anything. Decisions stay in the browser and are
    saved as a file that `read_review` reads.

    Parameters
    ----------
    table : DataFrame
        Rows to review; the index, or a column ``sound_id``, holds the sound_ids. Either, in the order given, ``label``
        and optionally ``suggestion``, ``proba_label``, ``proba_suggestion``, ``reason`` and ``neighbours``, such as
        ``LabelAudit.ranking_`` has them; or what ``label_library`` wrote (``predicted``, ``proba``, ``class_2``,
        ``proba_2``, ``set``, ``node``, ``reason``, ``problem``), which is shown least sure first.

    clips : DataFrame
        The same sound_ids as index; columns ``audio`` (path), ``title``, ``tags``, ``description``, ``license``,
        ``url`` and ``uploader``, each optional. A sound that cannot be decoded is shown without a player. The first 3
        neighbours of a row that are among the clips can be heard beside it.

    out : str or path-like
        Folder; made if needed. One that holds something else than an earlier page is refused and left as it is.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    limit : int, default=None
        How many rows of the table are shown; None shows all.

    Returns
    -------
    page : Path
        The page, ``out/index.html``.

    Raises
    ------
    DataFormatError
        If a column, label or sound is missing, a sound_id stands twice, or `out` holds something else.

    ValueError
        If `limit` is no number of rows.

    Warns
    -----
    AudioDecodeWarning
        If a sound cannot be decoded.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from skbst.curation import review_page
    >>> table = pd.DataFrame({"label": ["fx-a"], "suggestion": ["fx-n"]}, index=["7"])
    >>> clips = pd.DataFrame({"title": ["<b>door</b>"]}, index=["7"])
    >>> review_page(table, clips, tempfile.mkdtemp()).name
    'index.html'
    """
    if limit is not None and (not isinstance(limit, Integral) or limit < 1):
        raise ValueError(f"limit is a number of rows from 1, or None; got {limit!r}.")
    table = review_rows(table).iloc[:limit]
    _check(table, clips)
    labels = table["label"].astype(str)
    suggestions = table["suggestion"].dropna().astype(str) if "suggestion" in table else pd.Series(dtype=str)
    taxonomy = resolve_taxonomy(taxonomy, pd.unique(pd.concat([labels, suggestions])))
    tops = taxonomy.top_of(labels.to_numpy()).tolist()
    out = _own_folder(absolute_path(out))
    rows = zip(table.to_dict("records"), table.index, tops, strict=True)
    sounds = {}
    shown = [_clip(*row, clips, partial(_excerpt, sounds, clips, out)) for row in rows]
    version = hashlib.sha256(json.dumps([[clip["sound_id"], clip["label"]] for clip in shown]).encode()).hexdigest()
    data = {"id": version[:16], "clips": shown, "classes": _classes(taxonomy), "tops": taxonomy.top_names}
    write_atomically(out / "index.html", _html(data))
    return out / "index.html"


def _check(table, clips):
    if not clips.index.is_unique:
        raise DataFormatError("A sound_id stands twice in the clips; make the index unique.")
    missing = table.index.difference(clips.index, sort=False)
    if len(missing):
        raise DataFormatError(
            f"{len(missing)} of {len(table)} rows have no clip (first: {missing[0]!r}; the clips have such as "
            f"{clips.index[0] if len(clips) else None!r})."
        )


def _own_folder(out):
    """Make the folder, or take over that of an earlier page; a stranger's folder is left as it is."""
    page = out / "index.html"
    if out.is_dir() and any(out.iterdir()) and not (page.is_file() and _MARK in _beginning(page)):
        raise DataFormatError(f"{out} holds something else. Pass an empty folder, or that of an earlier review page.")
    (out / "sounds").mkdir(parents=True, exist_ok=True)
    # the earlier page's sounds are about to change under it
    write_atomically(page, f"<!doctype html>{_MARK}<title>Unfinished</title><p>This page is being made.")
    return out


def _beginning(page):
    with open(page, encoding="utf-8", errors="replace") as file:
        return file.read(1000)


def _excerpt(sounds, clips, out, sound_id):
    """The excerpt of a clip and its picture, made when first asked for; "" and "" where it cannot be heard."""
    if sound_id not in sounds:
        # numbered names: a stranger's id never becomes a file name
        name = f"sounds/{len(sounds):05d}"
        source = clips.loc[sound_id, "audio"] if "audio" in clips else None
        known = isinstance(source, (tuple, np.ndarray)) or as_text(source) != ""
        ends = write_excerpt(source, out / name, _SECONDS) if known else ("", "")
        sounds[sound_id] = tuple(end and name + end for end in ends)
    return sounds[sound_id]


def _clip(row, sound_id, top, clips, excerpt):
    clip = clips.loc[sound_id]
    sound, picture = excerpt(sound_id)
    return {
        "sound_id": str(sound_id),
        "label": str(row["label"]),
        "top": top,
        "suggestion": as_text(row.get("suggestion")),
        "proba": _probabilities(row),
        "reason": as_text(row.get("reason")),
        "neighbours": [_neighbour(name, clips, excerpt) for name in as_list(row.get("neighbours"))[:_N_NEIGHBOURS]],
        "sound": sound,
        "picture": picture,
        **{name: as_text(clip.get(name)) for name in _TEXTS},
        "url": _link(as_text(clip.get("url"))),
    }


def _neighbour(name, clips, excerpt):
    if name not in clips.index:
        return {"title": str(name), "sound": ""}
    clip = clips.loc[name]
    label = next((as_text(clip[column]) for column in ("label", "class") if column in clip), "")
    title = as_text(clip.get("title"))[:200] or str(name)
    return {"title": f"{title} ({label})" if label else title, "sound": excerpt(name)[0]}


def _link(address):
    """The address where it leads to a host; one that a browser would run, or read from this disk, is none."""
    return address if address.startswith(("https://", "http://")) else ""


def _probabilities(row):
    given, other = row.get("proba_label"), row.get("proba_suggestion")
    if given is None or pd.isna(given):
        return ""
    return f"given {given:.0%}" if other is None or pd.isna(other) else f"{other:.0%} against {given:.0%}"


def _classes(taxonomy):
    return [
        {"code": str(code), "name": taxonomy.leaf_names[code], "description": taxonomy.leaf_descriptions[code]}
        for code in taxonomy.leaves.tolist()
    ]


def _html(data):
    page, style, script = ((_PARTS / f"page.{end}").read_text(encoding="utf-8") for end in ("html", "css", "js"))
    # only our own style and script run; no address but files beside the page is allowed
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
    # in JSON these only stand inside of text, where the escape means the same; ASCII keeps marks of direction inert
    safe = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    page = page.replace("{policy}", policy).replace("{style}", style).replace("{script}", script)
    return page.replace("{data}", safe)


def _digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
