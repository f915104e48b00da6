"""The model card: what a saved model is, in words and tables."""

import numpy as np

__all__ = ["model_card"]


def model_card(model, versions, *, notes="", n_values=0):
    """Markdown text of a model card.

    Parameters
    ----------
    model : estimator
        The fitted model.

    versions : dict of str to str
        Library versions at saving.

    notes : str, default=""
        The author's own words: data, licence, intended use, scores.

    n_values : int, default=0
        Count of numbers in the model's arrays.

    Returns
    -------
    text : str
        Markdown.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skbst.persistence._card import model_card
    >>> model = DummyClassifier().fit([[0], [1]], ["fx-a", "m-sp"])
    >>> print(model_card(model, {"skbst": "0.1.0"}).splitlines()[0])
    # DummyClassifier
    """
    lines = [f"# {type(model).__name__}", "", notes or "*No notes were given.*", ""]
    classes = np.asarray(getattr(model, "classes_", []))
    if len(classes):
        lines += [f"Classes ({len(classes)}): {', '.join(map(str, classes))}.", ""]
    lines += [f"Numbers in its arrays: {n_values:,}.", "", "## Parameters", "", "```", repr(model), "```", ""]
    lines += ["## Saved with", "", "| library | version |", "|---|---|"]
    lines += [f"| {name} | {version} |" for name, version in versions.items()]
    lines += ["", "Load it with `skbst.persistence.load_model(folder)`. It holds no pickled code.", ""]
    return "\n".join(lines)
