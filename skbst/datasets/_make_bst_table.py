"""Made metadata without sound."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skbst._sklearn import Interval, StrOptions, validate_params
from skbst.datasets._synth._neighbours import BSD10K_COUNTS, OFFICIAL_INDEX
from skbst.datasets._synth._plan import FLAVOURS, MAX_CLIPS, plan_clips
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST

__all__ = ["class_shares", "entropy", "make_bst_table", "table_of"]


def entropy(random_state):
    """Integer entropy behind a `random_state`: an int as it is, else one draw."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def class_shares(class_weights, flavour):
    """Turn the `class_weights` argument into ``{class code: share}``.

    Parameters
    ----------
    class_weights : {"tempered", "bsd", "balanced"} or dict
        As in `make_bst_clips`.

    flavour : str
        Whose counts "tempered" and "bsd" follow.

    Returns
    -------
    shares : dict of str to float

    Raises
    ------
    DataFormatError
        If a dict names a class outside the taxonomy, has a negative share, or nothing above zero.
    """
    if isinstance(class_weights, str):
        counts = FLAVOURS[flavour]["counts"]
        power = {"tempered": 0.5, "bsd": 1.0, "balanced": 0.0}[class_weights]
        return {code: float(count) ** power for code, count in counts.items()}
    BST.leaf_index(list(class_weights))
    shares = {str(code): float(share) for code, share in class_weights.items()}
    if not shares or min(shares.values()) < 0 or max(shares.values()) == 0:
        raise DataFormatError(f"class_weights needs shares >= 0 and one above 0; got {class_weights!r}.")
    return {code: shares[code] for code in BSD10K_COUNTS if code in shares}


def table_of(plans, flavour):
    """Metadata columns of the flavour, one row per plan, in order."""
    table = pd.DataFrame([plan.as_dict() for plan in plans])
    if flavour == "bsd2k":
        table = table.rename(columns={"sound_id": "anonymous_id"})
        return table[["anonymous_id", "title", "tags", "description"]]
    table["class"] = table["label"]
    table["class_idx"] = table["label"].map(OFFICIAL_INDEX)
    table["class_top"] = table["label"].str.split("-").str[0]
    if flavour == "bsd35k":
        table["confidence"] = ""
    columns = ["sound_id", "class", "class_idx", "class_top", "confidence", "uploader", "license", "title", "tags"]
    return table[[*columns, "description"]]


@validate_params(
    {
        "n_rows": [Interval(Integral, 1, MAX_CLIPS, closed="both")],
        "flavour": [StrOptions(set(FLAVOURS))],
        "class_weights": [StrOptions({"tempered", "bsd", "balanced"}), dict],
        "label_noise": [Interval(Real, 0, 1, closed="both"), None],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "return_truth": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_bst_table(
    n_rows=1000,
    *,
    flavour="bsd10k",
    class_weights="bsd",
    label_noise=None,
    min_per_class=5,
    random_state=0,
    return_truth=False,
):
    """Make the metadata of a Broad Sound Dataset, without any sound.

    The rows are those that `make_bst_clips` writes for the same arguments, about a thousand a second: large
    enough tables to try out samplers, splitters and text pipelines.

    Parameters
    ----------
    n_rows : int, default=1000
        Number of rows, at most 232,000.

    flavour : {"bsd10k", "bsd35k", "bsd2k"}, default="bsd10k"
        Which set is imitated, see `make_bst_clips`.

    class_weights : {"tempered", "bsd", "balanced"} or dict, default="bsd"
        Shares of the classes, see `make_bst_clips`.

    label_noise : float in [0, 1], default=None
        Share of rows whose label is a neighbour class; None takes the flavour's own.

    min_per_class : int, default=5
        Rows that each class gets at least, once there are enough.

    random_state : int, RandomState instance or None, default=0
        Seed.

    return_truth : bool, default=False
        Whether to return, too, the class of which each row really speaks.

    Returns
    -------
    table : DataFrame of shape (n_rows, 10)
        Columns of BSD10k-v1.2 (four columns for "bsd2k").

    truth : Series of shape (n_rows,), str
        Only with ``return_truth=True``.

    Examples
    --------
    >>> from skbst.datasets import make_bst_table
    >>> table = make_bst_table(100, random_state=0)
    >>> table.shape, table["class"].nunique()
    ((100, 10), 23)
    """
    shares = class_shares(class_weights, flavour)
    plans = plan_clips(
        n_rows,
        shares=shares,
        seed=entropy(random_state),
        flavour=flavour,
        label_noise=label_noise,
        min_per_class=min_per_class,
    )
    table = table_of(plans, flavour)
    if return_truth:
        return table, pd.Series([plan.truth for plan in plans], index=table.index, name="truth")
    return table
