"""Drum and percussion hits."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    damped_partials,
    decay,
    fade,
    highpass,
    log_uniform,
    lowpass,
    noise,
    sine,
    soft_clip,
)

__all__ = ["bell", "clap", "cymbal", "hat", "kick", "mallet", "membrane", "shaker", "snare", "woodblock"]

# ratios of the first modes of an ideal circular membrane, and of a free bar
_MEMBRANE = np.array([1, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 4.06])
_BAR = np.array([1, 2.756, 5.404, 8.933, 13.34])
_BELL = np.array([0.5, 1, 1.2, 1.5, 2, 2.53, 2.66, 3.01, 4.1, 5.4, 6.8])


def kick(rng, n, sample_rate):
    """Bass drum: a sine that falls in pitch, with a beater's click."""
    base, sweep = rng.uniform(42, 68), rng.uniform(60, 320)
    f0 = base + sweep * decay(n, sample_rate, rng.uniform(0.06, 0.25))
    x = sine(f0, sample_rate) * decay(n, sample_rate, log_uniform(rng, 0.25, 1.1))
    size = min(n, int(0.02 * sample_rate))
    add_at(
        x, highpass(noise(rng, size), 1500, sample_rate) * decay(size, sample_rate, 0.012), 0, rng.uniform(0.05, 0.5)
    )
    return fade(soft_clip(x, rng.uniform(1, 3)), sample_rate, 0.0005, 0.01)


def snare(rng, n, sample_rate):
    """Snare drum: two membrane modes under rattling noise."""
    hz = rng.uniform(150, 260)
    x = damped_partials(rng, n, sample_rate, hz * np.array([1, 1.59, 2.3]), [0.25, 0.15, 0.1], [1, 0.6, 0.3])
    wires = highpass(noise(rng, n), rng.uniform(900, 2500), sample_rate) * decay(
        n, sample_rate, log_uniform(rng, 0.12, 0.5)
    )
    return fade(x * rng.uniform(0.3, 0.9) + 0.6 * wires, sample_rate, 0.0005, 0.01)


def hat(rng, n, sample_rate, *, is_open=None):
    """Hi-hat: high-passed noise over a cluster of inharmonic partials."""
    t60 = (
        log_uniform(rng, 0.25, 0.9)
        if (is_open if is_open is not None else rng.random() < 0.3)
        else log_uniform(rng, 0.03, 0.15)
    )
    freqs = rng.uniform(4000, 13000, 10)
    x = 0.4 * damped_partials(rng, n, sample_rate, freqs, np.full(10, t60), rng.uniform(0.1, 0.5, 10))
    x = x + highpass(noise(rng, n), 6500, sample_rate) * decay(n, sample_rate, t60)
    return fade(x, sample_rate, 0.0005, 0.005)


def cymbal(rng, n, sample_rate):
    """Crash, ride or gong-like plate: many partials that bloom and die slowly."""
    low = rng.choice([120, 350, 900])
    freqs = np.exp(rng.uniform(np.log(low), np.log(14000), 36))
    t60 = log_uniform(rng, 1.0, 5.0) * (freqs / low) ** -0.35
    x = damped_partials(rng, n, sample_rate, freqs, t60, rng.uniform(0.1, 1, 36) / (freqs / low) ** 0.25)
    x = x + highpass(noise(rng, n), 3500, sample_rate) * decay(n, sample_rate, float(t60.mean())) * 0.8
    return fade(x, sample_rate, 0.002, 0.03)


def membrane(rng, n, sample_rate, hz=None):
    """Tom, conga, djembe or tabla: membrane modes, a pitch bend and a slap."""
    hz = hz or log_uniform(rng, 70, 420)
    t60 = log_uniform(rng, 0.2, 0.9) / _MEMBRANE
    gains = rng.uniform(0.2, 1, len(_MEMBRANE)) / _MEMBRANE
    x = damped_partials(rng, n, sample_rate, hz * _MEMBRANE, t60, gains)
    x = x + sine(hz * (1 + 0.25 * decay(n, sample_rate, 0.08)), sample_rate) * decay(n, sample_rate, float(t60[0]))
    size = min(n, int(0.03 * sample_rate))
    add_at(x, lowpass(noise(rng, size), 4000, sample_rate) * decay(size, sample_rate, 0.02), 0, rng.uniform(0.2, 1.2))
    return fade(x, sample_rate, 0.0005, 0.01)


def bell(rng, n, sample_rate, hz=None):
    """Bell, gong or singing bowl."""
    hz = hz or log_uniform(rng, 180, 2200)
    freqs = hz * _BELL * rng.uniform(0.995, 1.005, len(_BELL))
    freqs = np.concatenate([freqs, freqs * 1.0015])
    t60 = np.tile(log_uniform(rng, 1.5, 7) / _BELL**0.6, 2)
    gains = np.tile(rng.uniform(0.2, 1, len(_BELL)) / _BELL**0.4, 2)
    return fade(damped_partials(rng, n, sample_rate, freqs, t60, gains), sample_rate, 0.001, 0.02)


def mallet(rng, n, sample_rate, hz=None):
    """Marimba, xylophone, glockenspiel or kalimba: free-bar modes."""
    hz = hz or log_uniform(rng, 180, 1800)
    tuned = _BAR.copy()
    tuned[1] = rng.choice([2.756, 3.0, 4.0])
    t60 = log_uniform(rng, 0.3, 2.0) / tuned**1.1
    x = damped_partials(rng, n, sample_rate, hz * tuned, t60, 1 / tuned**0.6)
    size = min(n, int(0.01 * sample_rate))
    add_at(x, bandpass(noise(rng, size), 2500, sample_rate, 1) * decay(size, sample_rate, 0.008), 0, 0.4)
    return fade(x, sample_rate, 0.0005, 0.01)


def woodblock(rng, n, sample_rate):
    """Claves, rim shot, cowbell or wood block."""
    hz = log_uniform(rng, 450, 2600)
    ratios = np.array([1, rng.uniform(1.3, 1.6), rng.uniform(2, 2.8)])
    x = damped_partials(rng, n, sample_rate, hz * ratios, log_uniform(rng, 0.04, 0.35) / ratios, [1, 0.7, 0.4])
    return fade(soft_clip(x, rng.uniform(1, 3)), sample_rate, 0.0003, 0.005)


def clap(rng, n, sample_rate):
    """Hand clap: a few noise bursts a dozen milliseconds apart."""
    burst = bandpass(noise(rng, n), rng.uniform(900, 1800), sample_rate, rng.uniform(0.7, 2))
    x = np.zeros(n, dtype=np.float32)
    for k in range(int(rng.integers(1, 5))):
        add_at(x, burst * decay(n, sample_rate, rng.uniform(0.02, 0.2)), k * rng.uniform(0.006, 0.014) * sample_rate)
    return fade(x, sample_rate, 0.0005, 0.005)


def shaker(rng, n, sample_rate):
    """Shaker, maraca or tambourine stroke."""
    x = bandpass(noise(rng, n), rng.uniform(4500, 9000), sample_rate, rng.uniform(0.8, 3))
    rise = int(rng.uniform(0.01, 0.05) * sample_rate)
    return fade(x * decay(n, sample_rate, log_uniform(rng, 0.05, 0.3)), sample_rate, rise / sample_rate, 0.005)
