"""Rooms, distance and the faults of a recording."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from skbst.datasets._synth._dsp import decay, highpass, log_uniform, lowpass, noise, rms_to, soft_clip

__all__ = ["band_limit", "distance", "echo", "record", "reverb"]


def reverb(rng, x, sample_rate, t60=0.5, wet=0.3, damping=5000.0):
    """Convolve with exponentially decaying, darkening noise; the length stays."""
    size = min(int(t60 * sample_rate), max(len(x), 64))
    impulse = lowpass(noise(rng, size) * decay(size, sample_rate, t60), damping, sample_rate)
    impulse /= np.sqrt(np.sum(impulse**2)) + 1e-9
    n_fft = next_fast_len(len(x) + size, real=True)
    tail = irfft(rfft(x, n_fft) * rfft(impulse, n_fft), n_fft)[: len(x)]
    return ((1 - wet) * x + wet * tail).astype(np.float32)


def echo(x, sample_rate, seconds, feedback=0.5, repeats=4):
    """Add fading repeats; the length stays."""
    out = x.copy()
    for k in range(1, repeats + 1):
        start = int(k * seconds * sample_rate)
        if start >= len(x):
            break
        out[start:] += np.float32(feedback**k) * x[: len(x) - start]
    return out


def distance(rng, x, sample_rate, metres):
    """Quieter, duller and more reverberant with distance."""
    far = lowpass(x, np.clip(16000 / (1 + metres / 12), 500, 16000), sample_rate)
    if metres > 15:
        far = reverb(rng, far, sample_rate, t60=min(1.2, 0.2 + metres / 120), wet=min(0.7, metres / 120))
    return far * np.float32(1 / (1 + metres / 10))


def band_limit(x, hz, sample_rate):
    """Cut everything above `hz` as a lossy codec does."""
    n_fft = next_fast_len(len(x), real=True)
    spectrum = rfft(x, n_fft)
    spectrum[int(hz / sample_rate * n_fft) + 1 :] = 0
    return irfft(spectrum, n_fft)[: len(x)].astype(np.float32)


def _microphone(rng, x, sample_rate):
    kind = rng.random()
    if kind < 0.15:
        x = highpass(x, log_uniform(rng, 60, 250), sample_rate)
    if kind > 0.82:
        x = lowpass(x, log_uniform(rng, 3500, 14000), sample_rate)
    if rng.random() < 0.15:
        lag = int(rng.uniform(0.0002, 0.002) * sample_rate)
        if 0 < lag < len(x):
            x = x.copy()
            x[lag:] = 0.6 * x[lag:] + 0.4 * x[:-lag]
    return x


def record(rng, x, sample_rate, *, studio=0.5):
    """Take a clean sound through a plausible recording: microphone, noise floor, codec, gain, DC, clipping.

    Parameters
    ----------
    rng : Generator
        Draws the conditions.

    x : ndarray of shape (n,), float32
        The clean sound, any level.

    sample_rate : int
        In Hz.

    studio : float in [0, 1], default=0.5
        Probability of a clean path.

    Returns
    -------
    y : ndarray of shape (n,), float32 in [-1, 1]
    """
    x = np.nan_to_num(x).astype(np.float32)
    peak = float(np.max(np.abs(x))) + 1e-9
    x = x / peak
    clean = rng.random() < studio
    if not clean:
        x = _microphone(rng, x, sample_rate)
        level = 10 ** (rng.uniform(-66, -34) / 20)
        x = x + rms_to(noise(rng, len(x), rng.choice(["white", "pink", "brown"])), level)
        if rng.random() < 0.12:
            mains = rng.choice([50.0, 60.0])
            t = np.arange(len(x)) / sample_rate
            x = x + (level * np.sin(2 * np.pi * mains * t)).astype(np.float32)
    if rng.random() < 0.15:
        x = band_limit(x, rng.choice([5500, 8000, 11025, 16000]), sample_rate)
    x = x / (float(np.max(np.abs(x))) + 1e-9)
    gain = 10 ** (-rng.gamma(1.3, 3.5) / 20)
    if rng.random() < (0.02 if clean else 0.07):
        return np.clip(x * np.float32(log_uniform(rng, 1.3, 4)), -1, 1)
    if rng.random() < 0.05:
        return soft_clip(x, 2.0)
    x = x * np.float32(np.clip(gain, 0.02, 0.98))
    if rng.random() < 0.06:
        x = x + np.float32(rng.uniform(-0.03, 0.03))
    return np.clip(x, -1, 1)
