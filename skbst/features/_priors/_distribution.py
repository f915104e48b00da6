"""What others say about the classes of a clip, as one row of probabilities."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["Distributions", "normalize_rows"]

_REST = "other"


def normalize_rows(mass):
    """Bring rows to sum 1; a row without mass stays 0, and then nothing is known.

    Parameters
    ----------
    mass : array-like of shape (n_samples, n_classes)
        Finite, none below 0.

    Returns
    -------
    prior : ndarray of shape (n_samples, n_classes), float32

    Raises
    ------
    DataFormatError
        If a number is negative or not finite.

    Examples
    --------
    >>> from skbst.features._priors._distribution import normalize_rows
    >>> normalize_rows([[1, 3], [0, 0]])
    array([[0.25, 0.75],
           [0.  , 0.  ]], dtype=float32)
    """
    mass = np.asarray(mass, dtype=np.float64)
    if not np.isfinite(mass).all() or (mass < 0).any():
        raise DataFormatError(
            "A prior holds finite numbers of at least 0; there is a negative number, NaN or infinity."
        )
    # first by the largest, so that neither huge nor tiny numbers leave the range
    scaled = mass / np.where(mass.max(axis=1, keepdims=True) > 0, mass.max(axis=1, keepdims=True), 1)
    sums = scaled.sum(axis=1, keepdims=True)
    return (scaled / np.where(sums > 0, sums, 1)).astype(np.float32)


class Distributions:
    """Reads distributions in every form in which they are given.

    Parameters
    ----------
    taxonomy : Taxonomy
        Names the classes. Mass of a top-level class is spread evenly over its children.

    classes : ndarray of shape (n_classes,)
        The columns.
    """

    def __init__(self, taxonomy, classes):
        self.taxonomy = taxonomy
        self.classes = classes
        position = {code: i for i, code in enumerate(classes.tolist())}
        self._places = {code: [i] for code, i in position.items()}
        for top in taxonomy.tops.tolist():
            self._places.setdefault(top, [position[leaf] for leaf in taxonomy.children(top).tolist()])

    def knows(self, label):
        """Whether a label is a class, a top-level class, or "other"."""
        return label in self._places or label == _REST

    def mass(self, answer, *, where=""):
        """Read one answer.

        Parameters
        ----------
        answer : mapping of label to number, label, sequence of numbers, or None
            A label alone has all the mass; a sequence has one number for each class; None, NaN and "" know nothing.
            The mass of "other" is dropped.

        where : str, default=""
            Named in errors.

        Returns
        -------
        mass : ndarray of shape (n_classes,), float
            Not normalised.

        Raises
        ------
        DataFormatError
            If a label is unknown or a number is none.
        """
        row = np.zeros(len(self.classes))
        if (
            answer is None
            or (isinstance(answer, Real) and np.isnan(answer))
            or (isinstance(answer, str) and not answer)
        ):
            return row
        if isinstance(answer, str):
            answer = {answer: 1.0}
        if not isinstance(answer, Mapping):
            return self._numbers(answer, where)
        self._check_labels(answer, where)
        for label, number in answer.items():
            if label != _REST and number is not None and not (isinstance(number, Real) and np.isnan(number)):
                places = self._places[label]
                row[places] += self._number(number, label, where) / len(places)
        return row

    def rows(self, answers, *, where=""):
        """Read one answer a row; returns the normalised prior, an ndarray of shape (n_samples, n_classes)."""
        masses = [self.mass(answer, where=where) for answer in answers]
        return normalize_rows(np.stack(masses)) if masses else np.zeros((0, len(self.classes)), dtype=np.float32)

    def table(self, numbers, labels, *, where=""):
        """Read a table whose columns are labels.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples, n_labels)
            NaN counts as 0.

        labels : sequence of str
            Classes, top-level classes or "other".

        where : str, default=""
            Named in errors.

        Returns
        -------
        mass : ndarray of shape (n_samples, n_classes), float
        """
        numbers = np.nan_to_num(np.asarray(numbers, dtype=np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)
        self._check_labels(labels, where)
        if (numbers < 0).any():
            row, column = (int(places[0]) for places in np.nonzero(numbers < 0))
            raise DataFormatError(f"{where}the probability of {labels[column]!r} is negative: {numbers[row, column]}.")
        mass = np.zeros((len(numbers), len(self.classes)))
        for column, label in zip(numbers.T, labels):
            if label != _REST:
                places = self._places[label]
                mass[:, places] += column[:, None] / len(places)
        return mass

    def _check_labels(self, labels, where):
        unknown = [label for label in labels if not self.knows(label)]
        if unknown:
            leaf, top = str(self.classes[0]), str(self.taxonomy.tops[0])
            raise DataFormatError(
                f"{where}{len(unknown)} of {len(labels)} labels are no classes of the tree (first: {unknown[0]!r}). "
                f"Pass codes such as {leaf!r}, or top-level codes such as {top!r}."
            )

    def _numbers(self, answer, where):
        values = np.asarray(answer)
        if values.shape != (len(self.classes),) or values.dtype.kind not in "fiub":
            raise DataFormatError(
                f"{where}expected a mapping of label to probability, a label, or {len(self.classes)} numbers; got "
                f"{str(answer)[:60]!r}."
            )
        return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)

    def _number(self, number, label, where):
        if not isinstance(number, Real) or isinstance(number, bool):
            raise DataFormatError(f"{where}the probability of {label!r} is no number: {number!r}.")
        if number < 0:  # mass of the top-level class could hide it
            raise DataFormatError(f"{where}the probability of {label!r} is negative: {number!r}.")
        return float(number)
