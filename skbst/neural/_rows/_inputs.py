"""What the network reads: checked blocks of a bundle, or one 2-D array, served batch by batch."""

import warnings

import numpy as np
import torch

from skbst._block_names import PRIOR_BLOCK, embedding_role
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle

__all__ = ["ClipInputs", "choose_blocks", "read_bundle"]

_ROLES = ("audio", "text", "frames", "prior")
_SUM_TOLERANCE = 1e-2  # half precision keeps a sum of some dozen numbers to about 1e-3
# clips whose frames are in memory at once for statistics: 33 MB of log-STFT of 5 s; taken as it is, not tuned
_CHUNK = 64
BRANCH_BLOCKS = {"log-stft": "log_stft", "log-mel": "log_mel", "mfcc": "mfcc"}


class ClipInputs:
    """Embeddings in memory, frames read on demand.

    Parameters
    ----------
    audio, text : ndarray of shape (n_samples, n_features), float32, or None
        Embeddings.

    frames : FeatureBundle, default=None
        The rows of the framed block, lazily sliced.

    frames_block : str, default=None
        Name of the framed block in `frames`.

    others : dict of str to ndarray of shape (n_samples, n_features), float32, default=None
        More embeddings, such as "audio_2".

    prior : ndarray of shape (n_samples, n_prior), float32, default=None
        What is known of the class before a clip is heard; no embedding, so no linear model is made of it.
    """

    def __init__(self, audio, text, frames=None, frames_block=None, *, others=None, prior=None):
        self.embeddings = {"audio": audio, "text": text, **(others or {})}
        self.embeddings = {name: value for name, value in self.embeddings.items() if value is not None}
        self.frames = frames
        self.frames_block = frames_block
        self.prior = prior
        held = self.embeddings if prior is None else {**self.embeddings, "class_prior": prior}
        # torch wants plain strides and warns of arrays it must not write to, though it never writes to these
        self._tensors = {
            name: torch.from_numpy(np.require(value, requirements=["C", "W"])) for name, value in held.items()
        }

    def __len__(self):
        return len(next(iter(self.embeddings.values()), self.frames))

    def shapes(self):
        """Shape of one row of each input."""
        shapes = {name: value.shape[1:] for name, value in self.embeddings.items()}
        if self.frames is not None:
            shapes["frames"] = self.frames.block_shape(self.frames_block)[1:]
        if self.prior is not None:
            shapes["prior"] = self.prior.shape[1:]
        return shapes

    def batch(self, rows, *, with_frames=True):
        """Tensors of some rows, as keyword arguments of `ClipNet`.

        Parameters
        ----------
        rows : ndarray of int
            Positions.

        with_frames : bool, default=True
            Whether frames are read, where there are any.
        """
        index = torch.from_numpy(rows)
        batch = {name: tensor.index_select(0, index) for name, tensor in self._tensors.items()}
        if with_frames and self.frames is not None:
            batch["frames"], batch["lengths"] = self.read_frames(rows)
        return batch

    def read_frames(self, rows):
        """Frames (n_rows, n_frames, n_bins) float32 and their lengths; a memory map is read in file order."""
        lengths = np.asarray(self.frames.lengths(self.frames_block, rows), dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        frames = np.asarray(self.frames.take(self.frames_block, rows[order]), dtype=np.float32)
        if (order[1:] < order[:-1]).any():
            back = np.empty_like(order)
            back[order] = np.arange(len(order))
            frames = frames[back]
        return torch.from_numpy(frames), torch.from_numpy(lengths)

    def read_chunks(self, rows):
        """Yield a few of the rows at a time, and what `read_frames` gives for them."""
        for chunk in np.array_split(rows, -(-len(rows) // _CHUNK)):
            yield chunk, *self.read_frames(chunk)


def choose_blocks(bundle, chosen, *, branch):
    """Resolve "auto" names against what a bundle has.

    Parameters
    ----------
    bundle : FeatureBundle
        The features.

    chosen : "auto" or dict
        Names by role, as in `BranchClassifier`.

    branch : str or None
        Acoustic branch, which reads the frames.

    Returns
    -------
    blocks : dict
        ``{"audio": name or None, "text": name or None, "frames": name or None, "prior": name or None}``, and "audio_2",
        "text_2" and so on where there are several.

    Raises
    ------
    DataFormatError
        If a needed block is not there; the message lists what is.
    """
    chosen = {} if chosen == "auto" else dict(chosen)
    unknown = sorted(set(chosen) - set(_ROLES))
    if unknown:
        raise DataFormatError(f"blocks has the keys {unknown}; it takes 'audio', 'text', 'frames' and 'prior'.")
    found = {role: _choose(bundle, role, chosen.get(role, "auto")) for role in ("audio", "text")}
    blocks = {role: names[0] if names else None for role, names in found.items()}
    for role, names in found.items():
        blocks.update({f"{role}_{i}": name for i, name in enumerate(names[1:], start=2)})
    blocks["frames"] = None
    if branch is not None:
        name = chosen.get("frames", "auto")
        name = BRANCH_BLOCKS[branch] if name == "auto" else name
        if name not in bundle:
            raise DataFormatError(
                f"branch={branch!r} reads the block {name!r}, but the bundle has {list(bundle.names)}. "
                "Add its featurizer to the ClipFeaturizer, or name another block: blocks={'frames': name}."
            )
        blocks["frames"] = name
    if not any(blocks.values()):
        raise DataFormatError(
            f"No embedding to learn from: the bundle has {list(bundle.names)}, and blocks='auto' looks for names with "
            "the word 'audio' or 'text', such as 'clap_audio' and 'text_2'. Name the blocks, such as "
            "blocks={'audio': name}, or take a branch, which learns from frames."
        )
    blocks["prior"] = _choose_prior(bundle, chosen.get("prior", "auto"))
    return blocks


def read_bundle(bundle, blocks, *, n_prior=None):
    """Check the blocks of a bundle and make `ClipInputs` of them.

    Parameters
    ----------
    bundle : FeatureBundle
        The features.

    blocks : dict
        As `choose_blocks` gives them.

    n_prior : int, default=None
        Width of the class prior of a fitted network: a bundle without the block then says that nothing is known of
        any row.

    Returns
    -------
    inputs : ClipInputs

    Raises
    ------
    DataFormatError
        If `bundle` is no FeatureBundle, lacks a block, or a block has the wrong number of dimensions or
        values that are not finite.
    """
    if not isinstance(bundle, FeatureBundle):
        shape = getattr(bundle, "shape", None)
        raise DataFormatError(
            f"Expected a FeatureBundle with the blocks {sorted(filter(None, blocks.values()))}; got "
            f"{type(bundle).__name__} of shape {shape}."
        )
    prior = blocks.get("prior")  # networks of before there were class priors do not name it
    needed = {role: name for role, name in blocks.items() if role != "prior" or n_prior is None}
    missing = [name for name in needed.values() if name is not None and name not in bundle]
    if missing:
        raise DataFormatError(f"The bundle lacks the block(s) {missing}; it has {list(bundle.names)}.")
    if len(bundle) == 0:
        raise DataFormatError("Found a FeatureBundle with 0 rows while a minimum of 1 is required.")
    frames = blocks["frames"]
    if frames is not None and len(bundle.block_shape(frames)) != 3:
        raise DataFormatError(
            f"Block {frames!r} must have shape (n_samples, n_frames, n_bins); got {bundle.block_shape(frames)}."
        )
    embeddings = {role: _read_embedding(bundle, blocks[role]) for role in blocks if role not in ("frames", "prior")}
    audio, text = embeddings.pop("audio"), embeddings.pop("text")
    framed = None if frames is None else bundle.select([frames])
    prior = None if prior is None else _read_prior(bundle, prior, n_prior)
    return ClipInputs(audio, text, framed, frames, others=embeddings, prior=prior)


def _choose(bundle, role, names):
    """Blocks of a role, a list: those that are named, or those whose names have its word, CLAP's first."""
    if names is None:
        return []
    if isinstance(names, str) and names == "auto":
        found = [name for name in bundle.names if embedding_role(name) == role and len(bundle.block_shape(name)) == 2]
        return sorted(found, key=lambda name: (name != f"clap_{role}", name != role))
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in bundle:
            raise DataFormatError(
                f"blocks names {name!r} ({role}), which is not in the bundle; it has {list(bundle.names)}."
            )
    if len(set(names)) < len(names):
        raise DataFormatError(f"blocks names a block twice ({role}): {names}.")
    return names


def _choose_prior(bundle, name):
    if name == "auto":
        return PRIOR_BLOCK if PRIOR_BLOCK in bundle else None
    if name is not None and name not in bundle:
        raise DataFormatError(
            f"blocks names {name!r} (prior), which is not in the bundle; it has {list(bundle.names)}."
        )
    return name


def _read_prior(bundle, name, n_prior):
    if name not in bundle:
        warnings.warn(
            f"The bundle has no block {name!r}, with which the network was trained; nothing is known of any row.",
            UserWarning,
            stacklevel=6,
        )
        return np.zeros((len(bundle), n_prior), dtype=np.float32)
    prior = _read_embedding(bundle, name)
    sums = prior.sum(axis=1)
    bad = np.flatnonzero((prior < 0).any(axis=1) | ((abs(sums - 1) > _SUM_TOLERANCE) & (sums != 0)))
    if len(bad):
        raise DataFormatError(
            f"Block {name!r} is a class prior, whose rows are distributions, or 0 throughout where nothing is known; "
            f"{len(bad)} of {len(prior)} are neither (first: row {bad[0]}, of sum {sums[bad[0]]:.4g}). Divide rows by "
            "their sum, or leave the block out: blocks={'prior': None}."
        )
    return prior


def _read_embedding(bundle, name):
    if name is None:
        return None
    if len(bundle.block_shape(name)) != 2:
        raise DataFormatError(
            f"Block {name!r} must have shape (n_samples, n_features) to be an embedding; got "
            f"{bundle.block_shape(name)}. Spectral blocks are read by a branch."
        )
    values = np.ascontiguousarray(bundle[name], dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise DataFormatError(
            f"Block {name!r} has NaN or infinite values in {len(bad)} of {len(values)} rows (first: row {bad[0]}). "
            "Drop these rows, or let the featurizer replace what could not be decoded."
        )
    return values
