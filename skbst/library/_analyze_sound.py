"""One sound in, one JSON out, whatever happens: the contract of a sound platform's analyzers."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from skbst._files import write_atomically
from skbst._paths import absolute_path, open_regular, printable
from skbst._sklearn import validate_params
from skbst._version import __version__
from skbst.exceptions import DataFormatError
from skbst.library._answers import answer, taxonomy_of
from skbst.library._model import identity_of, open_model
from skbst.taxonomy import BST

__all__ = ["analyze_sound"]

_ANALYZER = "skbst"
# formats that platforms hold and libsndfile has no reader for
_OTHER_FORMATS = frozenset([".m4a", ".mp4", ".aac", ".wma", ".webm", ".amr", ".ape", ".wv", ".ra", ".mid", ".midi"])
_TEXTS = ("title", "tags", "description")
# file systems take 255 bytes, and ".json" follows
_LONGEST_NAME = 200


@validate_params(
    {
        "sound": [str, os.PathLike],
        "metadata": [str, os.PathLike, dict, None],
        "out_folder": [str, os.PathLike],
    },
    prefer_skip_nested_validation=True,
)
def analyze_sound(model, sound, out_folder, *, metadata=None):
    """Label one sound into one JSON file, which is written whatever goes wrong.

    Parameters
    ----------
    model : classifier, str or path-like
        As in `label_library`.

    sound : str or path-like
        The sound file.

    out_folder : str or path-like
        Where ``NAME.json`` is written, NAME being the ``id`` of the metadata, else the file name without its extension.
        The file appears whole; an older answer of this function is replaced, no other file is.

    metadata : dict, str or path-like, default=None
        What people wrote about the sound, or a JSON file that holds it: ``id`` (or ``sound_id``), ``title`` (or
        ``name``), ``tags`` (a list, or text with commas), ``description``. All may be missing.

    Returns
    -------
    result : dict
        What stands in the file. ``status`` is "ok"; "skipped", where the sound is in a format that libsndfile has no
        reader for; or "failed", with ``error`` in words. ``predicted``, ``top``, ``proba``; ``probabilities`` and
        ``top_probabilities`` by code; ``set``, ``node`` and ``reason`` of conformal models; ``problem``, what is odd
        about a sound that was read. ``model``, ``taxonomy`` and ``skbst`` say what answered.

    Raises
    ------
    OSError
        If the JSON cannot be written, or a file of its name is not from here.

    Examples
    --------
    >>> import tempfile
    >>> from skbst.library import analyze_sound
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = analyze_sound(f"{folder}/no-model", "dog.wav", folder)
    >>> result["status"], result["error"].partition("/")[0]
    ('failed', 'FileNotFoundError: ')
    """
    out_folder = absolute_path(out_folder)
    result = {"analyzer": _ANALYZER, "skbst": __version__, "status": "failed", "sound": printable(sound)}
    name = Path(sound).stem
    try:
        texts = _read_metadata(metadata)
        name = texts["id"] or name
        result["sound_id"] = printable(name)
        result |= _analyze(model, absolute_path(sound), texts)
    except Exception as error:  # the platform gets a status, never a traceback
        result["error"] = printable(f"{type(error).__name__}: {error}")
    _write(result, out_folder, _as_file_name(name))
    return result


def _analyze(model, sound, texts):
    place = printable(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
    identity, model = identity_of(model), open_model(model)
    taxonomy = taxonomy_of(model)
    about = {
        "model": {"name": place, "content": identity},
        "taxonomy": {"name": _name_of(taxonomy), "version": _version_of(taxonomy)},
    }
    if sound.suffix.lower() in _OTHER_FORMATS:
        return about | {"status": "skipped", "error": f"{sound.suffix} is no format that libsndfile reads."}
    clips = pd.DataFrame({"audio": pd.Series([str(sound)], dtype=object)})
    for column in _TEXTS:
        clips[column] = pd.Series([texts[column]], dtype="str")
    clips.index = pd.Index([printable(sound.name)], dtype="str", name="sound_id")
    table, silent = answer(model, clips, taxonomy, n_candidates=len(model.classes_))
    row = table.iloc[0]
    if silent[0]:
        return about | {"error": f"the sound cannot be read: {row['problem']}", "problem": row["problem"]}
    return about | {"status": "ok"} | _as_result(row, taxonomy, len(model.classes_))


def _as_result(row, taxonomy, n_classes):
    proba = {str(row[f"class_{rank}"]): float(row[f"proba_{rank}"]) for rank in range(1, n_classes + 1)}
    if not np.isfinite(list(proba.values())).all():
        raise DataFormatError("the model gave probabilities that are no numbers; JSON has no word for them.")
    tops = {}
    for code, top in zip(proba, taxonomy.top_of(np.array(list(proba)))):
        tops[str(top)] = tops.get(str(top), 0.0) + proba[code]
    found = {name: str(row[name]) for name in ("predicted", "top", "node", "reason", "problem") if name in row}
    if "set" in row:
        found["set"] = row["set"].split()
    return found | {"proba": float(row["proba"]), "probabilities": proba, "top_probabilities": tops}


def _read_metadata(metadata):
    """id, title, tags and description as text, "" where there is none."""
    if isinstance(metadata, (str, os.PathLike)):
        path = absolute_path(metadata)
        try:
            with open_regular(path) as file:
                metadata = json.loads(file.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise DataFormatError(f"{path} is not a UTF-8 JSON file ({error}).") from error
    metadata = {} if metadata is None else metadata
    if not isinstance(metadata, dict):
        kind = type(metadata).__name__
        raise DataFormatError(f"metadata must be a JSON object with title, tags, description; got a {kind}.")
    texts = {
        "id": metadata.get("id", metadata.get("sound_id")),
        "title": metadata.get("title", metadata.get("name")),
        "tags": metadata.get("tags"),
        "description": metadata.get("description"),
    }
    return {name: _as_text(name, value) for name, value in texts.items()}


def _as_text(name, value):
    if name == "tags" and isinstance(value, (list, tuple)):
        return ", ".join(_as_text("a tag", tag) for tag in value)
    if value is not None and not isinstance(value, (str, int, float)):
        raise DataFormatError(f"metadata: {name} must be text; got a {type(value).__name__}.")
    return "" if value is None else printable(str(value))


def _as_file_name(name):
    """A name that every file system takes; a long one is cut, and told from others by its hash."""
    name = "".join("_" if letter in '/\\:*?"<>|\0' or ord(letter) < 32 else letter for letter in name)
    content = os.fsencode(name)
    if len(content) > _LONGEST_NAME:
        # cut between letters
        kept = content[: _LONGEST_NAME - 17].decode("utf-8", "ignore")
        name = f"{kept}-{hashlib.sha256(content).hexdigest()[:16]}"
    return name if name.strip(". ") else "sound"


def _name_of(taxonomy):
    return "Broad Sound Taxonomy" if _version_of(taxonomy) == _version_of(BST) else "own"


def _version_of(taxonomy):
    """Changes with the classes and their top levels."""
    tree = sorted((str(leaf), str(top)) for leaf, top in zip(taxonomy.leaves, taxonomy.top_of(taxonomy.leaves)))
    return f"{len(tree)} classes, {hashlib.sha256(json.dumps(tree).encode()).hexdigest()[:12]}"


def _write(result, folder, name):
    target = folder / f"{name}.json"
    if target.exists() and not _is_ours(target):
        raise FileExistsError(f"{target} exists and was not written by skbst; it is left. Give another folder.")
    write_atomically(target, json.dumps(result, indent=1, ensure_ascii=True), sync=False)


def _is_ours(path):
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("analyzer") == _ANALYZER
    except (OSError, ValueError, AttributeError):
        return False
