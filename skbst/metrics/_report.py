"""A readable report of a system at both levels."""

from numbers import Integral

import numpy as np

from skbst._sklearn import Interval, validate_params
from skbst.metrics._accuracy import hierarchical_accuracy_score, top_level_accuracy_score
from skbst.metrics._calibration_error import expected_calibration_error
from skbst.metrics._confusion import hierarchical_scores_from_confusion, pair_confusion
from skbst.metrics._precision_recall import CONSTRAINTS, hierarchical_precision_recall_fscore_support

__all__ = ["hierarchical_classification_report"]

_SHARED = ("y_true", "y_pred", "taxonomy", "top_weight", "zero_division", "sample_weight")
# wide enough for the longest name of the taxonomy that fits beside the numbers
_LABEL_WIDTH = 27


@validate_params(
    {
        **{name: CONSTRAINTS[name] for name in _SHARED},
        "digits": [Interval(Integral, 0, 15, closed="both")],
        "output_dict": ["boolean"],
        "proba": ["array-like", None],
        "classes": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def hierarchical_classification_report(
    y_true,
    y_pred,
    *,
    taxonomy=None,
    top_weight=0.75,
    zero_division=np.nan,
    sample_weight=None,
    digits=2,
    output_dict=False,
    proba=None,
    classes=None,
):
    """Per-class and per-level table of hierarchical scores.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes.

    taxonomy, top_weight, zero_division, sample_weight
        As in `hierarchical_precision_recall_fscore_support`.

    digits : int in [0, 15], default=2
        Digits after the point of the percentages.

    output_dict : bool, default=False
        Whether to return a dictionary of values in [0, 1] in place of text.

    proba : array-like of shape (n_samples, n_classes), default=None
        Probabilities; with them the report has the expected calibration error at both levels.

    classes : array-like of shape (n_classes,), default=None
        Class of each column of `proba`; None takes the sorted classes of `y_true`.

    Returns
    -------
    report : str or dict
        The dictionary has the keys ``"classes"`` (hP, hR, hF, support and the class that it is mistaken for most,
        by code), ``"top_levels"`` (precision, recall and F1 of each top level) and ``"overall"``. The text has ``--``
        where the dictionary has NaN.

    Examples
    --------
    >>> from skbst.metrics import hierarchical_classification_report
    >>> y_true = ["fx-a", "fx-a", "fx-h", "ss-n"]
    >>> print(hierarchical_classification_report(y_true, ["fx-h", "fx-h", "fx-h", "ss-n"], digits=1))
                                    hP     hR     hF  support  most mistaken for
    fx Sound effects             100.0  100.0  100.0        3
      fx-h Human sounds and ac…   58.3  100.0   73.7        1
      fx-a Animals                  --   37.5     --        2  fx-h (100%)
    ss Soundscapes               100.0  100.0  100.0        1
      ss-n Nature                100.0  100.0  100.0        1
    <BLANKLINE>
    hierarchical (top weight 0.75)  79.2 100.0  86.8
    hierarchical accuracy           83.3
    accuracy                        50.0  (balanced 66.7)
    top-level accuracy             100.0  (over classes 100.0)
    left out of the means, never predicted: fx-a
    """
    confusion, tree = pair_confusion(y_true, y_pred, taxonomy=taxonomy, sample_weight=sample_weight)
    shared = {"taxonomy": tree, "sample_weight": sample_weight}
    h_precision, h_recall, h_f1, _ = hierarchical_precision_recall_fscore_support(
        y_true, y_pred, top_weight=top_weight, zero_division=zero_division, **shared
    )
    report = {
        "classes": _class_rows(confusion, tree, top_weight, zero_division),
        "top_levels": _top_rows(confusion, tree, zero_division),
        "overall": {
            "hierarchical_precision": h_precision,
            "hierarchical_recall": h_recall,
            "hierarchical_f1": h_f1,
            "hierarchical_accuracy": hierarchical_accuracy_score(y_true, y_pred, **shared),
            "accuracy": hierarchical_accuracy_score(y_true, y_pred, top_credit=0, average="micro", **shared),
            "balanced_accuracy": hierarchical_accuracy_score(y_true, y_pred, top_credit=0, **shared),
            "top_accuracy": top_level_accuracy_score(y_true, y_pred, **shared),
            "macro_top_accuracy": top_level_accuracy_score(y_true, y_pred, average="macro", **shared),
            "top_weight": top_weight,
        },
    }
    if proba is not None:
        columns = {"classes": classes, "taxonomy": taxonomy, "sample_weight": sample_weight}
        for level in ("leaf", "top"):
            error = expected_calibration_error(y_true, proba, level=level, **columns)
            report["overall"][f"{level}_calibration_error"] = error
    return report if output_dict else _as_text(report, tree, digits)


def _class_rows(confusion, tree, top_weight, zero_division):
    scores = hierarchical_scores_from_confusion(
        confusion, tree.parent_of_leaf, top_weight=top_weight, zero_division=zero_division
    )
    mistakes = confusion - np.diag(np.diag(confusion))
    rows = {}
    for i in np.flatnonzero(scores[3] > 0):
        worst = int(mistakes[i].argmax())
        wrong = mistakes[i, worst] > 0
        rows[str(tree.leaves[i])] = {
            **{name: float(values[i]) for name, values in zip(("hP", "hR", "hF", "support"), scores)},
            "mistaken_for": str(tree.leaves[worst]) if wrong else None,
            "mistaken_share": float(mistakes[i, worst] / scores[3][i]),
        }
    return rows


def _top_rows(confusion, tree, zero_division):
    membership = np.eye(tree.n_tops)[tree.parent_of_leaf]
    scores = hierarchical_scores_from_confusion(
        membership.T @ confusion @ membership, np.arange(tree.n_tops), zero_division=zero_division
    )
    names = ("precision", "recall", "f1", "support")
    present = np.flatnonzero(scores[3] > 0)
    return {str(tree.tops[i]): {name: float(values[i]) for name, values in zip(names, scores)} for i in present}


def _as_text(report, tree, digits):
    number = digits + 6
    head = "".join(f"{name:>{number}}" for name in ("hP", "hR", "hF"))
    lines = [f"{'':<{_LABEL_WIDTH}}{head}  support  most mistaken for"]
    for top, row in report["top_levels"].items():
        values = [row[name] for name in ("precision", "recall", "f1")]
        lines.append(_row("", top, tree.top_names[top], values, row["support"], digits))
        for leaf in tree.children(top).tolist():
            row = report["classes"].get(leaf)
            if row is None:
                continue
            values = [row[name] for name in ("hP", "hR", "hF")]
            line = _row("  ", leaf, tree.leaf_names[leaf], values, row["support"], digits)
            if row["mistaken_for"]:
                line += f"  {row['mistaken_for']} ({100 * row['mistaken_share']:.0f}%)"
            lines.append(line)
    return "\n".join([*lines, "", *_overall_lines(report, digits)])


def _row(indent, code, name, values, support, digits):
    """One line of the table, its label cut or padded so that the numbers stand in columns."""
    label = indent + (code if code == name else f"{code} {name}")
    if len(label) > _LABEL_WIDTH:
        label = label[: _LABEL_WIDTH - 1] + "…"
    cells = "".join(f"{_percent(value, digits):>{digits + 6}}" for value in values)
    shown = f"{support:.0f}" if support == round(support) else f"{support:g}"
    return f"{label:<{_LABEL_WIDTH}}{cells}{shown:>9}"


def _overall_lines(report, digits):
    overall = {key: _percent(value, digits) for key, value in report["overall"].items()}
    left_out = [code for code, row in report["classes"].items() if np.isnan(row["hP"])]
    title = f"hierarchical (top weight {report['overall']['top_weight']:g})"
    width, number = len(title) + 1, digits + 4
    lines = [
        f"{title:<{width}}{overall['hierarchical_precision']:>{number}} {overall['hierarchical_recall']:>{number}}"
        f" {overall['hierarchical_f1']:>{number}}",
        f"{'hierarchical accuracy':<{width}}{overall['hierarchical_accuracy']:>{number}}",
        f"{'accuracy':<{width}}{overall['accuracy']:>{number}}  (balanced {overall['balanced_accuracy']})",
        f"{'top-level accuracy':<{width}}{overall['top_accuracy']:>{number}}"
        f"  (over classes {overall['macro_top_accuracy']})",
    ]
    if "leaf_calibration_error" in overall:
        lines.append(
            f"{'calibration error':<{width}}{overall['leaf_calibration_error']:>{number}}"
            f"  (top level {overall['top_calibration_error']})"
        )
    if left_out:
        lines.append(f"left out of the means, never predicted: {', '.join(left_out)}")
    return lines


def _percent(value, digits):
    return "--" if np.isnan(value) else f"{100 * value:.{digits}f}"
