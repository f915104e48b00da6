"""Saving and loading models without pickle: JSON, safetensors and a model card."""

from skbst.persistence._save_load import load_model, save_model

__all__ = ["load_model", "save_model"]
