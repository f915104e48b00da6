"""How far freshly made embeddings are from those that a data set ships."""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbst.exceptions import DataFormatError

__all__ = ["embedding_skew"]

# the low ones: few clips that are far off are what is looked for
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 1.0)


def embedding_skew(fresh, shipped, *, sound_ids=None, n_worst=10):
    """Compare two embeddings of the same clips by cosine.

    Vectors made with another checkpoint, window rule, decoder or text template look right and are not: a classifier
    trained on shipped vectors and applied to skewed ones loses silently. Same settings give cosines above 0.999;
    random windows of long clips and 16-bit rounding move some below.

    Parameters
    ----------
    fresh : array-like of shape (n_samples, n_features)
        What this machine makes.

    shipped : array-like of shape (n_samples, n_features)
        What the data set has. Rows with NaN were not shipped and are counted apart.

    sound_ids : sequence of str, default=None
        Names of the rows; None takes their positions.

    n_worst : int, default=10
        How many of the most distant rows are named.

    Returns
    -------
    skew : Bunch
        ``cosine`` (Series by sound_id, NaN where nothing was shipped), ``quantiles`` (Series by level),
        ``worst`` (Series of the lowest cosines), ``n_compared`` and ``n_missing`` (int).

    Raises
    ------
    DataFormatError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import embedding_skew
    >>> shipped = np.eye(3)
    >>> fresh = np.eye(3)
    >>> fresh[1] = [0.6, 0.8, 0.0]
    >>> skew = embedding_skew(fresh, shipped, sound_ids=["17", "23", "42"], n_worst=1)
    >>> skew.worst.to_dict(), float(skew.quantiles[0.5])
    ({'23': 0.8}, 1.0)
    """
    fresh, shipped = np.asarray(fresh, dtype=np.float64), np.asarray(shipped, dtype=np.float64)
    if fresh.shape != shipped.shape or fresh.ndim != 2:
        raise DataFormatError(f"Embeddings of the same clips have one shape; got {fresh.shape} and {shipped.shape}.")
    lengths = np.linalg.norm(fresh, axis=1) * np.linalg.norm(shipped, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.einsum("ij,ij->i", fresh, shipped) / lengths
    index = pd.RangeIndex(len(fresh)) if sound_ids is None else pd.Index(sound_ids)
    cosine = pd.Series(cosine, index=index.rename("sound_id"), name="cosine")
    compared = cosine.dropna()
    return Bunch(
        cosine=cosine,
        quantiles=compared.quantile(list(_QUANTILES)),
        worst=compared.nsmallest(n_worst),
        n_compared=len(compared),
        n_missing=len(cosine) - len(compared),
    )
