"""What several featurizers make of the same clips."""

from sklearn.utils import get_tags

from skbst.exceptions import DataFormatError

__all__ = ["check_is_table_for_both"]


def check_is_table_for_both(featurizers, X):
    """Refuse plain sequences where some featurizers would take them for sounds and others for texts.

    Parameters
    ----------
    featurizers : list of tuple (str, transformer)
        Name of a block and its featurizer.

    X : DataFrame, or anything else
        The clips.

    Raises
    ------
    DataFormatError
        If X has no columns and the featurizers read both sounds and texts.
    """
    if hasattr(X, "columns"):
        return
    readers = {"sounds": [], "texts": []}
    for name, featurizer in featurizers:
        kind = _reads(featurizer)
        if kind is not None:
            readers[kind].append(name)
    if readers["sounds"] and readers["texts"]:
        raise DataFormatError(
            f"Blocks {readers['sounds']} would read X as sounds and blocks {readers['texts']} as texts: a table is "
            f"needed, with columns such as 'audio' and 'title'; got {type(X).__name__}. Pass load_bsd(folder).data or "
            "clips_from_folder(folder), or leave one kind of blocks out."
        )


def _reads(featurizer):
    """What a featurizer takes a sequence for: "sounds", "texts", or None where it is neither."""
    if hasattr(featurizer, "steps"):
        featurizer = featurizer.steps[0][1]
    if hasattr(featurizer, "get_params") and "column" in featurizer.get_params(deep=False):
        return "sounds"
    if hasattr(featurizer, "__sklearn_tags__") and get_tags(featurizer).input_tags.string:
        return "texts"
    return None
