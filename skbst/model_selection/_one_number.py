"""What a metric or a scorer gives, as one number."""

from contextlib import suppress
from numbers import Real

import numpy as np

__all__ = ["as_number"]


def as_number(score):
    """Return a score as a float, NaN for a masked one, or None where it is no number.

    NumPy's scalars and arrays of one number are numbers, as `sklearn.model_selection.cross_validate` has it; text, None
    and lists are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection._one_number import as_number
    >>> as_number(np.float32(0.5)), as_number(np.array([0.5])), as_number("0.5")
    (0.5, 0.5, None)
    """
    if score is np.ma.masked:
        return float("nan")
    if hasattr(score, "item"):
        with suppress(ValueError, RuntimeError):  # NumPy's and torch's word for several numbers
            score = score.item()
    return float(score) if isinstance(score, Real) else None
