# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import numpy.random
import pandas
import sklearn.base
from collections.abc import Sequence
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from os import PathLike
from pathlib import Path
from skbst.features import FeatureBundle
from skbst.taxonomy import Taxonomy
from sklearn.utils import Bunch
from typing import Any
from typing import Self

class LabelAudit(sklearn.base.BaseEstimator):
    estimator: Any
    cv: Any
    k: int
    taxonomy: Taxonomy | None
    n_jobs: int | None
    random_state: int | numpy.random.RandomState | None
    ranking_: pandas.DataFrame
    packs_: pandas.DataFrame
    answers_: pandas.Series
    proba_: NDArray[Any]
    proba_world_: NDArray[Any]
    neighbours_: NDArray[Any]
    similarities_: NDArray[Any]
    groups_: NDArray[Any] | None
    classes_: NDArray[Any]
    taxonomy_: Taxonomy
    def __init__(self, estimator: Any, *, cv: Any = ..., k: int = ..., taxonomy: Taxonomy | None = ..., n_jobs: int | None = ..., random_state: int | numpy.random.RandomState | None = ...) -> None: ...
    def answer(self, rows: ArrayLike, labels: ArrayLike) -> LabelAudit: ...
    def fit(self, X: pandas.DataFrame | FeatureBundle | ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = ..., metadata: pandas.DataFrame | None = ...) -> Self: ...
    def score(self, truth: ArrayLike, n: int | Sequence[int] | None = ...) -> int | pandas.Series: ...
def apply_review(y: pandas.Series, review: Bunch | pandas.DataFrame) -> tuple[pandas.Series, pandas.DataFrame]: ...
def next_questions(model: Any, clips: pandas.DataFrame | FeatureBundle | ArrayLike, *, n: int, y: ArrayLike | None = ..., groups: ArrayLike | None = ..., max_per_group: int = ..., taxonomy: Taxonomy | None = ...) -> pandas.DataFrame: ...
def read_review(*files: Any) -> Bunch: ...
def review_page(table: pandas.DataFrame, clips: pandas.DataFrame, out: str | PathLike[str], *, taxonomy: Taxonomy | None = ..., limit: int | None = ..., n_jobs: int | None = ..., verbose: int = ...) -> Path: ...
def review_precision(review: Bunch | pandas.DataFrame, sample: pandas.DataFrame, *, confidence_level: float = ...) -> pandas.DataFrame: ...
def review_sample(table: pandas.DataFrame, *, n: int = ..., edges: Sequence[float] = ..., random_state: int | numpy.random.RandomState | None = ...) -> pandas.DataFrame: ...

__all__ = ["LabelAudit", "apply_review", "next_questions", "read_review", "review_page", "review_precision", "review_sample"]
