# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import numpy.random
import pandas
import sklearn.model_selection
import sklearn.model_selection._search
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.taxonomy import Taxonomy
from sklearn.pipeline import Pipeline
from typing import Any
from typing import Literal
from typing import Self

class BSDGrandKFold(sklearn.model_selection.BaseCrossValidator):
    train_only: ArrayLike
    n_splits: int
    random_state: int
    validation_size: float
    def __init__(self, train_only: ArrayLike, *, n_splits: int = ..., random_state: int = ..., validation_size: float = ...) -> None: ...
    def folds(self, y: ArrayLike, groups: ArrayLike | None = ...) -> Folds: ...
    def get_n_splits(self, X: ArrayLike | None = ..., y: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> int: ...
    def split(self, X: ArrayLike, y: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> tuple[NDArray[Any], NDArray[Any]]: ...
class Fold(tuple):
    ...
class FoldParts:
    rows: NDArray[Any]
    y: NDArray[Any]
    classes: NDArray[Any]
    p_model: NDArray[Any]
    similarities: NDArray[Any]
    labels: NDArray[Any]
    n_bank: int
    p_prior: NDArray[Any] | None
    def __init__(self, rows: ArrayLike, y: ArrayLike, classes: ArrayLike, p_model: ArrayLike, similarities: ArrayLike, labels: ArrayLike, n_bank: int, p_prior: ArrayLike | None = ...) -> None: ...
    def mix(self, neighbours: ArrayLike, cell: dict[Any, Any]) -> NDArray[Any]: ...
    def prior(self, k: int, temperature: float) -> NDArray[Any]: ...
    def proba(self, *, alpha: float, k: int, temperature: float, prior_weight: float = ...) -> NDArray[Any]: ...
class Folds(sklearn.model_selection.BaseCrossValidator):
    folds: Sequence[Fold]
    n_samples: int
    def __init__(self, folds: Sequence[Fold], n_samples: int) -> None: ...
    def __getitem__(self, item: Any) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    @property
    def fold_of_row(self) -> Any: ...
    def get_n_splits(self, X: ArrayLike | None = ..., y: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> int: ...
    @property
    def n_splits(self) -> Any: ...
    def split(self, X: ArrayLike, y: object | None = ..., groups: object | None = ...) -> tuple[NDArray[Any], NDArray[Any]]: ...
class KNNBlendSearchCV(sklearn.model_selection._search.BaseSearchCV):
    estimator: KNNPriorBlender | Pipeline
    param_grid: dict[Any, Any] | list[dict[Any, Any]]
    scoring: str | Callable[..., Any] | list[Any] | tuple[Any, ...] | dict[Any, Any] | None
    cv: Any
    refit: bool | str | Callable[..., Any]
    n_jobs: int | None
    verbose: int
    return_train_score: bool
    pre_dispatch: int | str
    error_score: Literal["raise"] | float
    cv_results_: dict[Any, Any]
    best_estimator_: Any
    best_score_: Any
    best_params_: Any
    best_index_: Any
    scorer_: Any
    n_splits_: Any
    refit_time_: Any
    multimetric_: Any
    classes_: Any
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    fold_parts_: list[FoldParts]
    n_fits_: int
    def __init__(self, estimator: KNNPriorBlender | Pipeline, param_grid: dict[Any, Any] | list[dict[Any, Any]], *, scoring: str | Callable[..., Any] | list[Any] | tuple[Any, ...] | dict[Any, Any] | None = ..., cv: Any = ..., refit: bool | str | Callable[..., Any] = ..., n_jobs: int | None = ..., verbose: int = ..., return_train_score: bool = ..., pre_dispatch: int | str = ..., error_score: Literal["raise"] | float = ...) -> None: ...
    def fit(self, X: FeatureBundle | ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    def predict_top(self, X: FeatureBundle | ArrayLike, **params: Any) -> NDArray[Any]: ...
    def predict_top_proba(self, X: FeatureBundle | ArrayLike, **params: Any) -> NDArray[Any]: ...
    def score_cells(self, param_grid: dict[Any, Any] | list[dict[Any, Any]]) -> pandas.DataFrame: ...
    @property
    def top_classes_(self) -> Any: ...
class LeakageReport:
    findings: Any
    n_test: Any
    checks: Any
    not_checked: Any
    def __init__(self, findings: pandas.DataFrame, *, n_test: int, checks: tuple[str, ...], not_checked: dict[str, str]) -> None: ...
    @property
    def clean(self) -> Any: ...
    def messages(self) -> dict[Any, Any]: ...
    def summary(self) -> pandas.DataFrame: ...
class OfficialKFold(sklearn.model_selection.BaseCrossValidator):
    n_splits: int
    random_state: int
    validation_size: float
    def __init__(self, n_splits: int = ..., *, random_state: int = ..., validation_size: float = ...) -> None: ...
    def folds(self, y: ArrayLike, groups: ArrayLike | None = ...) -> Folds: ...
    def get_n_splits(self, X: ArrayLike | None = ..., y: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> int: ...
    def split(self, X: ArrayLike, y: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> tuple[NDArray[Any], NDArray[Any]]: ...
class PairedComparison:
    metric: str
    score_a: float
    score_b: float
    difference: float
    interval: tuple[Any, ...]
    interval_method: Literal["bca", "percentile"]
    p_value: float
    confidence_level: float
    n_samples: int
    n_groups: int | None
    fold_differences: ArrayLike | None
    fold_interval: tuple[Any, ...] | None
    fold_p_value: float | None
    bootstrap_differences: ArrayLike
    permutation_differences: ArrayLike
    def __init__(self, metric: str, score_a: float, score_b: float, difference: float, interval: tuple[Any, ...], interval_method: Literal["bca", "percentile"], p_value: float, confidence_level: float, n_samples: int, n_groups: int | None, fold_differences: ArrayLike | None, fold_interval: tuple[Any, ...] | None, fold_p_value: float | None, bootstrap_differences: ArrayLike, permutation_differences: ArrayLike) -> None: ...
    @property
    def standard_error(self) -> Any: ...
    def to_dict(self) -> dict[str, object]: ...
def compare_paired(y_true: ArrayLike, pred_a: ArrayLike, pred_b: ArrayLike, *, metric: str | Callable[..., Any] = ..., folds: Folds | ArrayLike | None = ..., groups: ArrayLike | None = ..., n_bootstrap: int = ..., n_permutations: int = ..., confidence_level: float = ..., method: Literal["bca", "percentile"] = ..., taxonomy: Taxonomy | None = ..., top_weight: float = ..., zero_division: float = ..., random_state: int | numpy.random.Generator | None = ...) -> PairedComparison: ...
def leakage_report(data: pandas.DataFrame, folds: Folds | Iterable[tuple[Any, ...]], y: ArrayLike | None = ..., *, groups: ArrayLike | None = ..., seen: Mapping[str, object] | None = ..., audio: Literal["bytes", "samples"] | None = ..., embeddings: ArrayLike | None = ..., similarity: float = ..., prior: Any = ..., prior_seen: object | None = ..., taxonomy: Taxonomy | None = ..., warn: bool = ...) -> LeakageReport: ...
def official_folds(y: ArrayLike, *, groups: ArrayLike | None = ..., n_splits: int = ..., random_state: int = ..., validation_size: float = ...) -> Folds: ...

__all__ = ["BSDGrandKFold", "Fold", "FoldParts", "Folds", "KNNBlendSearchCV", "LeakageReport", "OfficialKFold", "PairedComparison", "compare_paired", "leakage_report", "official_folds"]
