# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
from numpy.typing import ArrayLike
from os import PathLike
from pathlib import Path
from skbst.taxonomy import Taxonomy
from typing import Any
from typing import Literal

def measure_complexity(estimator: object, X: ArrayLike | None = ...) -> dict[Any, Any]: ...
def verify_submission(path: str | PathLike[str], *, evaluation: ArrayLike | str | PathLike[str] | None = ..., taxonomy: Taxonomy = ..., development_dataset: str = ..., on_problem: Literal["raise", "return"] = ...) -> list[str]: ...
def write_submission(folder: str | PathLike[str], y_pred: ArrayLike, *, team: str, system: int, name: str, abbreviation: str, authors: list[dict[Any, Any]], description: dict[Any, Any], development: dict[Any, Any], complexity: dict[Any, Any] | None = ..., estimator: object | None = ..., X: ArrayLike | None = ..., ids: ArrayLike | None = ..., prediction_score: ArrayLike | None = ..., source_code: str | None = ..., external_datasets: dict[Any, Any] | list[Any] | None = ..., evaluation: ArrayLike | str | PathLike[str] | None = ..., taxonomy: Taxonomy = ..., development_dataset: str = ...) -> tuple[Path, Path]: ...

__all__ = ["measure_complexity", "verify_submission", "write_submission"]
