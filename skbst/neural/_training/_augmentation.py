"""How training batches are varied."""

from collections.abc import Mapping
from inspect import signature

import torch
import torch.nn.functional as F

from skbst.nn import CropAndPatch, EmbeddingMasking, EmbeddingNoise, RandomTimeCrop, TimeMasking

__all__ = ["MODULES", "Augmentation", "make_augmentation"]

MODULES = {
    "crop_and_patch": CropAndPatch,
    "time_crop": RandomTimeCrop,
    "time_masking": TimeMasking,
    "embedding_noise": EmbeddingNoise,
    "embedding_masking": EmbeddingMasking,
}
_DEFAULTS = {"embedding_noise": {}, "embedding_masking": {}}
_FRAMES = ("frames", "lengths")
_FRAME_DEFAULTS = {"time_crop": {}, "time_masking": {}}


def make_augmentation(augmentation, *, branch, standardizer, n_classes):
    """Make the callable that varies a training batch.

    Parameters
    ----------
    augmentation : "default", None, or dict of str to dict
        As in the estimator.

    branch : str or None
        Acoustic branch; frames are varied where there is one.

    standardizer : FrameStandardizer or None
        Source of the mean frame, which masked frames become.

    n_classes : int
        Width of a target distribution.

    Returns
    -------
    augment : Augmentation or None

    Raises
    ------
    ValueError
        If a name or a setting is unknown, or a setting out of range; the message says what is known.
    """
    if augmentation is None:
        return None
    if augmentation == "default":
        augmentation = _DEFAULTS if branch is None else {**_FRAME_DEFAULTS, **_DEFAULTS}
    unknown = sorted(set(augmentation) - set(MODULES))
    if unknown:
        raise ValueError(f"augmentation names {unknown}; known are {list(MODULES)}.")
    modules = {name: _make(name, augmentation[name]) for name in MODULES if name in augmentation}
    return Augmentation(modules, standardizer, n_classes)


def _make(name, settings):
    known = set(signature(MODULES[name]).parameters)
    if not isinstance(settings, Mapping) or not set(settings) <= known:
        raise ValueError(f"augmentation[{name!r}] takes a dict of {sorted(known)}; got {settings!r}.")
    return MODULES[name](**settings)


class Augmentation:
    """Vary the inputs, and where clips are mixed the targets, of a batch.

    Parameters
    ----------
    modules : dict of str to Module
        In the order in which they are applied.

    standardizer : FrameStandardizer or None
        Source of the mean frame.

    n_classes : int
        Width of a target distribution.
    """

    def __init__(self, modules, standardizer, n_classes):
        self.modules = modules
        self.standardizer = standardizer
        self.n_classes = n_classes

    def __call__(self, inputs, target):
        """Return (inputs, target), varied."""
        inputs = dict(inputs)
        if "frames" in inputs:
            if "crop_and_patch" in self.modules:
                inputs, target = self._mix(inputs, target)
            if "time_crop" in self.modules:
                inputs["frames"], inputs["lengths"] = self.modules["time_crop"](inputs["frames"], inputs["lengths"])
            if "time_masking" in self.modules:
                inputs["frames"] = self.modules["time_masking"](
                    inputs["frames"], inputs["lengths"], fill=self.standardizer.mean
                )
        for name in ("embedding_noise", "embedding_masking"):
            if name in self.modules:
                for modality in inputs:
                    if modality not in (*_FRAMES, "prior", "class_prior"):
                        inputs[modality] = _where_there(inputs[modality], self.modules[name])
        return inputs, target

    def _mix(self, inputs, target):
        """Patch frames, and mix embeddings, weights and targets by the areas of the patches."""
        weight = target["weight"].unsqueeze(1)
        one_hot = F.one_hot(target["target"], self.n_classes).to(weight.dtype)
        rows = {"weight": weight, "target": weight * one_hot}
        if "soft_target" in target:
            rows["soft_target"] = weight * target["soft_target"]
        embeddings = {name: value for name, value in inputs.items() if name not in _FRAMES}
        rows.update(embeddings)
        frames, lengths, *mixed = self.modules["crop_and_patch"](inputs["frames"], inputs["lengths"], *rows.values())
        mixed = dict(zip(rows, mixed))
        weight = mixed["weight"]
        distributions = {name: mixed[name] / weight for name in ("target", "soft_target") if name in mixed}
        inputs = {**inputs, "frames": frames, "lengths": lengths}
        inputs.update({name: mixed[name] for name in embeddings})
        return inputs, {**distributions, "weight": weight.squeeze(1)}


def _where_there(x, module):
    """Vary embeddings, but those of zeros: noise would make of what is missing a direction like any other."""
    return torch.where(x.any(dim=1, keepdim=True), module(x), x)
