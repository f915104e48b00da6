# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import matplotlib.axes
import matplotlib.colors
import pandas
from collections.abc import Sequence
from numpy.typing import ArrayLike
from skbst.curation import LabelAudit
from skbst.features import FeatureBundle
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.taxonomy import Taxonomy
from sklearn.model_selection import GridSearchCV
from sklearn.utils import Bunch
from typing import Any
from typing import Literal
from typing import Self

class AnswerCurveDisplay:
    share: ArrayLike
    leaf_accuracy: ArrayLike
    top_accuracy: ArrayLike
    ax_: Any
    figure_: Any
    def __init__(self, share: ArrayLike, leaf_accuracy: ArrayLike, top_accuracy: ArrayLike) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    @classmethod
    def from_predictions(cls, y_true: ArrayLike, proba: ArrayLike, *, classes: ArrayLike, taxonomy: Taxonomy | None = ..., draw: bool = ..., ax: matplotlib.axes.Axes | None = ...) -> AnswerCurveDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ...) -> Self: ...
class BlendSearchDisplay:
    scores: ArrayLike
    alphas: ArrayLike
    ks: ArrayLike
    temperature: float | None
    score_name: str
    best_alpha_: float
    best_k_: float
    ax_: Any
    figure_: Any
    im_: Any
    def __init__(self, scores: ArrayLike, alphas: ArrayLike, ks: ArrayLike, *, temperature: float | None = ..., score_name: str = ...) -> None: ...
    @classmethod
    def from_search(cls, search: KNNBlendSearchCV | GridSearchCV, *, temperature: float | None = ..., metric: str | None = ..., draw: bool = ..., **plot_params: Any) -> BlendSearchDisplay: ...
    @classmethod
    def from_table(cls, table: pandas.DataFrame, *, score: str = ..., temperature: float | None = ..., score_name: str = ..., draw: bool = ..., **plot_params: Any) -> BlendSearchDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ..., cmap: str | matplotlib.colors.Colormap = ..., values: bool | Literal["auto"] = ..., colorbar: bool = ...) -> Self: ...
class ClassCoverageDisplay:
    coverage: ArrayLike
    support: ArrayLike
    classes: ArrayLike
    confidence_level: float
    ax_: Any
    figure_: Any
    def __init__(self, coverage: ArrayLike, support: ArrayLike, *, classes: ArrayLike, confidence_level: float) -> None: ...
    @property
    def band_(self) -> Any: ...
    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    @classmethod
    def from_sets(cls, y_true: ArrayLike, sets: ArrayLike, *, classes: ArrayLike, confidence_level: float, draw: bool = ..., ax: matplotlib.axes.Axes | None = ...) -> ClassCoverageDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ...) -> Self: ...
class EncoderReportDisplay:
    report: pandas.DataFrame
    ax_: Any
    figure_: Any
    def __init__(self, report: pandas.DataFrame) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, clips: pandas.DataFrame | Sequence[Any], **plot_params: Any) -> EncoderReportDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ...) -> Self: ...
    @property
    def verdict(self) -> Literal["note"] | Literal["fault"]: ...
class HierarchicalConfusionMatrixDisplay:
    confusion: ArrayLike
    taxonomy: Taxonomy
    ax_: Any
    figure_: Any
    im_: Any
    def __init__(self, confusion: ArrayLike, *, taxonomy: Taxonomy) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    @classmethod
    def from_predictions(cls, y_true: ArrayLike, y_pred: ArrayLike, *, taxonomy: Taxonomy | None = ..., sample_weight: ArrayLike | None = ..., only_present: bool = ..., draw: bool = ..., ax: matplotlib.axes.Axes | None = ..., **plot_params: Any) -> HierarchicalConfusionMatrixDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ..., normalize: Literal["true"] | None = ..., cmap: str | matplotlib.colors.Colormap = ..., values: bool | Literal["auto"] = ..., colorbar: bool = ...) -> Self: ...
class LabelAuditDisplay:
    found: dict[str, ArrayLike]
    n_wrong: int
    ax_: Any
    figure_: Any
    def __init__(self, found: dict[str, ArrayLike], n_wrong: int) -> None: ...
    @classmethod
    def from_estimator(cls, audit: LabelAudit, truth: ArrayLike, *, rivals: dict[str, ArrayLike] | None = ..., draw: bool = ..., ax: matplotlib.axes.Axes | None = ..., first: int | None = ...) -> LabelAuditDisplay: ...
    @classmethod
    def from_scores(cls, wrong: ArrayLike, scores: dict[str, ArrayLike], *, draw: bool = ..., ax: matplotlib.axes.Axes | None = ..., first: int | None = ...) -> LabelAuditDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ..., first: int | None = ...) -> Self: ...
class LearningCurvesDisplay:
    history: pandas.DataFrame
    best_epoch: int | None
    axes_: Any
    figure_: Any
    def __init__(self, history: pandas.DataFrame, *, best_epoch: int | None = ...) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, **plot_params: Any) -> Self: ...
    def plot(self, *, axes: Sequence[Any] | None = ...) -> Self: ...
class NeighboursDisplay:
    labels: ArrayLike
    weights: ArrayLike
    similarities: ArrayLike
    p_model: ArrayLike
    p_neighbour: ArrayLike
    classes: ArrayLike
    alpha: float
    names: ArrayLike | None
    title: str | None
    axes_: Any
    figure_: Any
    def __init__(self, labels: ArrayLike, weights: ArrayLike, similarities: ArrayLike, p_model: ArrayLike, p_neighbour: ArrayLike, classes: ArrayLike, *, alpha: float, names: ArrayLike | None = ..., title: str | None = ...) -> None: ...
    @property
    def flips(self) -> Any: ...
    @classmethod
    def from_estimator(cls, blender: KNNPriorBlender, X: FeatureBundle | ArrayLike, *, row: int = ..., groups: ArrayLike | None = ..., name_column: str = ..., title: str | None = ..., draw: bool = ..., **params: Any) -> NeighboursDisplay: ...
    def plot(self, *, axes: tuple[Any, Any] | None = ..., n_neighbors: int = ..., cmap: str | matplotlib.colors.Colormap = ...) -> Self: ...
class ReliabilityDisplay:
    curves: dict[str, Bunch]
    errors: dict[str, float]
    ax_: Any
    figure_: Any
    def __init__(self, curves: dict[str, Bunch], errors: dict[str, float]) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    @classmethod
    def from_predictions(cls, y_true: ArrayLike, proba: ArrayLike, *, classes: ArrayLike, taxonomy: Taxonomy | None = ..., n_bins: int = ..., sample_weight: ArrayLike | None = ..., draw: bool = ..., ax: matplotlib.axes.Axes | None = ...) -> ReliabilityDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ...) -> Self: ...
class SelectionDisplay:
    counts: pandas.DataFrame
    ax_: Any
    figure_: Any
    def __init__(self, counts: pandas.DataFrame) -> None: ...
    @classmethod
    def from_manifest(cls, manifest: pandas.DataFrame, *, draw: bool = ..., **plot_params: Any) -> SelectionDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ..., normalize: bool = ..., cmap: str | matplotlib.colors.Colormap = ...) -> Self: ...
class SizeCoverageDisplay:
    curve: Bunch
    set_coverage: float | None
    set_size: float | None
    ax_: Any
    figure_: Any
    def __init__(self, curve: Bunch, *, set_coverage: float | None = ..., set_size: float | None = ...) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, **params: Any) -> Self: ...
    @classmethod
    def from_predictions(cls, y_true: ArrayLike, proba: ArrayLike, *, sets: ArrayLike | None = ..., classes: ArrayLike | None = ..., taxonomy: Taxonomy | None = ..., max_nodes: int | None = ..., n_points: int = ..., draw: bool = ..., ax: matplotlib.axes.Axes | None = ...) -> SizeCoverageDisplay: ...
    def plot(self, *, ax: matplotlib.axes.Axes | None = ...) -> Self: ...

__all__ = ["AnswerCurveDisplay", "BlendSearchDisplay", "ClassCoverageDisplay", "EncoderReportDisplay", "HierarchicalConfusionMatrixDisplay", "LabelAuditDisplay", "LearningCurvesDisplay", "NeighboursDisplay", "ReliabilityDisplay", "SelectionDisplay", "SizeCoverageDisplay"]
