"""The state of a `BranchClassifier` as plain arrays, today's and that of earlier versions."""

import pandas as pd

from skbst.neural._recipe import Recipe

__all__ = ["packed", "unpacked"]


def packed(state):
    """State without torch and skorch: the net as its weights, the learning curves as arrays."""
    state = dict(state)
    net = state.pop("net_", None)
    if net is not None:
        state["_weights"] = {name: value.cpu().numpy() for name, value in net.module_.state_dict().items()}
        state["history_"] = {name: column.to_numpy() for name, column in state["history_"].items()}
    return state


def unpacked(state):
    """State without the net, and its weights, None where there was none."""
    state = dict(state)
    weights = state.pop("_weights", None)
    if weights is not None:
        state["history_"] = pd.DataFrame(state["history_"])
    return (state if "recipe" in state else _with_recipe(state)), weights


def _with_recipe(state):
    """State of a network that was saved when what a recipe holds were parameters of the classifier itself."""
    moved = set(Recipe().get_params()) - {"max_epochs", "validation_fraction"}
    recipe = Recipe(**{name: state.pop(name) for name in sorted(moved & set(state))})
    names = {"audio": "audio_block", "text": "text_block", "frames": "branch_block"}
    blocks = {role: state.pop(name, "auto") for role, name in names.items()}
    state.pop("compile", None)
    return {**state, "recipe": recipe, "blocks": "auto" if set(blocks.values()) == {"auto"} else blocks}
