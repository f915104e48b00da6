"""How a new library differs from the calibration rows, and what that does to the promise."""

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from sklearn.utils import Bunch

from skbst._proba import check_proba
from skbst._sklearn import check_is_fitted
from skbst.conformal._nodes import UNKNOWN
from skbst.conformal._sets import prediction_sets
from skbst.exceptions import DataFormatError

__all__ = ["bbse_shares", "saerens_shares", "shift_report"]

# steps of the re-estimation; it is still after a few dozen
_STEPS, _STILL = 1000, 1e-10


def saerens_shares(proba, prior):
    """Re-estimate class shares from new probabilities by expectation maximisation.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities of new clips, by a model calibrated on other shares.

    prior : array-like of shape (n_classes,)
        Those shares.

    Returns
    -------
    shares : ndarray of shape (n_classes,), float64
        Sum to 1.

    References
    ----------
    Saerens, Latinne & Decaestecker 2002, equation 2.9.

    Examples
    --------
    >>> from skbst.conformal import saerens_shares
    >>> saerens_shares([[0.99, 0.01]] * 3 + [[0.01, 0.99]], [0.5, 0.5]).round(2)
    array([0.76, 0.24])
    """
    proba, prior = check_proba(proba), np.asarray(prior, dtype=np.float64)
    ratio = np.divide(proba, prior, out=np.zeros_like(proba), where=prior > 0)
    ratio = ratio[ratio.sum(axis=1) > 0]
    if not len(ratio):
        raise DataFormatError("No row has a probability for a class of the calibration, so no share can be estimated.")
    shares = prior / prior.sum()
    for _ in range(_STEPS):
        updated = ratio * shares
        total = updated.sum(axis=1, keepdims=True)
        updated = np.divide(updated, total, out=np.tile(shares, (len(updated), 1)), where=total > 0).mean(axis=0)
        still = np.abs(updated - shares).max() < _STILL
        shares = updated
        if still:
            break
    return shares


def bbse_shares(y_true, y_pred, new_pred, n_classes):
    """Re-estimate class shares from predictions alone, by the confusion matrix.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_calibration,), int
        Classes of rows that the model has not seen, and what it said.

    new_pred : array-like of shape (n_samples,), int
        What it says of new clips.

    n_classes : int
        Number of classes.

    Returns
    -------
    shares : ndarray of shape (n_classes,), float64
        Not negative, sum to 1.

    References
    ----------
    Lipton, Wang & Smola 2018; the least-squares solution that is not negative.

    Examples
    --------
    >>> from skbst.conformal import bbse_shares
    >>> bbse_shares([0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], 2)
    array([0.5, 0.5])
    """
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, (np.asarray(y_pred), np.asarray(y_true)), 1.0)
    per_class = confusion.sum(axis=0)
    confusion = np.divide(confusion, per_class, out=np.zeros_like(confusion), where=per_class > 0)
    shares = nnls(confusion, np.bincount(new_pred, minlength=n_classes) / len(new_pred))[0]
    return shares / shares.sum() if shares.sum() > 0 else np.full(n_classes, 1 / n_classes)


def shift_report(model, clips):
    """Tell how new clips differ from the calibration rows, and what to expect of the promise.

    Parameters
    ----------
    model : HierarchicalConformalClassifier
        Fitted.

    clips : FeatureBundle, DataFrame or array-like of shape (n_samples, n_features)
        New clips, without labels.

    Returns
    -------
    report : Bunch
        ``classes``, a DataFrame with the shares of each class: ``calibration`` (the labels), ``predicted`` (of the new
        clips), ``saerens`` and ``bbse`` (re-estimated). ``largest_change``, half the sum of the differences between
        calibration and ``saerens``, in [0, 1]. ``mean_confidence`` and ``calibration_confidence``;
        ``answers`` and ``calibration_answers``, shares of leaf, top level and "?"; ``unlike``, the share of clips that
        are unlike the calibration rows. ``expected_coverage``, if only the shares of the classes have changed;
        ``message``, the same in sentences.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skbst.conformal import HierarchicalConformalClassifier, shift_report
    >>> y = np.repeat(["fx-a", "ss-n"], 100)
    >>> X = np.random.default_rng(0).normal(size=(200, 1)) + 5 * (y == "ss-n")[:, None]
    >>> report = shift_report(HierarchicalConformalClassifier(GaussianNB()).fit(X, y), X[60:120])
    >>> report.classes["saerens"].round(1).to_dict()
    {'fx-a': 0.7, 'ss-n': 0.3}
    """
    check_is_fitted(model)
    answers = model.answer(clips)
    proba, known, labels = answers.proba, model.calibration_proba_, model.calibration_labels_
    if not len(proba):
        raise DataFormatError("There are no clips to compare. Pass at least one.")
    weights, n_classes = model.calibration_weight_, len(model.classes_)
    prior = np.bincount(labels, weights, minlength=n_classes) / weights.sum()
    guess = proba.argmax(axis=1)
    shares = saerens_shares(proba, prior)
    table = pd.DataFrame(
        {
            "calibration": prior,
            "predicted": np.bincount(guess, minlength=n_classes) / len(guess),
            "saerens": shares,
            "bbse": bbse_shares(labels, known.argmax(axis=1), guess, n_classes),
        },
        index=pd.Index(model.taxonomy_.leaves, name="class"),
    )
    hits = prediction_sets(known, model.thresholds_)[np.arange(len(labels)), labels]
    by_class = np.bincount(labels, weights * hits, minlength=n_classes)
    total = np.bincount(labels, weights, minlength=n_classes)
    by_class = np.divide(by_class, total, out=np.full(n_classes, np.average(hits, weights=weights)), where=total > 0)
    nodes = model.calibration_report_["nodes"]
    report = Bunch(
        classes=table,
        largest_change=float(np.abs(shares - prior).sum() / 2),
        mean_confidence=float(proba.max(axis=1).mean()),
        calibration_confidence=float(np.average(known.max(axis=1), weights=weights)),
        answers=_shares(answers.node, model.taxonomy_),
        calibration_answers={name: nodes[name] for name in ("leaf", "top", "refused")},
        unlike=float(np.mean(answers.unlike)),
        expected_coverage=float(by_class @ shares),
    )
    report.message = _message(report, model.confidence_level)
    return report


def _shares(nodes, tree):
    leaf, refused = np.isin(nodes, tree.leaves), nodes == UNKNOWN
    return {"leaf": float(leaf.mean()), "top": float((~leaf & ~refused).mean()), "refused": float(refused.mean())}


def _message(report, level):
    table = report.classes
    change = (table["saerens"] - table["calibration"]).sort_values()
    lines = [
        f"{100 * report.largest_change:.0f} % of the clips would have to change their class for the shares to be those "
        f"of the calibration; most risen: {change.index[-1]} ({100 * change.iloc[-1]:+.0f} points), most fallen: "
        f"{change.index[0]} ({100 * change.iloc[0]:+.0f}).",
        f"Mean confidence {report.mean_confidence:.2f}, {report.calibration_confidence:.2f} in the calibration; "
        f"{100 * report.unlike:.0f} % of the clips are unlike its rows, where 1 % is expected.",
        f"If only the shares have changed, sets promised at {100 * level:.0f} % hold the class of "
        f"{100 * report.expected_coverage:.1f} %.",
    ]
    fallen = report.calibration_confidence - report.mean_confidence
    if report.unlike > 0.05 or fallen > 0.05:
        lines.append(
            "More than the shares has changed, so the promise is not for these clips: label some of them and calibrate "
            'on those (cv="prefit").'
        )
    return "\n".join(lines)
