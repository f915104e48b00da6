"""A page on disk to look, listen and decide."""

import base64
import hashlib
import json
from pathlib import Path

import pandas as pd

from skbst._files import write_atomically
from skbst._paths import absolute_path
from skbst.curation._excerpt import write_excerpt
from skbst.exceptions import DataFormatError
from skbst.taxonomy import resolve_taxonomy

__all__ = ["review_page"]

_PARTS = Path(__file__).parent / "_page"
_SECONDS = 10.0
_TEXTS = ("title", "tags", "description", "license", "uploader")


def review_page(table, clips, out, *, taxonomy=None, limit=None):
    """Write a folder with a page on which a person listens to clips and decides about their labels.

    The page opens from disk without a server and asks no host for anything. Decisions stay in the browser and are
    saved as a file that `read_review` reads.

    Parameters
    ----------
    table : DataFrame
        Rows to review, in this order; the index holds the sound_ids. Column ``label``; optionally ``suggestion``,
        ``proba_label``, ``proba_suggestion``, ``reason`` and ``neighbours``, such as ``LabelAudit.ranking_`` has them.

    clips : DataFrame
        The same sound_ids as index; columns ``audio`` (path), ``title``, ``tags``, ``description``, ``license`` and
        ``uploader``, each optional. A sound that cannot be decoded is shown without a player.

    out : str or path-like
        Folder; made if needed.

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
        If a column or a sound is missing, or a sound_id stands twice.

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
    table = table if limit is None else table.iloc[:limit]
    _check(table, clips)
    labels = table["label"].astype(str)
    suggestions = table["suggestion"].dropna().astype(str) if "suggestion" in table else pd.Series(dtype=str)
    taxonomy = resolve_taxonomy(taxonomy, pd.unique(pd.concat([labels, suggestions])))
    out = absolute_path(out)
    (out / "sounds").mkdir(parents=True, exist_ok=True)
    tops = taxonomy.top_of(labels.to_numpy()).tolist()
    rows = zip(table.to_dict("records"), clips.loc[table.index].to_dict("records"), table.index, tops, strict=True)
    shown = [_clip(number, *row, out) for number, row in enumerate(rows)]
    version = hashlib.sha256(json.dumps([[clip["sound_id"], clip["label"]] for clip in shown]).encode()).hexdigest()
    data = {"id": version[:16], "clips": shown, "classes": _classes(taxonomy)}
    write_atomically(out / "index.html", _html(data))
    return out / "index.html"


def _check(table, clips):
    if "label" not in table:
        raise DataFormatError(f"The table needs a column 'label'; it has {list(table.columns)}.")
    if not table.index.map(str).is_unique or not clips.index.is_unique:
        raise DataFormatError("A sound_id stands twice in the table or the clips; make the index unique.")
    missing = table.index.difference(clips.index, sort=False)
    if len(missing):
        raise DataFormatError(f"{len(missing)} of {len(table)} rows have no clip (first: {missing[0]!r}).")


def _clip(number, row, clip, sound_id, top, out):
    # numbered names: a stranger's id never becomes a file name
    sound, picture = f"sounds/{number:05d}.ogg", f"sounds/{number:05d}.png"
    source = clip.get("audio")
    known = source is not None and not (isinstance(source, float) and pd.isna(source))
    heard = known and write_excerpt(source, out / sound, out / picture, _SECONDS)
    neighbours = row.get("neighbours")
    return {
        "sound_id": str(sound_id),
        "label": str(row["label"]),
        "top": top,
        "suggestion": _text(row.get("suggestion")),
        "proba": _probabilities(row),
        "reason": _text(row.get("reason")),
        "neighbours": ", ".join(map(str, neighbours)) if isinstance(neighbours, list) else _text(neighbours),
        "sound": sound if heard else "",
        "picture": picture if heard else "",
        **{name: _text(clip.get(name)) for name in _TEXTS},
    }


def _text(value):
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None or pd.isna(value) else str(value)


def _probabilities(row):
    given, other = row.get("proba_label"), row.get("proba_suggestion")
    return "" if pd.isna(given) or pd.isna(other) else f"{other:.0%} against {given:.0%}"


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
