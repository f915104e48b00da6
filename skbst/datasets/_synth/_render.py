"""From a plan to a waveform."""

import numpy as np
from threadpoolctl import threadpool_limits

from skbst.datasets._synth._dsp import rms_to
from skbst.datasets._synth._plan import FLAVOURS
from skbst.datasets._synth._registry import SOUNDS
from skbst.datasets._synth._space import record

__all__ = ["render_clip"]


def _least(sound, n, sample_rate):
    """Samples to make so that a kind whose events come apart is not silent in a very short clip."""
    return max(n, int(min(sound.duration[0], 1.5) * sample_rate))


def _loudest(x, n):
    """Cut the `n` samples with the most energy."""
    if len(x) <= n:
        return x
    energy = np.concatenate([[0.0], np.cumsum(np.square(x, dtype=np.float64))])
    start = int(np.argmax(energy[n:] - energy[:-n]))
    return x[start : start + n]


# the order in which products are summed, and so the last bit of a clip, depends on the number of threads
@threadpool_limits.wrap(limits=1)
def render_clip(plan, seed, flavour, sample_rate):
    """Make the waveform of a planned clip.

    Parameters
    ----------
    plan : ClipPlan
        What to make.

    seed : int
        Entropy, as given to `plan_clips`.

    flavour : str
        As given to `plan_clips`.

    sample_rate : int
        In Hz.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32 in [-1, 1]
    """
    key = (list(FLAVOURS).index(flavour), plan.index, 1)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    sound = SOUNDS[plan.truth][plan.kind]
    n = max(64, round(plan.duration * sample_rate))
    x = rms_to(_loudest(sound.render(rng, _least(sound, n, sample_rate), sample_rate), n), 0.1)
    if plan.background:
        kinds = list(SOUNDS[plan.background].values())
        other = kinds[rng.integers(len(kinds))]
        behind = rms_to(_loudest(other.render(rng, _least(other, n, sample_rate), sample_rate), n), 0.1)
        x = x + behind * np.float32(10 ** (rng.uniform(-24, -4) / 20))
    return record(rng, x, sample_rate, studio=sound.studio)
