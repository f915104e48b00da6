"""Open the model that a command names."""

from pathlib import Path

__all__ = ["open_model"]


def open_model(path):
    """A folder of ``skbst train`` or `save_model`, or a joblib file, which can run any code."""
    from skbst.persistence import load_model

    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; make a model with: skbst train DATA -o {path}")
    if path.is_dir():
        return load_model(path)
    import joblib

    return joblib.load(path)
