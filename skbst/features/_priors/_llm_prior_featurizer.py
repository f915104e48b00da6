"""Class priors by a language model of the user's choice."""

import os
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import ClassVar

import pandas as pd
from sklearn.utils import Bunch

from skbst._sklearn import Interval, _fit_context, check_is_fitted
from skbst.audio import problem_report, record_problems
from skbst.exceptions import DataFormatError
from skbst.features._priors._base import PriorMaker
from skbst.features._priors._llm_prompt import FIELDS, clip_record
from skbst.features._priors._llm_run import LLMRun
from skbst.features._store._access import store_at_fit
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore
from skbst.taxonomy import Taxonomy
from skbst.text import approximate_token_count

__all__ = ["LLMPriorFeaturizer"]

# five pairs of label and probability
_ANSWER_TOKENS = 100


class LLMPriorFeaturizer(PriorMaker):
    """Ask a language model for the distribution over the classes, clip by clip.

    The prompt is written from the taxonomy's own names and descriptions, and holds what is known about the clip as
    quoted data. An answer is read strictly: a row whose answer cannot be trusted is 0, with a record, and nothing is
    invented for it. Answers are kept by text, prompt and model name, so that a run that was ended goes on where it was,
    and only failed rows are asked again.

    Parameters
    ----------
    client : callable
        Takes the prompt, a str, and returns the model's answer, a str. Whatever it raises makes one row missing. It is
        called from `n_jobs` threads, and sees to time limits and repetitions itself.

    taxonomy : Taxonomy, default=None
        Names and describes the classes; None takes BST.

    model_name : str, default=""
        Name and version of the model behind `client`, part of the key under which answers are kept; needed
        with a `store`.

    columns : sequence of str, default=("title", "tags", "description", "duration")
        What the model is told, as far as `X` has it. A column that names the class would make the prior a leak.

    store : str, path-like or EmbeddingStore, default=None
        Folder where answers are kept.

    batch_size : int, default=32
        How many clips are asked about and stored together; what a killed run loses.

    n_jobs : int, default=4
        How many calls of `client` run at the same time.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The columns: codes of the leaves, sorted.

    taxonomy_ : Taxonomy
        The tree.

    See Also
    --------
    ClassPriorFeaturizer : Priors from tables, classifiers and encoders.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.features import LLMPriorFeaturizer
    >>> def client(prompt):
    ...     return '[{"label": "fx-a", "probability": 0.9}, {"label": "other", "probability": 0.1}]'
    >>> clips = pd.DataFrame({"title": ["a dog barks"]}, index=["17"])
    >>> prior = LLMPriorFeaturizer(client).fit(clips)
    >>> prior.estimate(clips).n_calls
    1
    >>> prior.transform(clips)[:, prior.classes_ == "fx-a"]
    array([[1.]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        "client": [callable],
        "taxonomy": [Taxonomy, None],
        "model_name": [str],
        "columns": [Sequence],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        client,
        *,
        taxonomy=None,
        model_name="",
        columns=FIELDS,
        store=None,
        batch_size=32,
        n_jobs=4,
        verbose=0,
    ):
        self.client = client
        self.taxonomy = taxonomy
        self.model_name = model_name
        self.columns = columns
        self.store = store
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the input; nothing is asked, and labels are never looked at.

        Parameters
        ----------
        X : DataFrame or sequence of str
            Clips with some of `columns`; a sequence holds titles.

        y : None
            Ignored.

        Returns
        -------
        self : LLMPriorFeaturizer
        """
        if self.store is not None and not self.model_name:
            raise ValueError("A store keeps the answers of each model apart: pass model_name=, such as 'name-2026-07'.")
        self._start()
        self._store_at_fit = store_at_fit(self)
        self._records(X)
        return self

    def transform(self, X):
        """Ask about the clips.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float32
            Rows sum to 1, or are 0 where there is no answer that can be trusted.

        Warns
        -----
        UserWarning
            Once, if rows have no prior because of a failure; `transform_with_problems` says which and why.
        """
        prior, problems = self.transform_with_problems(X)
        record_problems(problems)
        if len(problems):
            first = problems.iloc[0]
            warnings.warn(
                f"{len(problems)} of {len(prior)} clips have no prior (first: {problems.index[0]!r}, {first['reason']}"
                f": {first['detail']}); their rows are 0. Call again to ask about them once more.",
                UserWarning,
                stacklevel=3,
            )
        return prior

    def transform_with_problems(self, X):
        """Ask about the clips, and tell what went wrong instead of warning.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float32
            As from `transform`.

        problems : DataFrame
            One row for each clip without an answer: index ``sound_id``, columns ``audio`` (empty), ``reason``
            ("no text", "client failed", "no answer"), ``silent``, ``detail``.
        """
        check_is_fitted(self)
        run = LLMRun(self, self._records(X))
        prior = embed_batches(
            len(run.records),
            len(self.classes_),
            run.keys,
            run.compute,
            batch_size=self.batch_size,
            store=open_store(self, "llm_prior"),
            pipeline=run.pipeline,
            progress={"desc": "Asking", "verbose": self.verbose},
        )
        ids = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None
        return prior, problem_report(run.problems, ids=ids)

    def estimate(self, X, *, price_in=0.0, price_out=0.0):
        """Say what `transform` would ask and cost; nothing is asked.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        price_in, price_out : float, default=0.0
            Price of a million tokens of prompts and of answers.

        Returns
        -------
        estimate : Bunch
            ``n_rows``, ``n_stored`` (answers that are kept), ``n_calls``, ``tokens_in``, ``tokens_out`` and ``price``,
            in the currency of the prices. Tokens are counted roughly, at 100 an answer.
        """
        check_is_fitted(self)
        run = LLMRun(self, self._records(X))
        first = {}
        for row, record in enumerate(run.records):
            first.setdefault(record, row)
        rows = [row for record, row in first.items() if record]
        store = open_store(self, "llm_prior")
        keys = run.keys(rows)
        stored = set() if store is None else set(store.get(keys, run.pipeline()))
        asked = [row for row, key in zip(rows, keys) if key not in stored]
        tokens_in = sum(approximate_token_count(run.prompt(row)) for row in asked)
        tokens_out = _ANSWER_TOKENS * len(asked)
        return Bunch(
            n_rows=len(run.records),
            n_stored=len(stored),
            n_calls=len(asked),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            price=(tokens_in * price_in + tokens_out * price_out) / 1e6,
        )

    def prompts(self, X):
        """Return what the model is asked; nothing is asked.

        Parameters
        ----------
        X : DataFrame
            As in `transform`.

        Returns
        -------
        prompts : list of str
            One for each row.
        """
        check_is_fitted(self)
        run = LLMRun(self, self._records(X))
        return [run.prompt(row) if run.records[row] else "" for row in range(len(run.records))]

    def records(self, X):
        """Return what the model is told of each clip.

        Parameters
        ----------
        X : DataFrame
            As in `transform`.

        Returns
        -------
        records : list of str
            JSON, or "" where there is no text.
        """
        check_is_fitted(self)
        return self._records(X)

    def _records(self, X):
        """What is known about each clip."""
        if not isinstance(X, pd.DataFrame):
            if isinstance(X, (str, bytes)) or not hasattr(X, "__len__") or len(X) == 0:
                raise DataFormatError("Expected a table of clips, or a sequence of at least one title.")
            return [clip_record({"title": title}) for title in X]
        present = [name for name in self.columns if name in X.columns]
        if not present or len(X) == 0:
            raise DataFormatError(
                f"A table of clips needs rows and one of the columns {list(self.columns)}; it has "
                f"{list(X.columns)[:6]}."
            )
        return [clip_record(dict(zip(present, values))) for values in zip(*(X[name] for name in present))]
