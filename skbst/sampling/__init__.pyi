# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import pandas
import sklearn.base
from collections.abc import Callable
from collections.abc import Sequence
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from os import PathLike
from skbst.features import FeatureBundle
from sklearn.utils import Bunch
from typing import Any
from typing import Literal
from typing import Self

class MetadataQualitySampler(sklearn.base.BaseEstimator):
    min_words: int
    max_repeats: int
    template_share: float
    min_uploader_rows: int
    min_uploaders: int
    min_per_class: int
    sample_indices_: NDArray[Any]
    scores_: pandas.DataFrame
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(self, *, min_words: int = ..., max_repeats: int = ..., template_share: float = ..., min_uploader_rows: int = ..., min_uploaders: int = ..., min_per_class: int = ...) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = ..., candidates: ArrayLike | None = ..., uploader: ArrayLike | None = ...) -> Self: ...
    def fit_resample(self, X: pandas.DataFrame | Sequence[str], y: ArrayLike, *, groups: ArrayLike | None = ..., candidates: ArrayLike | None = ..., uploader: ArrayLike | None = ...) -> tuple[Any, Any]: ...
class TeacherAgreementSampler(sklearn.base.BaseEstimator):
    teacher: Any
    views: Literal["auto"] | Sequence[str] | Callable[..., Any] | None
    agreement: Literal["all", "majority"] | int
    min_margin: float
    min_per_class: int
    cv: Any
    fold: int | None
    store: str | PathLike[str] | None
    random_state: int
    n_jobs: int | None
    verbose: int
    sample_indices_: NDArray[Any]
    scores_: Any
    classes_: NDArray[Any]
    views_: tuple[Any, ...]
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(self, teacher: Any = ..., *, views: Literal["auto"] | Sequence[str] | Callable[..., Any] | None = ..., agreement: Literal["all", "majority"] | int = ..., min_margin: float = ..., min_per_class: int = ..., cv: Any = ..., fold: int | None = ..., store: str | PathLike[str] | None = ..., random_state: int = ..., n_jobs: int | None = ..., verbose: int = ...) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, *, candidates: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> Self: ...
    def fit_resample(self, X: pandas.DataFrame | ArrayLike | list[Any] | FeatureBundle, y: ArrayLike, *, candidates: ArrayLike | None = ..., groups: ArrayLike | None = ...) -> tuple[Any, Any]: ...
class UploaderCapSampler(sklearn.base.BaseEstimator):
    cap: int
    sample_indices_: NDArray[Any]
    rank_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(self, cap: int = ...) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = ..., score: ArrayLike | None = ..., candidates: ArrayLike | None = ..., uploader: ArrayLike | None = ...) -> Self: ...
    def fit_resample(self, X: pandas.DataFrame | ArrayLike | list[Any] | FeatureBundle, y: ArrayLike, *, groups: ArrayLike | None = ..., score: ArrayLike | None = ..., candidates: ArrayLike | None = ..., uploader: ArrayLike | None = ...) -> tuple[Any, Any]: ...
def make_bsd_grand(bsd10k: Bunch | PathLike[str], bsd35k: Bunch | PathLike[str], *, teacher: Any = ..., views: Literal["auto"] | Sequence[str] | Callable[..., Any] | None = ..., agreement: Literal["all", "majority"] | int = ..., min_margin: float = ..., cap: int | None = ..., min_words: int = ..., max_repeats: int = ..., min_per_class: int = ..., fold: int | None = ..., cv: Any = ..., store: str | PathLike[str] | None = ..., random_state: int = ..., n_jobs: int | None = ..., verbose: int = ...) -> Bunch: ...

__all__ = ["MetadataQualitySampler", "TeacherAgreementSampler", "UploaderCapSampler", "make_bsd_grand"]
