"""Texts of one length side by side: a group costs little more than one of its texts.

No text is filled up, neither for its company's sake nor alone: its tokens are those that it has by itself.
"""

from skbst.features._embedding._text_groups import group_by_shape

__all__ = ["group_size", "group_tokens", "one_by_one", "shape_of"]

# of a group; us a token of MiniLM on one thread, with 24 tokens a text: 1090 alone, 430 in 192, 370 in 288, 445 in 768,
# whose activations no longer fit beside each other into a cache of 1 MB
_GROUP_TOKENS = 256
# what a transformer reads; other inputs (the offsets of a bag of words) do not stack, and their texts stay alone
_STACKED = {"input_ids", "attention_mask", "token_type_ids"}


def one_by_one(batch, n_texts):
    """Take a batch that was filled up to its longest text apart again.

    Parameters
    ----------
    batch : dict
        Tokens of some texts, tensors of shape (n_texts, n_tokens) among them.

    n_texts : int
        How many they are.

    Returns
    -------
    inputs : list of dict, or None
        Tokens of each text alone; None where the model reads something else than tokens and a mask.
    """
    import torch

    tensors = {name: value for name, value in batch.items() if isinstance(value, torch.Tensor)}
    mask = tensors.get("attention_mask")
    if mask is None or not {"input_ids"} <= tensors.keys() <= _STACKED:
        return None
    # one run of tokens in each row, the fill before or behind it
    if mask.ndim != 2 or len(mask) != n_texts or bool((mask.diff(dim=1).abs().sum(dim=1) > 1).any()):
        return None
    starts, lengths = mask.argmax(dim=1).tolist(), mask.sum(dim=1).tolist()
    spans = [(slice(i, i + 1), slice(start, start + n)) for i, (start, n) in enumerate(zip(starts, lengths))]
    return [{**batch, **{name: value[span] for name, value in tensors.items()}} for span in spans]


def shape_of(inputs):
    """What texts of one group have in common, the number of tokens first; None where a text stays alone."""
    import torch

    tensors = {name for name, value in inputs.items() if isinstance(value, torch.Tensor)}
    if not {"input_ids"} <= tensors <= _STACKED:
        return None
    others = tuple((name, repr(value)) for name, value in inputs.items() if name not in tensors)
    return inputs["input_ids"].shape[1], tuple(sorted(tensors)), others


def group_size(shape):
    """How many texts of one shape run together."""
    return 1 if shape is None else max(1, _GROUP_TOKENS // max(1, shape[0]))


def group_tokens(inputs):
    """Put texts of one shape together, the rest alone.

    Parameters
    ----------
    inputs : dict of int to dict
        Tokens of each text.

    Returns
    -------
    groups : list of list of int
        Their keys.
    """
    return group_by_shape({i: shape_of(tokens) for i, tokens in inputs.items()}, group_size)
