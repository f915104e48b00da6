"""What each made clip will be: class, kind, label, length, uploader and texts, all without sound."""

from dataclasses import dataclass

import numpy as np

from skbst.datasets._synth._dsp import draw, log_uniform
from skbst.datasets._synth._neighbours import BSD10K_COUNTS, BSD35K_COUNTS, NEIGHBOURS
from skbst.datasets._synth._people import draw_uploader
from skbst.datasets._synth._registry import SOUNDS
from skbst.datasets._synth._words import write_texts

__all__ = ["FLAVOURS", "MAX_CLIPS", "ClipPlan", "class_sequence", "plan_clips"]

#: Share of the ten largest uploaders, of "-other" rows, and of wrong labels by default.
FLAVOURS = {
    "bsd10k": {"large": 0.16, "other": 0.0, "label_noise": 0.0, "counts": BSD10K_COUNTS},
    "bsd35k": {"large": 0.40, "other": 0.07, "label_noise": 0.3, "counts": BSD35K_COUNTS},
    "bsd2k": {"large": 0.16, "other": 0.0, "label_noise": 0.0, "counts": BSD10K_COUNTS},
}
#: Largest set that has ids enough.
MAX_CLIPS = 232_000
# uploaders put much into these that annotators put elsewhere (BSD35k-CS: a model agrees with 24 % of the labels)
_MAGNETS = ("is-p", "fx-m")


@dataclass(frozen=True)
class ClipPlan:
    """One clip before it is made; ``truth`` is what sounds, ``label`` what the table will say."""

    index: int
    sound_id: str
    truth: str
    kind: str
    label: str
    background: str
    duration: float
    confidence: int
    uploader: str
    license: str
    title: str
    tags: str
    description: str

    def as_dict(self):
        """Return the fields as a dict."""
        return dict(vars(self))


def class_sequence(shares, n_clips, *, min_per_class=5):
    """Class of each clip so that every prefix follows the shares as closely as whole clips allow.

    Parameters
    ----------
    shares : dict of str to float
        Share of each class.

    n_clips : int
        Length.

    min_per_class : int, default=5
        Each class gets this many, once there are clips enough.

    Returns
    -------
    codes : list of str of length n_clips
        ``class_sequence(shares, n)`` is a prefix of ``class_sequence(shares, m)`` for m > n.
    """
    codes = [code for code, share in shares.items() if share > 0]
    share = np.array([shares[code] for code in codes], dtype=float)
    share /= share.sum()
    counts, sequence = np.zeros(len(codes)), []
    for step in range(1, n_clips + 1):
        floor = np.minimum(min_per_class, step / len(codes))
        chosen = int(np.argmax(np.maximum(share * step, floor) - counts))
        counts[chosen] += 1
        sequence.append(codes[chosen])
    return sequence


def _ids(seed, flavour, n_clips):
    """Distinct ids whose remainder tells the flavour, so that two made sets never share one by flavour."""
    rng = np.random.default_rng([seed, 3])
    remainder = list(FLAVOURS).index(flavour)
    return [str(1000 + 3 * k + remainder) for k in rng.permutation(MAX_CLIPS)[:n_clips].tolist()]


def _label(rng, truth, uploader, flavour, noise):
    near = NEIGHBOURS[truth]
    if flavour == "bsd35k":
        magnets = [code for code in near if code in _MAGNETS]
        noise = min(0.9, noise * uploader.care * (1.7 if magnets else 0.6))
        choice = magnets[0] if magnets and uploader.favourite < 0.75 else near[int(uploader.favourite * len(near))]
    else:
        choice = near[int(len(near) * rng.random() ** 1.5)]
    return choice if rng.random() < noise else truth


def _length(rng, sound, limits):
    seconds = log_uniform(rng, *sound.duration)
    if seconds > limits[1]:
        seconds = limits[1] * rng.uniform(0.75, 1.0)
    return max(seconds, limits[0])


def _plan(index, sound_id, truth, seed, flavour, limits, noise):
    settings = FLAVOURS[flavour]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(list(FLAVOURS).index(flavour), index, 0)))
    kinds = list(SOUNDS[truth].values())
    sound = kinds[draw(rng, [kind.weight**2.5 for kind in kinds])]
    uploader = draw_uploader(rng, truth, large=settings["large"])
    label = _label(rng, truth, uploader, flavour, noise)
    if rng.random() < settings["other"]:
        label = f"{truth.split('-')[0]}-other"
    background = NEIGHBOURS[truth][rng.integers(len(NEIGHBOURS[truth]))] if rng.random() < 0.06 else ""
    confidence = 5 - draw(rng, (5, 20, 40, 25, 10) if label != truth else (45, 35, 15, 4, 1))
    title, tags, description = write_texts(rng, sound, uploader, int(rng.integers(1, 5000)))
    return ClipPlan(
        index, sound_id, truth, sound.name, label, background, _length(rng, sound, limits), confidence,
        uploader.name, uploader.license, title, tags, description,
    )  # fmt: skip


def plan_clips(n_clips, *, shares, seed, flavour="bsd10k", limits=(0.007, 30.0), label_noise=None, min_per_class=5):
    """Plan clips; clip i depends on `seed`, `flavour`, its class and i alone.

    Parameters
    ----------
    n_clips : int
        How many.

    shares : dict of str to float, or None
        Share of each class; None takes the flavour's own.

    seed : int
        Entropy.

    flavour : {"bsd10k", "bsd35k", "bsd2k"}
        Which real set is imitated.

    limits : tuple of two floats
        Shortest and longest length in seconds.

    label_noise : float in [0, 1] or None
        Share of wrong labels; None takes the flavour's own.

    min_per_class : int
        See `class_sequence`.

    Returns
    -------
    plans : list of ClipPlan
    """
    noise = FLAVOURS[flavour]["label_noise"] if label_noise is None else label_noise
    codes = class_sequence(shares or FLAVOURS[flavour]["counts"], n_clips, min_per_class=min_per_class)
    ids = _ids(seed, flavour, n_clips)
    return [_plan(i, ids[i], codes[i], seed, flavour, limits, noise) for i in range(n_clips)]
