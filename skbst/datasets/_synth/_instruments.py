"""Single notes of string, wind and keyboard instruments and synthesizers."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    damped_partials,
    decay,
    fade,
    harmonic_tone,
    highpass,
    log_uniform,
    lowpass,
    noise,
    peak_eq,
    rms_to,
    sine,
    soft_clip,
    steady,
)

__all__ = ["blow", "bow", "harpsichord", "midi", "organ", "piano", "pluck", "synth"]


def midi(note):
    """Frequency in Hz of a MIDI note number."""
    return 440.0 * 2 ** ((np.asarray(note, dtype=float) - 69) / 12)


def _harmonics(n_harmonics):
    return np.arange(1, n_harmonics + 1, dtype=np.float32)


def _struck_rows(rng, k, seconds, t60, damping, position, brightness, rows=24, warp=2.0):
    """Amplitudes of a string excited at `position`: high harmonics are weaker and die first."""
    time = seconds * np.linspace(0, 1, rows)[:, None] ** warp
    start = np.abs(np.sin(np.pi * k * position)) / k ** (2.2 - 1.6 * brightness)
    start *= rng.uniform(0.6, 1.4, len(k))
    rate = 6.9078 / t60 * (1 + damping * (k - 1) ** 1.3)
    return start * np.exp(-rate * time)


def pluck(rng, hz, n, sample_rate, *, kind="nylon", velocity=0.8):
    """Plucked string: nylon, steel, bass, harp, koto or sitar; float32 (n,)."""
    t60, damping, position, body = {
        "nylon": (2.5, 0.09, 0.2, 180),
        "steel": (4.5, 0.035, 0.13, 220),
        "bass": (5.0, 0.08, 0.25, 90),
        "harp": (4.0, 0.06, 0.4, 400),
        "koto": (2.0, 0.03, 0.08, 600),
        "sitar": (4.0, 0.012, 0.05, 350),
    }[kind]
    k = _harmonics(min(48, max(4, int(9000 / hz))))
    seconds = n / sample_rate
    rows = _struck_rows(rng, k, seconds, t60 * (220 / hz) ** 0.35, damping, position, velocity)
    bend = 1 + 0.006 * velocity * decay(n, sample_rate, 0.25)
    tone = harmonic_tone(rng, hz * bend, rows, sample_rate, warp=2.0)
    if kind == "sitar":
        tone = soft_clip(tone, 3.0)
    size = min(n, int(0.05 * sample_rate))
    knock = np.zeros(n, dtype=np.float32)
    knock[:size] = bandpass(noise(rng, size), body * rng.uniform(0.8, 6), sample_rate, 1.0) * decay(
        size, sample_rate, 0.03
    )
    tone = peak_eq(tone / (np.abs(tone).max() + 1e-9), body, sample_rate, 6, 1.5) + 0.3 * velocity * knock
    return fade(tone, sample_rate, 0.001, 0.02)


def bow(rng, hz, n, sample_rate, *, kind="violin", velocity=0.7):
    """Bowed string with slow attack, delayed vibrato, body formants and bow noise; float32 (n,)."""
    low, mid = {"violin": (480, 2600), "viola": (350, 1800), "cello": (220, 1200), "contrabass": (120, 700)}[kind]
    k = _harmonics(min(40, max(4, int(10000 / hz))))
    body = 1 / (1 + ((k * hz - low) / (0.6 * low)) ** 2) + 0.7 / (1 + ((k * hz - mid) / (0.5 * mid)) ** 2) + 0.12
    rows = (body / k**0.9) * rng.uniform(0.75, 1.25, (10, len(k)))
    onset = curve(np.minimum(1, np.linspace(0, 4, 24)), n)
    depth = rng.uniform(0.002, 0.009) * onset
    vibrato = 1 + depth * sine(steady(rng.uniform(4.8, 6.5), n), sample_rate)
    tone = harmonic_tone(rng, hz * vibrato, rows, sample_rate)
    swell = curve(rng.uniform(0.6, 1.0, 6), n)
    rosin = bandpass(noise(rng, n), mid * 1.5, sample_rate, 0.7) * rng.uniform(0.01, 0.06)
    tone = (tone / (np.abs(tone).max() + 1e-9) + rosin) * swell * velocity
    return fade(tone, sample_rate, rng.uniform(0.04, 0.18), 0.08)


def blow(rng, hz, n, sample_rate, *, kind="flute", velocity=0.7):
    """Wind instrument: jet or reed spectrum, breath noise, chiff, vibrato; float32 (n,)."""
    k = _harmonics(min(36, max(4, int(10000 / hz))))
    loud = 0.6 + 0.8 * velocity
    shape, breath, attack = {
        "flute": (np.exp(-0.9 * (k - 1) / loud), 0.09, 0.05),
        "recorder": (np.where(k % 2, 1, 0.12) * np.exp(-1.0 * (k - 1) / loud), 0.04, 0.03),
        "clarinet": (np.where(k % 2, 1, 0.08) / k ** (1.2 / loud), 0.03, 0.04),
        "saxophone": ((1 / (1 + ((k * hz - 700) / 600) ** 2) + 0.25) / k ** (0.5 / loud), 0.04, 0.04),
        "trumpet": ((1 / (1 + ((k * hz - 1300) / 900) ** 2) + 0.1) / k ** (0.4 / loud), 0.02, 0.03),
        "trombone": ((1 / (1 + ((k * hz - 600) / 450) ** 2) + 0.1) / k ** (0.6 / loud), 0.02, 0.05),
        "accordion": (1 / k ** (0.7 / loud) * np.where(k % 3, 1, 1.6), 0.02, 0.05),
        "panpipe": (np.where(k % 2, 1, 0.1) * np.exp(-1.4 * (k - 1) / loud), 0.22, 0.02),
    }[kind]
    rows = shape * rng.uniform(0.8, 1.2, (8, len(k)))
    rows[0] *= np.exp(-0.25 * (k - 1))
    depth = rng.choice([0.0, 0.004, 0.01]) if kind != "accordion" else 0.0
    f0 = hz * (1 + depth * sine(steady(rng.uniform(4.5, 6), n), sample_rate))
    f0 *= 1 - rng.uniform(0, 0.03) * decay(n, sample_rate, 0.12)
    tone = harmonic_tone(rng, f0, rows, sample_rate)
    if kind == "accordion":
        tone = tone + harmonic_tone(rng, f0 * 1.004, rows, sample_rate)
    tone /= np.abs(tone).max() + 1e-9
    air = bandpass(noise(rng, n), min(2.2 * hz, 6000), sample_rate, 0.6) * breath
    air[: int(0.06 * sample_rate)] *= 3
    swell = curve(rng.uniform(0.75, 1.0, 5), n)
    return fade((tone + air) * swell * velocity, sample_rate, attack * rng.uniform(0.6, 2), 0.06)


def piano(rng, hz, n, sample_rate, *, velocity=0.7, electric=False):
    """Struck strings with stretched partials, beating unisons and a hammer knock; `electric` gives a tine piano."""
    n_partials = min(22, max(3, int(9000 / hz)))
    k = np.arange(1, n_partials + 1)
    seconds = n / sample_rate
    if electric:
        freqs, gains = hz * np.array([1, 2.0, 4.02, 6.3, 14.2]), np.array([1, 0.35, 0.12, 0.08, 0.25 * velocity])
        tone = damped_partials(rng, n, sample_rate, freqs, [3, 2, 1.2, 0.5, 0.12], gains)
        tone *= 1 + 0.25 * sine(steady(rng.uniform(3, 6), n), sample_rate)
    else:
        freqs = hz * k * np.sqrt(1 + rng.uniform(2e-4, 6e-4) * k**2)
        gains = np.abs(np.sin(np.pi * k / 8.3)) / k ** (1.9 - 1.1 * velocity) + 1e-3
        t60 = 7 * (130 / hz) ** 0.45 / (1 + 0.18 * (k - 1))
        freqs = np.concatenate([freqs, freqs * (1 + rng.uniform(2e-4, 9e-4))])
        tone = damped_partials(rng, n, sample_rate, freqs, np.tile(t60, 2), np.tile(gains, 2))
    size = min(n, int(0.06 * sample_rate))
    tone /= np.abs(tone).max() + 1e-9
    tone[:size] += 0.25 * velocity * lowpass(noise(rng, size), 900, sample_rate) * decay(size, sample_rate, 0.05)
    if rng.random() < 0.5 and seconds > 0.5:
        stop = int(rng.uniform(0.4, 0.9) * n)
        tone[stop:] *= decay(n - stop, sample_rate, 0.25)
    return fade(tone * velocity, sample_rate, 0.001, 0.03)


def harpsichord(rng, hz, n, sample_rate, *, velocity=0.8):
    """Quill-plucked string: bright, same loudness whatever the touch, with the jack's clicks."""
    k = _harmonics(min(50, max(6, int(14000 / hz))))
    rows = _struck_rows(rng, k, n / sample_rate, 3.0 * (220 / hz) ** 0.4, 0.02, 0.11, 1.0)
    tone = harmonic_tone(rng, steady(hz, n), rows, sample_rate, warp=2.0)
    if rng.random() < 0.5:
        tone = tone + 0.6 * harmonic_tone(rng, steady(2.003 * hz, n), rows, sample_rate, warp=2.0)
    tone = tone / (np.abs(tone).max() + 1e-9)
    size = min(n, int(0.015 * sample_rate))
    click = highpass(noise(rng, size), 2500, sample_rate) * decay(size, sample_rate, 0.01)
    add_at(tone, click, 0, 0.3)
    add_at(tone, click, int(0.85 * n), 0.1)
    return fade(tone * velocity, sample_rate, 0.0005, 0.05)


def organ(rng, hz, n, sample_rate, *, velocity=0.8, kind="pipe"):
    """Pipe organ (stops with chiff) or drawbar organ (rotary tremolo); float32 (n,)."""
    k = _harmonics(24)
    if kind == "pipe":
        stops = rng.uniform(0, 1, 5)
        shape = np.zeros(24, dtype=np.float32)
        for harmonic, gain in zip((1, 2, 4, 3, 8), stops):
            shape[harmonic - 1 :: harmonic] += gain / k[: len(shape[harmonic - 1 :: harmonic])] ** 1.3
    else:
        shape = np.zeros(24, dtype=np.float32)
        shape[[0, 1, 2, 3, 4, 5, 7]] = rng.uniform(0.1, 1, 7)
    sway = 1 + (0.004 if kind == "drawbar" else 0.0005) * sine(steady(rng.uniform(5.5, 7), n), sample_rate)
    tone = harmonic_tone(rng, hz * sway, shape[None], sample_rate)
    tone = tone / (np.abs(tone).max() + 1e-9)
    if kind == "drawbar":
        tone = soft_clip(tone * (1 + 0.25 * sine(steady(6.3, n), sample_rate)), 1.5)
    else:
        size = min(n, int(0.08 * sample_rate))
        tone[:size] += 0.25 * bandpass(noise(rng, size), 3 * hz, sample_rate, 1.5) * decay(size, sample_rate, 0.08)
        tone += bandpass(noise(rng, n), 2 * hz, sample_rate, 1) * np.float32(0.012)
    return fade(tone * velocity, sample_rate, 0.02 if kind == "pipe" else 0.004, 0.05)


def _oscillator_rows(rng, kind, k, rows):
    shape = {
        "saw": 1 / k,
        "square": np.where(k % 2, 1 / k, 0.0),
        "pulse": np.abs(np.sin(np.pi * k * rng.uniform(0.1, 0.4))) / k,
        "triangle": np.where(k % 2, 1 / k**2, 0.0),
    }[kind]
    return np.tile(shape, (rows, 1))


def synth(rng, hz, n, sample_rate, *, kind=None, velocity=0.8):
    """Synthesizer note: subtractive with a moving resonant filter, FM, or a detuned stack; float32 (n,)."""
    kind = kind or rng.choice(["acid", "lead", "pad", "fm", "bass", "stab"])
    if kind == "fm":
        ratio, index = rng.choice([1, 1.41, 2, 3, 3.5, 7]), rng.uniform(1, 8)
        fall = decay(n, sample_rate, log_uniform(rng, 0.2, 3))
        phase = np.cumsum(steady(hz / sample_rate, n), dtype=np.float64)
        wobble = index * fall * np.sin(2 * np.pi * np.float32(1) * ((phase * ratio) % 1)).astype(np.float32)
        tone = np.sin((2 * np.pi * (phase % 1)).astype(np.float32) + wobble) * (0.3 + 0.7 * fall)
        return fade(tone.astype(np.float32) * velocity, sample_rate, 0.004, 0.03)
    k = _harmonics(min(60, max(6, int(14000 / hz))))
    rows = _oscillator_rows(rng, rng.choice(["saw", "square", "pulse", "triangle"], p=[0.5, 0.2, 0.2, 0.1]), k, 32)
    seconds = n / sample_rate
    t = np.linspace(0, seconds, 32)[:, None]
    base = log_uniform(rng, 200, 2500)
    if kind == "pad":
        cutoff = base * 2 ** (2 * np.sin(np.pi * t / max(seconds, 0.1)))
    else:
        cutoff = base * (1 + rng.uniform(2, 12) * np.exp(-t / log_uniform(rng, 0.05, 0.6)))
    ratio = k * hz / cutoff
    resonance = rng.uniform(0, 6) if kind in ("acid", "lead") else rng.uniform(0, 1.5)
    rows = rows / (1 + ratio**4) * (1 + resonance * np.exp(-(((ratio - 1) / 0.15) ** 2)))
    tone = harmonic_tone(rng, steady(hz, n), rows, sample_rate)
    for _ in range({"pad": 3, "lead": 1}.get(kind, 0)):
        tone = tone + harmonic_tone(rng, steady(hz * rng.uniform(0.988, 1.012), n), rows, sample_rate)
    tone = rms_to(tone, 0.25) * velocity
    if kind in ("acid", "bass"):
        tone = soft_clip(tone, rng.uniform(1, 5))
    attack, t60 = {"pad": (0.3, 60), "stab": (0.003, 0.5), "bass": (0.004, 1.6)}.get(kind, (0.006, 6))
    tone = tone * decay(n, sample_rate, t60)
    return fade(tone, sample_rate, min(attack, seconds / 3), min(0.3 if kind == "pad" else 0.03, seconds / 3))
