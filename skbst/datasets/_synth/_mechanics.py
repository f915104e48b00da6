"""Physical building blocks: things struck, scraped and turned, engines, sources that pass by."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    damped_partials,
    decay,
    fade,
    harmonic_tone,
    log_uniform,
    lowpass,
    noise,
    pulses,
    rms_to,
    soft_clip,
    wander,
)

__all__ = ["MATERIALS", "bursts", "click_train", "engine", "impact", "motor", "pass_by", "scrape"]


#: Lowest mode in Hz, number of modes, decay in s, stiffness of the spectrum
MATERIALS = {
    "wood": (140, 10, 0.12, 1.2),
    "metal": (420, 22, 1.3, 0.5),
    "glass": (1500, 12, 0.5, 0.6),
    "plastic": (280, 9, 0.07, 1.0),
    "ceramic": (900, 12, 0.28, 0.7),
    "cardboard": (90, 7, 0.06, 1.6),
}


def impact(rng, n, sample_rate, material=None, size=1.0):
    """One object struck: modes of a material under a contact burst; float32 (n,)."""
    low, count, t60, slope = MATERIALS[material or rng.choice(list(MATERIALS))]
    freqs = low / size * np.cumsum(np.concatenate([[1], rng.uniform(0.25, 0.9, count - 1)]))
    times = t60 * rng.uniform(0.5, 1.6, count) * (freqs / freqs[0]) ** -0.5
    gains = rng.uniform(0.2, 1, count) * (freqs / freqs[0]) ** -slope
    x = damped_partials(rng, n, sample_rate, freqs, times, gains)
    burst = min(n, int(0.03 * sample_rate))
    hit = lowpass(noise(rng, burst), rng.uniform(1500, 9000), sample_rate) * decay(burst, sample_rate, 0.02)
    return fade(add_at(x, hit, 0, rng.uniform(0.2, 1)), sample_rate, 0.0003, 0.005)


def bursts(rng, n, sample_rate, make, rate, jitter=0.2):
    """Repeat what `make()` gives `rate` times a second, unevenly; float32 (n,)."""
    out, at = np.zeros(n, dtype=np.float32), rng.uniform(0, 0.1)
    while at * sample_rate < n:
        add_at(out, make(), at * sample_rate, rng.uniform(0.5, 1))
        at += rng.normal(1, jitter) / rate if rate else np.inf
    return out


def click_train(rng, n, sample_rate, rate, *, regular=0.5, material="plastic", size=1.0):
    """Many small hits: typing, ratchet, coins; `regular` 1 is a clockwork; float32 (n,)."""
    out = np.zeros(n, dtype=np.float32)
    hits = [impact(rng, int(0.15 * sample_rate), sample_rate, material, size) for _ in range(4)]
    at = rng.uniform(0, 0.3 / rate)
    while at * sample_rate < n:
        add_at(out, hits[rng.integers(4)], at * sample_rate, rng.uniform(0.4, 1) if regular < 0.95 else 0.9)
        at += regular / rate + (1 - regular) * rng.exponential(1 / rate)
    return out


def scrape(rng, n, sample_rate, *, hz=None, grain=60):
    """Friction: gritty band noise whose speed wanders; float32 (n,)."""
    speed = wander(rng, n, sample_rate, rng.uniform(2, 6), 0.05, 1)
    grit = 0.4 + lowpass(pulses(rng, n, sample_rate, grain * 8), 400, sample_rate) * 3
    hz = hz or log_uniform(rng, 900, 5500)
    return bandpass(noise(rng, n), hz, sample_rate, rng.uniform(0.5, 2)) * speed * grit


def motor(rng, n, sample_rate, *, hz=None, air=None):
    """Electric motor: mains harmonics, a whine, blown air, and a start or stop now and then; float32 (n,)."""
    hz = hz or rng.choice([50, 60, 100, 120]) * rng.uniform(0.98, 1.02) * rng.choice([1, 1, 1, 1.7, 3.1])
    run = np.ones(24, dtype=np.float32)
    ramp = int(rng.integers(2, 9))
    if rng.random() < 0.25:
        run[:ramp] = np.linspace(0.15, 1, ramp)
    if rng.random() < 0.2:
        run[-ramp:] = np.linspace(1, 0.1, ramp)
    speed = curve(run, n)
    shape = rng.uniform(0.05, 1, 24) / np.arange(1, 25) ** rng.uniform(0.5, 1.4)
    whirr = harmonic_tone(rng, np.maximum(hz * speed, 8), np.outer(run, shape), sample_rate)
    blown = bandpass(noise(rng, n, "pink"), log_uniform(rng, 400, 4000), sample_rate, 0.5) * speed
    return rms_to(whirr, 0.1) + rms_to(blown, rng.uniform(0.02, 0.14) if air is None else air)


def engine(rng, n, sample_rate, rpm, *, cylinders=4, rough=0.3):
    """Combustion engine: firing order harmonics with cycle-to-cycle roughness; `rpm` is a curve; float32 (n,)."""
    firing = np.asarray(rpm, dtype=np.float32) / 120
    k = np.arange(1, 61)
    shape = (0.25 + (k % cylinders == 0)) / k ** rng.uniform(0.5, 0.9) * rng.uniform(0.5, 1.3, 60)
    rows = shape * rng.uniform(1 - rough, 1 + rough, (max(4, int(n / sample_rate * 12)), 60))
    x = harmonic_tone(rng, np.maximum(firing, 5), rows, sample_rate, peaky=True)
    exhaust = bandpass(noise(rng, n, "pink"), rng.uniform(120, 500), sample_rate, 0.7)
    return rms_to(soft_clip(rms_to(x, 0.4), 2), 0.1) + rms_to(
        exhaust * (0.6 + 0.4 * np.abs(x / (np.abs(x).max() + 1e-9))), 0.04
    )


def pass_by(rng, n, sample_rate, make, *, speed=None, nearest=None):
    """Move a source past the listener: Doppler shift and 1/r level; ``make(f)`` gets the curve of pitch ratios."""
    speed, nearest = speed or rng.uniform(8, 35), nearest or rng.uniform(3, 15)
    t = (np.arange(n, dtype=np.float32) / n - np.float32(rng.uniform(0.35, 0.65))) * np.float32(n / sample_rate)
    r = np.sqrt(nearest**2 + (speed * t) ** 2)
    ratio = 1 / (1 + speed**2 * t / r / 343)
    x = make(ratio)
    near = (nearest / r) ** 1.1
    return (lowpass(x, 1400, sample_rate) * (1 - near) + x * near) * near
