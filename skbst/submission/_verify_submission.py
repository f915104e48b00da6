"""Check the files of a submission."""

import os
import warnings
from collections import Counter

from skbst._paths import absolute_path
from skbst._sklearn import StrOptions, validate_params
from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.submission._check_meta_yaml import check_meta_yaml
from skbst.submission._check_output_csv import check_output_csv
from skbst.submission._format import LABEL_PATTERN, MAX_SYSTEMS, META_SUFFIX, OUTPUT_SUFFIX
from skbst.taxonomy import BST, Taxonomy

__all__ = ["verify_submission"]


@validate_params(
    {
        "path": [str, os.PathLike],
        "evaluation": ["array-like", str, os.PathLike, None],
        "taxonomy": [Taxonomy],
        "development_dataset": [str],
        "on_problem": [StrOptions({"raise", "return"})],
    },
    prefer_skip_nested_validation=True,
)
def verify_submission(path, *, evaluation=None, taxonomy=BST, development_dataset="bsd10k-v1.2", on_problem="raise"):
    """Check one system or a whole package against the rules of DCASE 2026 Task 1.

    Checked are the file names and labels; the header of the output file; that each id of the evaluation set stands
    once and no other does; that only second-level classes are predicted; that scores are in [0, 1]; that the meta
    information is complete, its figures are plausible, and it belongs to the output; that there are at most four
    systems of one team, and no meta information without an output.

    Parameters
    ----------
    path : str or path-like
        An ``.output.csv``, or a folder with any number of them, in sub-folders too.

    evaluation : array-like of str, or path, default=None
        The ids of the evaluation set, such as ``load_bsd(bsd2k).data.index``, or its folder. None leaves ids
        unchecked, except for double ones.

    taxonomy : Taxonomy, default=BST
        The classes.

    development_dataset : str, default="bsd10k-v1.2"
        The data set that the results are of.

    on_problem : {"raise", "return"}, default="raise"
        Raise an error that lists all problems, or return them.

    Returns
    -------
    problems : list of str
        Empty if all is well.

    Raises
    ------
    DataFormatError
        If there are problems and ``on_problem="raise"``.

    FileNotFoundError
        If there is no such file, or no output file in the folder.

    Warns
    -----
    UserWarning
        About what is allowed but odd: one class or one score for every row.
    """
    path = absolute_path(path)
    outputs = _find_outputs(path)
    ids = _evaluation_ids(evaluation)
    problems, notes, labels = [], [], []
    for output in outputs:
        label = output.name.removesuffix(OUTPUT_SUFFIX)
        labels.append(label)
        found, odd = check_output_csv(output, ids=ids, taxonomy=taxonomy)
        meta = output.with_name(label + META_SUFFIX)
        problems += _check_label(output, label) + found
        problems += check_meta_yaml(meta, label=label, taxonomy=taxonomy, development_dataset=development_dataset)
        notes += odd
    problems += _check_package(path, labels) + _check_orphans(path, outputs)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=3)
    if problems and on_problem == "raise":
        raise DataFormatError(f"{len(problems)} problem(s):\n- " + "\n- ".join(problems))
    return problems


def _find_outputs(path):
    if path.is_file():
        return [path]
    outputs = sorted(path.rglob(f"*{OUTPUT_SUFFIX}")) if path.is_dir() else []
    if not outputs:
        what = f"holds no *{OUTPUT_SUFFIX}" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{path} {what}.")
    return outputs


def _evaluation_ids(evaluation):
    if evaluation is None:
        return None
    if isinstance(evaluation, str | os.PathLike):
        evaluation = load_bsd(evaluation, labelled=False, load_embeddings=False, on_missing_audio="ignore").data.index
    return [str(value) for value in evaluation]


def _check_label(output, label):
    match = LABEL_PATTERN.fullmatch(label)
    if match is None or not output.name.endswith(OUTPUT_SUFFIX):
        return [f"{output}: the name must be such as Huang_WHU_task1_1{OUTPUT_SUFFIX}."]
    if not 1 <= int(match["system"]) <= MAX_SYSTEMS:
        return [f"{output}: a team submits systems 1 to {MAX_SYSTEMS}."]
    return []


def _check_package(path, labels):
    problems = []
    double = [label for label, count in Counter(labels).items() if count > 1]
    if double:
        problems.append(f"{path}: label(s) {double} stand more than once.")
    teams = sorted({match["team"] for match in map(LABEL_PATTERN.fullmatch, labels) if match})
    if len(teams) > 1:
        problems.append(f"{path}: systems of several teams {teams}; a package is of one.")
    return problems


def _check_orphans(path, outputs):
    """Meta information whose output is not beside it: lost, or named otherwise."""
    metas = sorted(path.rglob(f"*{META_SUFFIX}")) if path.is_dir() else []
    wanted = {meta: meta.with_name(meta.name.removesuffix(META_SUFFIX) + OUTPUT_SUFFIX) for meta in metas}
    return [
        f"{meta}: there is no {output.name} beside it. Add it, or remove this file."
        for meta, output in wanted.items()
        if output not in outputs
    ]
