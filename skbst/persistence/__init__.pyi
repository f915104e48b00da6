# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
from os import PathLike
from pathlib import Path
from typing import Any

def load_model(folder: str | PathLike[str]) -> Any: ...
def save_model(model: Any, folder: str | PathLike[str], *, notes: str = ..., overwrite: bool = ...) -> Path: ...

__all__ = ["load_model", "save_model"]
