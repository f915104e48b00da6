"""What the page knows: clips, classes and strata, as JSON."""

import hashlib
import json
import re

import numpy as np

from skbst.curation._page._rows import as_list, as_number, as_text

__all__ = ["clip_records", "page_data", "sounds_of"]

_TEXTS = ("title", "tags", "description", "license", "uploader")
# nobody reads more of one, and a page of thousands stays small
_LONGEST = 5000
# each brings an excerpt of its own; shared by the clips that name it
_N_NEIGHBOURS = 3


def sounds_of(table, clips):
    """The sounds that the page needs, by name: those of the rows, then those of their neighbours."""
    if "audio" not in clips:
        return {}
    near = [name for row in _neighbours(table) for name, _, _ in row]
    sources = {
        name: clips["audio"].iat[clips.index.get_loc(name)] for name in [*table.index, *near] if name in clips.index
    }
    return {name: sound for name, sound in sources.items() if isinstance(sound, (tuple, np.ndarray)) or as_text(sound)}


def clip_records(table, clips, tops, excerpts):
    """What the page shows of each row.

    Parameters
    ----------
    table : DataFrame
        As from `review_rows`.

    clips : DataFrame
        Index of text.

    tops : sequence of str
        Top level of each row's label.

    excerpts : dict
        As from `make_excerpts`.

    Returns
    -------
    records : list of dict
    """
    texts = {
        name: [as_text(value) for value in clips[name]] for name in (*_TEXTS, "url", "label", "class") if name in clips
    }
    where = clips.index.get_indexer(table.index)
    strata = {name: number for number, name in enumerate(dict.fromkeys(table.get("stratum", [])))}
    near = _neighbours(table)
    return [
        {
            "sound_id": sound_id,
            "label": str(row["label"]),
            "top": top,
            "proba": as_number(row.get("proba_label")),
            "suggestions": [{"code": code, "proba": proba} for code, proba in row["suggestions"]],
            "set": _codes(row.get("set")),
            "node": as_text(row.get("node")),
            "reason": _cut(as_text(row.get("reason"))),
            "neighbours": [_neighbour(*each, clips.index, texts, excerpts) for each in near[number]],
            "stratum": strata.get(row.get("stratum"), -1),
            **{name: _cut(texts[name][where[number]]) if name in texts else "" for name in _TEXTS[:4]},
            # whole, since packs are told apart by it
            "uploader": texts["uploader"][where[number]] if "uploader" in texts else "",
            "url": _link(texts["url"][where[number]]) if "url" in texts else "",
            **_heard(sound_id, excerpts, as_text(row.get("problem"))),
        }
        for number, (row, sound_id, top) in enumerate(zip(table.to_dict("records"), table.index, tops, strict=True))
    ]


def page_data(records, table, taxonomy):
    """The whole of it; the name under which the browser keeps decisions follows from the clips and their labels."""
    version = hashlib.sha256(json.dumps([[clip["sound_id"], clip["label"]] for clip in records]).encode()).hexdigest()
    strata = {}
    if {"stratum", "n_stratum"} <= set(table):
        strata = dict(zip(table["stratum"].tolist(), table["n_stratum"].tolist()))
    leaves = taxonomy.leaves.tolist()
    return {
        "id": version[:16],
        "clips": records,
        "classes": [
            {
                "code": str(code),
                "top": str(top),
                "name": taxonomy.leaf_names[code],
                "description": taxonomy.leaf_descriptions[code],
            }
            for code, top in zip(leaves, taxonomy.top_of(leaves).tolist())
        ],
        "tops": {str(code): taxonomy.top_names[code] for code in taxonomy.tops.tolist()},
        "strata": [{"name": str(name), "size": int(size)} for name, size in strata.items()],
    }


def _neighbours(table):
    """Name, label and note of the first neighbours of each row; what is almost equal comes first."""
    cells = table["neighbours"] if "neighbours" in table else [None] * len(table)
    equals = table["near_duplicate"] if "near_duplicate" in table else [None] * len(table)
    rows = []
    for cell, equal in zip(cells, equals, strict=True):
        near = [_named(each) for each in as_list(cell)]
        if as_text(equal):
            near = [(as_text(equal), "", "almost equal")] + [each for each in near if each[0] != as_text(equal)]
        rows.append(near[:_N_NEIGHBOURS])
    return rows


def _named(neighbour):
    if isinstance(neighbour, dict):
        return tuple(as_text(neighbour.get(name)) for name in ("name", "label", "note"))
    return as_text(neighbour), "", ""


def _neighbour(name, label, note, known, texts, excerpts):
    title = name
    if name in known:
        at = known.get_loc(name)
        title = texts["title"][at] if "title" in texts and texts["title"][at] else name
        label = label or next((texts[column][at] for column in ("label", "class") if column in texts), "")
    files = excerpts.get(name, {})
    heard = {"sound": files.get("sound", ""), "picture": files.get("picture", "")}
    return {"title": title[:200], "label": label, "note": note, **heard}


def _heard(sound_id, excerpts, problem):
    files = excerpts.get(sound_id, {"sound": "", "picture": "", "problem": ""})
    return {"sound": files["sound"], "picture": files["picture"], "problem": problem or files["problem"]}


def _codes(value):
    """The classes of a set, written as label_library does or as a list."""
    return re.findall(r"[^\s,]+", value) if isinstance(value, str) else [str(code) for code in as_list(value)]


def _cut(text):
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} [{len(text) - _LONGEST} more characters]"


def _link(address):
    """The address where it leads to a host; one that a browser would run, or read from this disk, is none."""
    return address if address.startswith(("https://", "http://")) else ""
