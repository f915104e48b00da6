"""The rules for the meta information file of a submission."""

from numbers import Real

import yaml

from skbst._paths import open_regular
from skbst.submission._format import DESCRIPTION_KEYS, SCORE_NAMES

__all__ = ["check_meta_yaml"]

_AUTHOR_KEYS = ("lastname", "firstname", "email", "affiliation")
# characters, as the challenge's template says
_MAX_ABBREVIATION = 10


def check_meta_yaml(path, *, label, taxonomy, development_dataset="bsd10k-v1.2"):
    """List what is wrong with a meta information file.

    Parameters
    ----------
    path : Path
        The YAML file.

    label : str
        Label of the system, as in the file names.

    taxonomy : Taxonomy
        Its leaves are the classes with results.

    development_dataset : str, default="bsd10k-v1.2"
        The data set with results.

    Returns
    -------
    problems : list of str
        Empty if all is well.
    """
    try:
        with open_regular(path) as file:
            meta = yaml.safe_load(file.read().decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError, ValueError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"is not readable YAML ({error})"
        return [f"{path} {what}."]
    if not isinstance(meta, dict):
        return [f"{path} holds no mapping with submission, system and results."]
    problems = [
        *_check_submission(meta.get("submission"), label),
        *_check_system(meta.get("system")),
        *_check_results(meta.get("results"), taxonomy, development_dataset),
    ]
    return [f"{path}: {problem}" for problem in problems]


def _check_submission(submission, label):
    if not isinstance(submission, dict):
        return ["'submission' is missing."]
    problems = []
    if submission.get("label") != label:
        problems.append(f"submission: label is {submission.get('label')!r}, but the file name says {label!r}.")
    problems += [f"submission: {key} is missing." for key in ("name", "abbreviation") if not submission.get(key)]
    abbreviation = str(submission.get("abbreviation") or "")
    if len(abbreviation) > _MAX_ABBREVIATION:
        problems.append(f"submission: abbreviation {abbreviation!r} has more than {_MAX_ABBREVIATION} characters.")
    authors = submission.get("authors")
    if not isinstance(authors, list) or not authors or not all(isinstance(author, dict) for author in authors):
        return [*problems, "submission: authors must be a list with one entry (lastname, firstname ...) per author."]
    for i, author in enumerate(authors, start=1):
        problems += [f"submission: author {i}: {key} is missing." for key in _AUTHOR_KEYS if not author.get(key)]
    n_corresponding = sum(author.get("corresponding") is True for author in authors)
    if n_corresponding != 1:
        problems.append(f"submission: {n_corresponding} authors have 'corresponding: true'; expected one.")
    return problems


def _check_system(system):
    if not isinstance(system, dict):
        return ["'system' is missing."]
    problems = [f"system: {key} is missing." for key in ("source_code", "external_datasets") if key not in system]
    description = system.get("description")
    if isinstance(description, dict):
        missing = [key for key in DESCRIPTION_KEYS if key not in description]
        problems += [f"system: description: {key} is missing (null if it does not apply)." for key in missing]
    else:
        problems.append("system: description is missing.")
    complexity = system.get("complexity")
    if not isinstance(complexity, dict) or not _is_count(complexity.get("total_parameters")):
        problems.append("system: complexity: total_parameters must be a whole number.")
    elif "MACS" not in complexity or not (complexity["MACS"] is None or _is_count(complexity["MACS"])):
        problems.append("system: complexity: MACS must be a whole number, or null.")
    return problems


def _check_results(results, taxonomy, development_dataset):
    try:
        results = results["development_datasets"][development_dataset]
        overall, class_wise = results["overall"], results["class_wise"]
    except (KeyError, TypeError):
        return [f"results: development_datasets: {development_dataset}: overall and class_wise are missing."]
    problems = _check_scores(overall, "overall", may_be_null=False)
    if not isinstance(class_wise, dict):
        return [*problems, "results: class_wise must map each class code to hP, hR and hF."]
    leaves = taxonomy.leaves.tolist()
    problems += [f"results: class_wise: class {leaf} is missing." for leaf in leaves if leaf not in class_wise]
    problems += [f"results: class_wise: {code!r} is no class." for code in class_wise if code not in leaves]
    for leaf in leaves:
        if leaf in class_wise:
            problems += _check_scores(class_wise[leaf], f"class_wise: {leaf}", may_be_null=True)
    if class_wise and all(_is_null(scores) for scores in class_wise.values()):
        problems.append("results: class_wise: every score is null; only a class without predictions has none.")
    return problems


def _check_scores(scores, where, *, may_be_null):
    if not isinstance(scores, dict):
        return [f"results: {where}: hP, hR and hF are missing."]
    problems = []
    for name in SCORE_NAMES:
        value = scores.get(name)
        if value is None and may_be_null and name in scores:
            continue
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= 1:
            problems.append(f"results: {where}: {name} is {value!r}; expected a number in [0, 1], not per cent.")
    return problems


def _is_null(scores):
    return isinstance(scores, dict) and all(scores.get(name) is None for name in SCORE_NAMES)


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
