"""Class labels as text."""

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["as_text"]


def as_text(codes):
    """Labels as text, the quickest way.

    Parameters
    ----------
    codes : array-like of shape (n_samples,)
        Labels of any type; bytes are UTF-8.

    Returns
    -------
    codes : list of str

    Raises
    ------
    DataFormatError
        If a label is missing.
    """
    if isinstance(codes, (list, tuple)):
        kinds = set(map(type, codes))
        if kinds <= {str}:
            return list(codes)
        # numpy would make the text "nan" of a NaN beside text
        codes = list(codes) if str in kinds else np.asarray(codes).ravel().tolist()
    else:
        codes = np.asarray(codes)
        if codes.dtype.kind == "U":
            return codes.ravel().tolist()
        codes = codes.ravel().tolist()
    if set(map(type, codes)) <= {str}:
        return codes
    missing = [row for row, code in enumerate(codes) if _is_missing(code)]
    if missing:
        raise DataFormatError(
            f"{len(missing)} of {len(codes)} labels are missing (first: {codes[missing[0]]!r} in position "
            f"{missing[0]}). Give each row a class code such as 'fx-a', or leave these rows out."
        )
    # text of HDF5 and of NumPy's "S" arrays; str would make "b'fx-a'" of it, a label of no tree
    return [code.decode("utf-8", "backslashreplace") if isinstance(code, bytes) else str(code) for code in codes]


def _is_missing(code):
    if code is None:
        return True
    try:
        return bool(code != code)
    except TypeError:
        # pandas.NA answers neither yes nor no
        return True
