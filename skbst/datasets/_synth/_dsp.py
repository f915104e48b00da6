"""Vectorised building blocks: curves, noise, filters, harmonic tones, damped partials, mixing."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
from scipy.signal import lfilter

__all__ = [
    "add_at",
    "bandpass",
    "biquad",
    "curve",
    "damped_partials",
    "decay",
    "draw",
    "fade",
    "harmonic_tone",
    "highpass",
    "log_uniform",
    "lowpass",
    "noise",
    "peak_eq",
    "pulses",
    "rms_to",
    "sine",
    "soft_clip",
    "steady",
    "wander",
]

# J. O. Smith's filter from white to pink noise (Spectral Audio Signal Processing)
_PINK_B = (0.049922035, -0.095993537, 0.050612699, -0.004408786)
_PINK_A = (1.0, -2.494956002, 2.017265875, -0.5221894)


def draw(rng, weights):
    """Draw a position with probability proportional to its weight; many times as fast as ``Generator.choice``."""
    return bisect_right(tuple(accumulate(weights)), rng.random() * sum(weights))


def log_uniform(rng, low, high):
    """Draw a float whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def curve(points, n):
    """Join equally spaced points by straight lines over `n` samples, float32 (n,)."""
    points = np.asarray(points, dtype=np.float32)
    if len(points) == 1:
        return np.full(n, points[0], dtype=np.float32)
    block = -(-n // (len(points) - 1))
    ramp = np.arange(block, dtype=np.float32) / block
    return (points[:-1, None] + np.diff(points)[:, None] * ramp).ravel()[:n]


def steady(value, n):
    """Return a constant curve, float32 (n,)."""
    return np.full(n, value, dtype=np.float32)


def wander(rng, n, sample_rate, rate, low=0.0, high=1.0):
    """Draw a random curve between `low` and `high` with about `rate` turning points per second."""
    n_points = max(3, int(np.ceil(n / sample_rate * rate)) + 2)
    return curve(rng.uniform(low, high, n_points), n)


def decay(n, sample_rate, t60):
    """Exponential decay that has fallen by 60 dB after `t60` seconds, float32 (n,)."""
    return np.exp(np.arange(n, dtype=np.float32) * np.float32(-6.9078 / (max(t60, 1e-4) * sample_rate)))


def fade(x, sample_rate, attack=0.002, release=0.004):
    """Ramp the first and last samples of `x` in place and return it."""
    rise, fall = (min(len(x) // 2, int(seconds * sample_rate)) for seconds in (attack, release))
    if rise > 1:
        x[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    if fall > 1:
        x[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return x


def noise(rng, n, colour="white"):
    """Noise of about unit RMS: white, pink (-3 dB/octave) or brown (-6 dB/octave), float32 (n,)."""
    x = rng.standard_normal(n, dtype=np.float32)
    if colour == "pink":
        return (lfilter(_PINK_B, _PINK_A, x) * 12).astype(np.float32)
    if colour == "brown":
        return (lfilter([0.1], [1, -0.995], x)).astype(np.float32)
    return x


def biquad(x, kind, hz, sample_rate, q=0.707, gain_db=0.0):
    """Second-order section after R. Bristow-Johnson's cookbook; `hz` is kept inside the band."""
    w = 2 * np.pi * min(max(hz, 5.0), 0.47 * sample_rate) / sample_rate
    cos_w, alpha = np.cos(w), np.sin(w) / (2 * q)
    if kind == "low":
        b = np.array([(1 - cos_w) / 2, 1 - cos_w, (1 - cos_w) / 2])
    elif kind == "high":
        b = np.array([(1 + cos_w) / 2, -(1 + cos_w), (1 + cos_w) / 2])
    elif kind == "band":
        b = np.array([alpha, 0, -alpha])
    else:
        a = 10 ** (gain_db / 40)
        b = np.array([1 + alpha * a, -2 * cos_w, 1 - alpha * a])
        return lfilter(b, [1 + alpha / a, -2 * cos_w, 1 - alpha / a], x).astype(np.float32)
    return lfilter(b, [1 + alpha, -2 * cos_w, 1 - alpha], x).astype(np.float32)


def lowpass(x, hz, sample_rate, q=0.707):
    """12 dB/octave low-pass."""
    return biquad(x, "low", hz, sample_rate, q)


def highpass(x, hz, sample_rate, q=0.707):
    """12 dB/octave high-pass."""
    return biquad(x, "high", hz, sample_rate, q)


def bandpass(x, hz, sample_rate, q=2.0):
    """Resonant band-pass with gain 1 at `hz`."""
    return biquad(x, "band", hz, sample_rate, q)


def peak_eq(x, hz, sample_rate, gain_db, q=1.0):
    """Bell equaliser."""
    return biquad(x, "peak", hz, sample_rate, q, gain_db)


def sine(f0, sample_rate, phase=0.0):
    """Sine whose frequency follows the curve `f0` in Hz, float32 (n,)."""
    cycles = np.cumsum(f0, dtype=np.float64) / sample_rate + phase
    return np.sin((2 * np.pi) * (cycles - np.floor(cycles)).astype(np.float32))


def harmonic_tone(rng, f0, amps, sample_rate, *, warp=1.0, peaky=False):
    """Additive tone of harmonics k * f0(t) whose amplitudes move through the rows of `amps`.

    Rows become single cycles by an inverse Fourier transform; each sample reads two neighbouring rows, which is
    additive synthesis with linearly interpolated amplitudes at the price of two look-ups.

    Parameters
    ----------
    rng : Generator
        Draws the harmonics' phases.

    f0 : ndarray of shape (n,)
        Fundamental in Hz at each sample.

    amps : ndarray of shape (n_rows, n_harmonics)
        Amplitudes; harmonics that would alias are left out.

    sample_rate : int
        In Hz.

    warp : float, default=1.0
        Row m stands at the time fraction ``(m / (n_rows - 1)) ** warp``: above 1 rows are dense at the start.

    peaky : bool, default=False
        Whether harmonics start in phase, as in a glottal pulse, and not at random.

    Returns
    -------
    tone : ndarray of shape (n,), float32
    """
    f0 = np.asarray(f0)
    n = len(f0)
    n_harmonics = max(1, min(amps.shape[1], int(0.45 * sample_rate / max(float(f0.max()), 1.0))))
    # wide enough for the highest harmonic, and for the images of the table's steps to lie beyond hearing
    steps = max(12 * n_harmonics, min(8192, 0.7 * sample_rate / max(float(f0.min()), 1.0)), 256)
    width = 1 << int(np.ceil(np.log2(steps)))
    spectrum = np.zeros((len(amps), width // 2 + 1), dtype=np.complex64)
    spread = 0.6 if peaky else 2 * np.pi
    spectrum[:, 1 : n_harmonics + 1] = amps[:, :n_harmonics] * np.exp(1j * rng.uniform(0, spread, n_harmonics))
    table = (np.fft.irfft(spectrum, axis=1) * (width / 2)).astype(np.float32).ravel()
    cycles = np.cumsum(f0, dtype=np.float64) / sample_rate
    column = ((cycles - np.floor(cycles)) * width).astype(np.int64)
    if len(amps) == 1:
        return table.take(column)
    row = np.linspace(0, 1, n, dtype=np.float32)
    row = (row if warp == 1 else row ** np.float32(1 / warp)) * np.float32(len(amps) - 1)
    first = np.minimum(row.astype(np.int64), len(amps) - 2)
    row -= first
    first *= width
    first += column
    low = table.take(first)
    first += width
    return low + row * (table.take(first) - low)


def damped_partials(rng, n, sample_rate, freqs, t60s, gains):
    """Sum of exponentially decaying sines, float32 (n,), as one rank-n_partials complex product."""
    freqs, t60s, gains = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (freqs, t60s, gains))
    keep = (freqs > 15) & (freqs < 0.47 * sample_rate)
    freqs, t60s, gains = freqs[keep], t60s[keep], gains[keep]
    if not len(freqs):
        return np.zeros(n, dtype=np.float32)
    step = -6.9078 / (np.maximum(t60s, 1e-3) * sample_rate) + 2j * np.pi * freqs / sample_rate
    block = int(np.sqrt(n)) + 1
    phase = gains * np.exp(1j * rng.uniform(-0.6, 0.6, len(freqs)))
    coarse = (phase * np.exp(np.arange(block)[:, None] * block * step)).astype(np.complex64)
    fine = np.exp(step[:, None] * np.arange(block)).astype(np.complex64)
    return np.ascontiguousarray((coarse @ fine).imag).ravel()[:n]


def pulses(rng, n, sample_rate, rate, spread=1.0):
    """Sparse random impulses, `rate` a second, with log-normal heights, float32 (n,)."""
    x = np.zeros(n, dtype=np.float32)
    count = rng.poisson(max(rate * n / sample_rate, 1e-6))
    x[rng.integers(0, n, count)] = rng.lognormal(0, spread, count) * rng.choice([-1, 1], count)
    return x


def add_at(out, x, start, gain=1.0):
    """Add `x` to `out` from sample `start` on, in place; what sticks out is cut."""
    start = int(start)
    if start >= len(out):
        return out
    if start < 0:
        x, start = x[-start:], 0
    stop = min(len(out), start + len(x))
    out[start:stop] += x[: stop - start] * np.float32(gain)
    return out


def soft_clip(x, drive=1.0):
    """Saturate smoothly; the larger `drive`, the dirtier."""
    return np.tanh(x * np.float32(drive))


def rms_to(x, level=0.1):
    """Scale to an RMS `level`; silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(x), dtype=np.float64)))
    return x * np.float32(level / rms) if rms > 1e-9 else x
