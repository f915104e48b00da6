"""A person's decisions: read from a file, and taken over into the labels."""

import json

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbst._paths import absolute_path, open_regular
from skbst.curation._page import text_index
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST

__all__ = ["apply_review", "read_review"]

_COLUMNS = ("sound_id", "label", "decision", "new_label", "who", "when", "why")
_DECISIONS = ("change", "keep", "unsure")


def read_review(*files):
    """Read decisions of one reviewer or several.

    Parameters
    ----------
    *files : str or path-like
        JSON files: a list of decisions, or a mapping with it under ``"decisions"``. Each decision maps ``sound_id``
        (text), ``label`` (the given one), ``decision`` ("change", "keep" or "unsure"), ``new_label`` (for a change),
        and optionally ``who``, ``when`` and ``why`` to text.

    Returns
    -------
    review : Bunch
        ``decisions`` : DataFrame with these columns, one row per sound, the latest of each reviewer (by ``when``; where
        a time is missing, by the order of files and rows); ``conflicts`` : DataFrame of the rows on which reviewers
        differ, which stand in no decision. Who gave no name counts as another reviewer in each file.

    Raises
    ------
    DataFormatError
        If a file is no such list, with the file and the first thing that is wrong.

    Examples
    --------
    >>> import json, tempfile, pathlib
    >>> from skbst.curation import read_review
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "review.json"
    >>> _ = file.write_text(json.dumps([{"sound_id": "7", "label": "fx-n", "decision": "change", "new_label": "ss-n"}]))
    >>> read_review(file).decisions[["sound_id", "new_label"]].values.tolist()
    [['7', 'ss-n']]
    """
    if not files:
        raise TypeError("read_review takes one file or more.")
    tables = [_read_one(absolute_path(file)) for file in files]
    # who gave no name is another reviewer in each file
    nameless = np.concatenate([np.full(len(table), number) for number, table in enumerate(tables)])
    table = pd.concat(tables, ignore_index=True)
    table["reviewer"] = np.where(table["who"] == "", nameless, -1)
    # a decision without a time stands where the files have it
    table = table.sort_values("when", kind="stable") if (table["when"] != "").all() else table
    table = table.drop_duplicates(["sound_id", "who", "reviewer"], keep="last").sort_index()
    table = table.drop(columns="reviewer")
    # numbers for names, since pandas groups by no text that is no UTF-8
    sounds = pd.factorize(table["sound_id"].to_numpy(dtype=object))[0]
    answers = table.groupby(sounds)[["decision", "new_label"]].nunique().max(axis=1)
    differ = answers.loc[sounds].to_numpy() > 1
    agreed = table[~differ].drop_duplicates("sound_id", keep="last")
    return Bunch(decisions=agreed.reset_index(drop=True), conflicts=table[differ].reset_index(drop=True))


def apply_review(y, review):
    """Take decisions over into labels; clips that nobody decided on stay as they are.

    Parameters
    ----------
    y : Series of shape (n_samples,)
        Labels; the index holds the sound_ids.

    review : Bunch or DataFrame
        What `read_review` returns, or its ``decisions``.

    Returns
    -------
    corrected : Series of shape (n_samples,)
        Labels after review, with the index of y.

    log : DataFrame
        One row per changed label: ``sound_id``, ``from``, ``to``, ``who``, ``when``, ``why``.

    Raises
    ------
    DataFormatError
        If a sound is not among the labels, stands there twice, is decided twice, or had another label when it was
        reviewed; if a decision is none; or if all labels are classes of BST and a new one is not.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.curation import apply_review
    >>> y = pd.Series(["fx-n", "fx-a"], index=["7", "9"])
    >>> decided = pd.DataFrame({"sound_id": ["7"], "label": ["fx-n"], "decision": ["change"], "new_label": ["ss-n"]})
    >>> apply_review(y, decided)[0].tolist()
    ['ss-n', 'fx-a']
    """
    decisions = review["decisions"] if isinstance(review, dict) else review
    if not isinstance(y, pd.Series):
        raise DataFormatError(f"y must be a Series with the sound_ids as index; got {type(y).__name__}.")
    decisions = decisions.reindex(columns=list(_COLUMNS), fill_value="")
    _check_table(decisions, y)
    names = text_index(y.index)
    places = names.get_indexer_for(text_index(decisions["sound_id"])) if names.is_unique else None
    if places is None:
        raise DataFormatError(f"{int(names.duplicated().sum())} sound_ids of y stand there twice; make them unique.")
    unknown = decisions["sound_id"][places < 0]
    if len(unknown):
        raise DataFormatError(
            f"{len(unknown)} of {len(decisions)} reviewed sounds are not among the labels (first: {unknown.iloc[0]!r})."
            " Pass the labels that were reviewed."
        )
    given = y.to_numpy(dtype=object)[places]
    # the page writes all labels as text
    other = np.flatnonzero([str(now) != str(then) for now, then in zip(given, decisions["label"])])
    if len(other):
        first = other[0]
        raise DataFormatError(
            f"{len(other)} of {len(decisions)} labels are not those that were reviewed (first: "
            f"{decisions['sound_id'].iloc[first]!r} was {decisions['label'].iloc[first]!r} and is {given[first]!r}). "
            "Pass the version of the labels that was reviewed."
        )
    changed = decisions["decision"].to_numpy() == "change"
    new_label = _as_in(y, decisions["new_label"][changed])
    corrected = y.copy()
    if isinstance(y.dtype, pd.CategoricalDtype):  # which takes no class that it does not know
        new = pd.Index(list(dict.fromkeys(new_label))).difference(y.cat.categories)
        corrected = corrected.cat.add_categories(new)
    corrected.iloc[places[changed]] = new_label
    log = decisions[changed].rename(columns={"label": "from", "new_label": "to"})
    return corrected, log[["sound_id", "from", "to", "who", "when", "why"]].reset_index(drop=True)


def _as_in(y, new_label):
    """The new labels as y has them: a number where y holds numbers."""
    known = {str(label): label for label in y.dropna().unique()}
    unknown = [label for label in new_label if str(label) not in known]
    if unknown and pd.api.types.is_numeric_dtype(y.dtype):
        raise DataFormatError(f"{unknown[0]!r} is the label of no other sound, and the labels are numbers.")
    return [known.get(str(label), label) for label in new_label]


def _check_table(decisions, y):
    """Refuse decisions that a table by hand may hold, and a file of the page does not."""
    names = pd.Series(text_index(decisions["sound_id"]), index=decisions.index)
    if names.duplicated().any():
        raise DataFormatError(f"{names[names.duplicated()].iloc[0]!r} is decided twice; give one decision a sound.")
    wrong = ~decisions["decision"].isin(_DECISIONS)
    if wrong.any():
        raise DataFormatError(
            f"{int(wrong.sum())} of {len(decisions)} decisions are none of {list(_DECISIONS)} (first: "
            f"{names[wrong].iloc[0]!r}, {decisions['decision'][wrong].iloc[0]!r})."
        )
    new = decisions.loc[decisions["decision"] == "change", "new_label"]
    empty = new.isna() | (new == "")
    if empty.any():
        raise DataFormatError(f"{names[new.index[empty]].iloc[0]!r} is changed, but has no new_label.")
    given = y.dropna().unique()
    if len(given) and all(isinstance(label, str) for label in given) and BST.is_leaf(given).all():
        other = [label for label in new if not str(label).endswith("-other") and not BST.is_leaf([label])[0]]
        if other:
            raise DataFormatError(
                f"{len(other)} of {len(new)} changes are to no class of the taxonomy (first: {other[0]!r}). Codes "
                f"are such as {str(BST.leaves[0])!r}."
            )


def _read_one(path):
    try:
        with open_regular(path) as file:
            content = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataFormatError(f"{path} is no JSON ({error}). Pass a file that the review page saved.") from error
    rows = content.get("decisions") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataFormatError(f"{path} must hold a list of decisions. Pass a file that the review page saved.")
    for number, row in enumerate(rows):
        _check_decision(path, number, row)
    table = pd.DataFrame(
        [{name: row.get(name, "") for name in _COLUMNS} for row in rows], columns=list(_COLUMNS), dtype=object
    )
    return table


def _check_decision(path, number, row):
    values = [row.get(name, "") for name in _COLUMNS]
    wrong = None
    if not all(isinstance(value, str) for value in values):
        wrong = "a value that is no text"
    elif not row.get("sound_id") or not row.get("label"):
        wrong = "no sound_id or label"
    elif row.get("decision") not in _DECISIONS:
        wrong = f"the decision {row.get('decision')!r}; expected one of {list(_DECISIONS)}"
    elif row["decision"] == "change" and not row.get("new_label"):
        wrong = "a change without new_label"
    if wrong:
        raise DataFormatError(f"{path}: decision {number} has {wrong}.")
