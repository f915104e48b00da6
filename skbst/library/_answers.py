"""The answers of a model for some clips, as a table."""

import warnings

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skbst._tables import as_text
from skbst.audio import collect_problems
from skbst.exceptions import AudioDecodeWarning
from skbst.features import stores_read_only
from skbst.library._problems import name_silence, problems_of, reads_sounds
from skbst.taxonomy import resolve_taxonomy

__all__ = ["answer", "have_text", "label_clips", "taxonomy_of", "unwrap"]

# their classes answer with the likeliest class, unless told otherwise: no need to run them twice
_LIKELIEST = ("skbst.neural.", "skbst.neighbors.", "skbst.ensemble.")


def label_clips(model, clips, *, taxonomy=None, n_candidates=3):
    """Label the clips of one table; `label_library` does so with tables of any length.

    Parameters
    ----------
    model : classifier
        Fitted on clips; has ``predict_proba``.

    clips : DataFrame
        Index ``sound_id``, as ``load_bsd(root).data``.

    taxonomy : Taxonomy, default=None
        The tree; None takes the model's.

    n_candidates : int, default=3
        How many of the likeliest classes.

    Returns
    -------
    table : DataFrame
        One row for each clip, with the columns of `label_library`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbst.library import label_clips
    >>> words = make_column_transformer((CountVectorizer(), "title"))
    >>> data = pd.DataFrame({"title": ["dog bark", "piano"]}, index=["a", "b"])
    >>> model = make_pipeline(words, LogisticRegression()).fit(data, ["ss-n", "is-k"])
    >>> label_clips(model, data)[["sound_id", "predicted", "top", "class_2"]]
      sound_id predicted top class_2
    0        a      ss-n  ss    is-k
    1        b      is-k  is    ss-n
    """
    return answer(model, clips, taxonomy, n_candidates=n_candidates)[0]


def answer(model, clips, taxonomy=None, *, n_candidates=3):
    """One row for each clip: the answer at both levels, the likeliest classes, and what was wrong.

    Parameters
    ----------
    model : classifier
        Fitted on clips; has ``predict_proba``. Where it has ``predict_set``, ``predict_node`` and ``predict_reason``
        there are columns ``set``, ``node`` and ``reason``.

    clips : DataFrame
        Index ``sound_id``.

    taxonomy : Taxonomy, default=None
        The tree; None takes the model's.

    n_candidates : int, default=3
        How many of the likeliest classes.

    Returns
    -------
    table : DataFrame
        Columns ``sound_id``, ``predicted``, ``top``, ``proba``, ``class_1``, ``proba_1``, ..., ``has_text``,
        ``problem``.

    silent : ndarray of shape (n_clips,), bool
        Whether the sound became silence.
    """
    taxonomy = taxonomy_of(model) if taxonomy is None else taxonomy
    with warnings.catch_warnings(), collect_problems() as reports, stores_read_only():
        # both stand in the column "problem", and in the summary
        warnings.simplefilter("ignore", AudioDecodeWarning)
        warnings.filterwarnings("ignore", ".*clips have no shipped")
        rows, classifier = _featurize(model, _columns_of(model, clips))
        table = _answers(classifier, rows, clips, taxonomy, n_candidates)
    reasons, silent = problems_of(reports, len(clips))
    if "audio" in clips and reads_sounds(model):
        name_silence(reasons, clips["audio"])
    table["has_text"] = have_text(clips)
    table["problem"] = pd.array(["; ".join(found) for found in reasons], dtype="str")
    return table.rename_axis("sound_id").reset_index(), silent


def have_text(clips):
    """Whether there is a title, a tag or a description, for each clip; ndarray of bool."""
    columns = [clips[name] for name in ("title", "tags", "description") if name in clips]
    rows = zip(*columns) if columns else [()] * len(clips)
    return np.array([any(as_text(cell).strip() for cell in row) for row in rows], dtype=bool)


def taxonomy_of(model):
    """The tree of a model's classes."""
    last = unwrap(model)
    while isinstance(last, Pipeline):
        last = unwrap(last[-1])
    return getattr(last, "taxonomy_", None) or resolve_taxonomy(None, model.classes_)


def unwrap(model):
    """The fitted model of a search, which is what answers."""
    while hasattr(model, "best_estimator_") and hasattr(model, "cv_results_"):
        model = model.best_estimator_
    return model


def _columns_of(model, clips):
    """The columns that the model was fitted on, where it knows them and they are there."""
    names = getattr(model, "feature_names_in_", None)
    known = names is not None and set(names) <= set(clips.columns)
    return clips[list(names)] if known else clips


def _featurize(model, clips):
    """Rows and the classifier that takes them; the features of a pipeline are made once for all its answers."""
    rows, model = clips, unwrap(model)
    while isinstance(model, Pipeline):
        if len(model.steps) > 1:
            rows = model[:-1].transform(rows)
        model = unwrap(model[-1])
    return rows, model


def _answers(classifier, rows, clips, taxonomy, n_candidates):
    vouched = _vouched(classifier, rows)
    proba = vouched.pop("proba", None)
    proba = classifier.predict_proba(rows) if proba is None else proba
    classes = np.asarray(classifier.classes_)
    likeliest = np.argsort(-proba, axis=1, kind="stable")[:, :n_candidates]
    chosen = classes[likeliest[:, 0]] if _takes_likeliest(classifier) else np.asarray(classifier.predict(rows))
    column_of = {code: column for column, code in enumerate(classes.tolist())}
    chosen_at = [column_of[code] for code in chosen.tolist()]
    table = pd.DataFrame({"predicted": chosen, "top": taxonomy.top_of(chosen)}, index=clips.index)
    table["proba"] = proba[np.arange(len(proba)), chosen_at].astype(np.float32)
    for rank in range(likeliest.shape[1]):
        table[f"class_{rank + 1}"] = classes[likeliest[:, rank]]
        table[f"proba_{rank + 1}"] = np.take_along_axis(proba, likeliest, axis=1)[:, rank].astype(np.float32)
    if "set" in vouched:
        table["set"] = [" ".join(map(str, classes[row])) for row in np.asarray(vouched["set"], dtype=bool)]
    for name in ("node", "reason"):
        if name in vouched:
            table[name] = [str(value) for value in vouched[name]]
    return table


def _vouched(classifier, rows):
    """The sets, nodes and reasons that a conformal model gives; from one prediction, where it can."""
    if not hasattr(classifier, "predict_set"):
        return {}
    if hasattr(classifier, "answer"):
        return dict(classifier.answer(rows))
    methods = {"set": "predict_set", "node": "predict_node", "reason": "predict_reason"}
    return {name: getattr(classifier, method)(rows) for name, method in methods.items() if hasattr(classifier, method)}


def _takes_likeliest(classifier):
    """Whether ``predict`` is the likeliest class, so that it need not be asked as well."""
    module = f"{type(classifier).__module__}."
    if module.startswith("skbst.conformal."):  # answers as what it holds does
        return _takes_likeliest(classifier.estimator_)
    if isinstance(classifier, Pipeline):
        return _takes_likeliest(classifier[-1])
    return module.startswith(_LIKELIEST) and getattr(classifier, "decode", "leaf") == "leaf"
