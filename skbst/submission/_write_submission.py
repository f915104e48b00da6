"""Write the files of a submission."""

import os
from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd
import yaml

from skbst._files import scratch_folder
from skbst._paths import absolute_path
from skbst._sklearn import Interval, validate_params
from skbst._tables import id_text
from skbst.exceptions import DataFormatError
from skbst.submission._development_results import development_results
from skbst.submission._format import (
    DESCRIPTION_KEYS,
    META_SUFFIX,
    OUTPUT_COLUMNS,
    OUTPUT_SUFFIX,
    SCORE_COLUMN,
    submission_label,
)
from skbst.submission._measure_complexity import measure_complexity
from skbst.submission._verify_submission import verify_submission
from skbst.taxonomy import BST, Taxonomy

__all__ = ["write_submission"]


@validate_params(
    {
        "folder": [str, os.PathLike],
        "y_pred": ["array-like"],
        "team": [str],
        "system": [Interval(Integral, 1, 4, closed="both")],
        "name": [str],
        "abbreviation": [str],
        "authors": [list],
        "description": [dict],
        "development": [dict],
        "complexity": [dict, None],
        "estimator": "no_validation",
        "X": "no_validation",
        "ids": ["array-like", None],
        "prediction_score": ["array-like", None],
        "source_code": [str, None],
        "external_datasets": [dict, list, None],
        "evaluation": ["array-like", str, os.PathLike, None],
        "taxonomy": [Taxonomy],
        "development_dataset": [str],
    },
    prefer_skip_nested_validation=True,
)
def write_submission(
    folder,
    y_pred,
    *,
    team,
    system,
    name,
    abbreviation,
    authors,
    description,
    development,
    complexity=None,
    estimator=None,
    X=None,
    ids=None,
    prediction_score=None,
    source_code=None,
    external_datasets=None,
    evaluation=None,
    taxonomy=BST,
    development_dataset="bsd10k-v1.2",
):
    """Write the output and the meta information of one system for DCASE 2026 Task 1.

    The two files, ``{team}_task1_{system}.output.csv`` and ``.meta.yaml``, are checked by `verify_submission`; if a
    rule is broken, nothing is left behind.

    Parameters
    ----------
    folder : str or path-like
        Where to write; created if missing. The challenge's package has one folder per system,
        ``task1/{team}_task1_{system}``.

    y_pred : array-like of shape (n_samples,)
        Class codes predicted for the evaluation set. A Series brings its ids as its index.

    team : str
        Last name of the corresponding author and abbreviation of the institute, such as "Huang_WHU".

    system : int
        Number of the system, 1 to 4.

    name : str
        Full name of the system.

    abbreviation : str
        At most 10 characters.

    authors : list of dict
        Each with ``lastname``, ``firstname``, ``email`` and ``affiliation`` (a dict: abbreviation, institute,
        department, location); one with ``corresponding=True``.

    description : dict
        Any of ``input_sampling_rate``, ``summary``, ``audio_representation``, ``text_representation``,
        ``data_augmentation``, ``machine_learning_method``, ``external_data_usage``, ``hierarchical_setting``; those
        left out are written as null.

    development : dict
        ``y_true``, ``y_pred`` and optionally ``folds``: cross-validated predictions on the development data, from
        which the overall and the class-wise results are computed.

    complexity : dict, default=None
        ``total_parameters`` and ``MACS``; None counts those of `estimator`, by `measure_complexity`, which says what
        is counted.

    estimator : object, default=None
        The fitted system, to count its parameters.

    X : array-like of shape (n_samples, ...), default=None
        A few rows of the evaluation set, which `estimator` predicts to count its operations; None writes null for them.

    ids : array-like of shape (n_samples,), default=None
        Ids of the evaluation set, as its metadata has them; None takes the index of `y_pred`.

    prediction_score : array-like of shape (n_samples,), default=None
        In [0, 1], such as ``predict_proba(X).max(axis=1)``; None leaves the column out.

    source_code : str, default=None
        Address of the code.

    external_datasets : dict or list, default=None
        Data that were used beside the development data.

    evaluation : array-like of str, or path, default=None
        The ids that must be there, or the folder of the evaluation set; None takes those that are written.

    taxonomy : Taxonomy, default=BST
        The classes.

    development_dataset : str, default="bsd10k-v1.2"
        Name of the data set of `development`.

    Returns
    -------
    output, meta : Path
        The two files.

    Raises
    ------
    DataFormatError
        If a rule is broken; the message lists all that are.
    """
    label = submission_label(team, system)
    table = _output_table(y_pred, ids, prediction_score)
    if complexity is None:
        if estimator is None:
            raise DataFormatError("Pass complexity=, or the fitted estimator= to count its parameters.")
        complexity = measure_complexity(estimator, X)
    unknown = sorted(set(description) - set(DESCRIPTION_KEYS))
    if unknown:
        raise DataFormatError(f"description has unknown key(s) {unknown}; known are {list(DESCRIPTION_KEYS)}.")
    meta = {
        "submission": {"label": label, "name": name, "abbreviation": abbreviation, "authors": authors},
        "system": {
            "source_code": source_code,
            "description": {key: description.get(key) for key in DESCRIPTION_KEYS},
            "complexity": {"total_parameters": complexity.get("total_parameters"), "MACS": complexity.get("MACS")},
            "external_datasets": external_datasets,
        },
        "results": {
            "development_datasets": {development_dataset: development_results(**development, taxonomy=taxonomy)}
        },
    }
    folder = absolute_path(folder)
    check = {"taxonomy": taxonomy, "development_dataset": development_dataset}
    check["evaluation"] = table["id"].tolist() if evaluation is None else evaluation
    return _write_checked(folder, label, table, meta, check)


def _as_plain(value):
    """The same in Python's own types, since YAML knows neither NumPy's numbers and arrays, nor tuples and paths."""
    if isinstance(value, Mapping):
        return {_as_plain(key): _as_plain(item) for key, item in value.items()}
    if isinstance(value, np.floating):
        # by its shortest decimal: 0.1 of float32, not 0.10000000149011612
        return float(str(value))
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return _as_plain(value.item())
    if isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series):
        return [_as_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return str(value) if isinstance(value, str) else None if value is pd.NA else value


def _as_yaml(meta):
    try:
        return yaml.safe_dump(_as_plain(meta), sort_keys=False, allow_unicode=True, width=100)
    except yaml.representer.RepresenterError as error:
        strange = error.args[-1]
        raise DataFormatError(
            f"The meta information holds {strange!r} of type {type(strange).__name__}, which YAML cannot write; pass "
            "text, numbers, lists and dicts."
        ) from error


def _output_table(y_pred, ids, prediction_score):
    if ids is None:
        if not isinstance(y_pred, pd.Series):
            raise DataFormatError("Pass ids=, or y_pred as a Series whose index holds the ids.")
        ids = y_pred.index
    columns = {OUTPUT_COLUMNS[0]: _names(ids), OUTPUT_COLUMNS[1]: np.asarray(y_pred).astype(str)}
    if prediction_score is not None:
        columns[SCORE_COLUMN] = np.asarray(prediction_score, dtype=float).round(6)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataFormatError(f"The columns differ in length: {lengths}.")
    return pd.DataFrame(columns)


def _names(ids):
    """Ids as a table of sounds spells them; one that is missing names nothing."""
    # an array of a list would make the text "nan" of a NaN beside text
    names = [id_text(sound_id) for sound_id in ids]
    missing = [row for row, name in enumerate(names) if not name.strip()]
    if missing:
        raise DataFormatError(f"{len(missing)} of {len(names)} ids are missing (first: position {missing[0]}).")
    return np.array(names)


def _write_checked(folder, label, table, meta, check):
    """Write beside the target and move both files only when they are right."""
    output, meta_file = folder / f"{label}{OUTPUT_SUFFIX}", folder / f"{label}{META_SUFFIX}"
    with scratch_folder(folder / label) as scratch:
        new_output, new_meta = scratch / output.name, scratch / meta_file.name
        table.to_csv(new_output, index=False, encoding="utf-8", lineterminator="\n")
        new_meta.write_text(_as_yaml(meta), encoding="utf-8")
        problems = verify_submission(new_output, on_problem="return", **check)
        if problems:
            listed = "\n- ".join(problems).replace(str(scratch), str(folder))
            raise DataFormatError(f"Nothing was written because of {len(problems)} problem(s):\n- {listed}")
        os.replace(new_output, output)
        os.replace(new_meta, meta_file)
    return output, meta_file
