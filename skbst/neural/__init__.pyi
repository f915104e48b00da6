# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import numpy.random
import pandas
import sklearn.base
import sklearn.callback
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from skbst.features import FeatureBundle
from skbst.taxonomy import Taxonomy
from typing import Any
from typing import Literal
from typing import Self

class BranchClassifier(sklearn.callback.CallbackSupportMixin, sklearn.base.ClassifierMixin, sklearn.base.BaseEstimator):
    branch: Literal["log-stft", "log-mel", "mfcc"] | None
    head: Literal["baseline", "flat", "gc", "lcl"]
    taxonomy: Taxonomy | None
    blocks: Literal["auto"] | dict[Any, Any]
    size: Literal["report", "small"]
    recipe: Literal["report", "small"] | Recipe
    lr: float
    max_epochs: int | Literal["auto"]
    batch_size: int | Literal["auto"]
    patience: int | Literal["auto"] | None
    validation_fraction: float | Literal["auto"] | None
    augmentation: Literal["default"] | dict[Any, Any] | None
    class_weight: dict[Any, Any] | Literal["balanced"] | None
    distillation_weight: float
    precision: Literal["float32", "bfloat16"]
    device: str
    n_threads: int | None
    callbacks: list[Any] | None
    random_state: int | numpy.random.RandomState | None
    verbose: int
    classes_: NDArray[Any]
    taxonomy_: Taxonomy
    top_classes_: NDArray[Any]
    history_: pandas.DataFrame
    n_iter_: int
    best_epoch_: int
    fold_best_epochs_: list[int]
    n_features_in_: int
    net_: Any
    def __init__(self, branch: Literal["log-stft", "log-mel", "mfcc"] | None = ..., head: Literal["baseline", "flat", "gc", "lcl"] = ..., *, taxonomy: Taxonomy | None = ..., blocks: Literal["auto"] | dict[Any, Any] = ..., size: Literal["report", "small"] = ..., recipe: Literal["report", "small"] | Recipe = ..., lr: float = ..., max_epochs: int | Literal["auto"] = ..., batch_size: int | Literal["auto"] = ..., patience: int | Literal["auto"] | None = ..., validation_fraction: float | Literal["auto"] | None = ..., augmentation: Literal["default"] | dict[Any, Any] | None = ..., class_weight: dict[Any, Any] | Literal["balanced"] | None = ..., distillation_weight: float = ..., precision: Literal["float32", "bfloat16"] = ..., device: str = ..., n_threads: int | None = ..., callbacks: list[Any] | None = ..., random_state: int | numpy.random.RandomState | None = ..., verbose: int = ...) -> None: ...
    def decision_function(self, X: ArrayLike) -> NDArray[Any]: ...
    def embed(self, X: ArrayLike) -> NDArray[Any]: ...
    def embed_predict_proba(self, X: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]: ...
    def fit(self, X: FeatureBundle | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = ..., *, groups: ArrayLike | None = ..., train_only: ArrayLike | None = ..., soft_targets: ArrayLike | None = ..., validation: tuple[Any, ...] | None = ...) -> Self: ...
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_log_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_top(self, X: FeatureBundle | ArrayLike, **params: Any) -> NDArray[Any]: ...
    def predict_top_proba(self, X: ArrayLike) -> NDArray[Any]: ...
class KNNDistillationClassifier(sklearn.callback.CallbackSupportMixin, sklearn.base.ClassifierMixin, sklearn.base.MetaEstimatorMixin, sklearn.base.BaseEstimator):
    estimator: Any
    k: int
    temperature: float
    distillation_weight: float | None
    teacher: Any
    embedding: str | list[str]
    blocks: str | list[str]
    exclude_own_group: bool
    random_state: int | numpy.random.RandomState | None
    student_: Any
    neighbour_targets_: NDArray[Any]
    n_features_in_: int
    def __init__(self, estimator: Any = ..., *, k: int = ..., temperature: float = ..., distillation_weight: float | None = ..., teacher: Any = ..., embedding: str | list[str] = ..., blocks: str | list[str] = ..., exclude_own_group: bool = ..., random_state: int | numpy.random.RandomState | None = ...) -> None: ...
    @property
    def classes_(self) -> NDArray[Any]: ...
    def decision_function(self, X: ArrayLike) -> NDArray[Any]: ...
    def embed(self, X: ArrayLike) -> NDArray[Any]: ...
    def embed_predict_proba(self, X: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]: ...
    def fit(self, X: FeatureBundle | ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = ..., **fit_params: Any) -> Self: ...
    def get_metadata_routing(self) -> Any: ...
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_log_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_top(self, X: FeatureBundle | ArrayLike, **params: Any) -> NDArray[Any]: ...
    def predict_top_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    @property
    def top_classes_(self) -> Any: ...
class Recipe(sklearn.base.BaseEstimator):
    input_norm: Literal["batch", "length", "auto"]
    linear_prior: bool
    branch_logits: bool
    adapter: bool | Literal["auto"]
    dropout: float
    weight_decay: float
    schedule: Literal["cosine", "step"] | None
    label_smoothing: float
    top_loss_weight: float
    beta: float
    max_epochs: int
    branch_max_epochs: int | None
    branch_start: int
    freeze_trunk: bool
    min_delta: float
    validation_fraction: float | None
    refit: bool
    def __init__(self, *, input_norm: Literal["batch", "length", "auto"] = ..., linear_prior: bool = ..., branch_logits: bool = ..., adapter: bool | Literal["auto"] = ..., dropout: float = ..., weight_decay: float = ..., schedule: Literal["cosine", "step"] | None = ..., label_smoothing: float = ..., top_loss_weight: float = ..., beta: float = ..., max_epochs: int = ..., branch_max_epochs: int | None = ..., branch_start: int = ..., freeze_trunk: bool = ..., min_delta: float = ..., validation_fraction: float | None = ..., refit: bool = ...) -> None: ...
    @classmethod
    def small(cls) -> Recipe: ...

__all__ = ["BranchClassifier", "KNNDistillationClassifier", "Recipe"]
