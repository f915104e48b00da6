"""Rows that are trained on and never tested."""

import numpy as np

from skbst._groups import own_group_codes
from skbst.exceptions import DataFormatError

__all__ = ["never_test_extra_rows"]


def never_test_extra_rows(splits, fit_params, groups=None):
    """Take the rows of ``train_only`` out of the test parts; they join the training parts instead.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows.

    fit_params : dict
        Parameters of a fit; one called ``train_only``, or so after the name of a step, tells which rows are extra.

    groups : array-like of shape (n_samples,), default=None
        Uploaders. An extra row whose uploader is tested joins neither part.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)
        The same splits where no extra row was tested, as those of `BSDGrandKFold` are.

    Raises
    ------
    DataFormatError
        If nothing is left to test in a fold, or the mask is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst._train_only import never_test_extra_rows
    >>> splits = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> never_test_extra_rows(splits, {"train_only": [False, True, False, False]})
    [(array([1, 2, 3]), array([0])), (array([0, 1]), array([2, 3]))]
    """
    masks = [mask for name, mask in fit_params.items() if name.split("__")[-1] == "train_only" and mask is not None]
    if not masks:
        return splits
    extra = np.any([np.asarray(mask) for mask in masks], axis=0)
    if extra.ndim != 1 or any(np.asarray(mask).dtype != bool for mask in masks):
        raise DataFormatError("train_only must be a mask of True and False with one entry per row.")
    codes = None if groups is None else own_group_codes(groups)
    found = []
    for number, (train, test) in enumerate(splits):
        train, test = np.asarray(train), np.asarray(test)
        tested, freed = test[~extra[test]], test[extra[test]]
        if not len(tested):
            raise DataFormatError(f"All {len(test)} test rows of fold {number} are train_only; take fewer folds.")
        if codes is not None:
            freed = freed[~np.isin(codes[freed], codes[tested])]
        found.append((np.sort(np.concatenate([train, freed])) if len(freed) else train, tested))
    return found
