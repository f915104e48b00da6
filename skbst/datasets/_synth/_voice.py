"""Voices: a glottal source through moving formants, syllables, phrases, laughter, many speakers at once."""

import numpy as np

from skbst.datasets._synth._dsp import add_at, bandpass, curve, fade, harmonic_tone, highpass, noise, rms_to

__all__ = ["VOWELS", "babble", "call_vowels", "sing", "speak", "vocalise"]

#: First three formants in Hz of a male voice (after Peterson & Barney 1952).
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "ae": (660, 1720, 2410),
    "er": (490, 1350, 1690),
    "uh": (640, 1190, 2390),
}
# the same, rounder, for what is no speech: cries and animals, each of which scales them to its own throat
_CALL_VOWELS = {"a": (750, 1200, 2500), "i": (320, 2300, 3100), "o": (520, 900, 2400), "u": (320, 850, 2300)}
_TABLE = np.array(list(VOWELS.values()), dtype=np.float32)
# seconds between two shapes of the throat; taken as it is
_FRAME = 0.012


def call_vowels(names):
    """Formants of cries and animals, one of "aiou" after the other; shape (n_points, 3), in Hz."""
    return np.array([_CALL_VOWELS[name] for name in names])


def vocalise(rng, f0_points, formant_points, loud_points, n, sample_rate, *, breath=0.05, tilt=1.1, q=9.0):
    """Voiced sound whose pitch, formants and loudness follow equally spaced control points.

    Parameters
    ----------
    rng : Generator
        Draws jitter and noise.

    f0_points : array-like, in Hz
        Pitch.

    formant_points : array-like of shape (n_points, n_formants), in Hz
        Centres of the resonances.

    loud_points : array-like
        Loudness, 0 is silent.

    n, sample_rate : int
        Length and rate.

    breath : float, default=0.05
        Share of aspiration noise.

    tilt : float, default=1.1
        Fall of the source spectrum: harmonic k has amplitude ``k ** -tilt``.

    q : float, default=9.0
        Sharpness of the resonances.

    Returns
    -------
    x : ndarray of shape (n,), float32
    """
    rows = max(4, int(n / sample_rate / _FRAME))
    f0_rows, loud = curve(f0_points, rows), curve(loud_points, rows)
    formants = np.stack([curve(column, rows) for column in np.asarray(formant_points, dtype=np.float32).T], axis=1)
    jitter = 1 + 0.012 * rng.standard_normal(rows // 4 + 2)
    f0 = curve(f0_rows, n) * curve(jitter, n)
    k = np.arange(1, int(min(72, max(6, 8000 / max(float(f0_rows.min()), 40)))) + 1, dtype=np.float32)
    hz = k * f0_rows[:, None]
    envelope = np.full_like(hz, 0.02)
    for j in range(formants.shape[1]):
        centre = formants[:, j : j + 1]
        envelope += 0.8**j / (1 + ((hz - centre) / (60 + centre / q)) ** 2)
    rows_amp = envelope * k**-tilt * loud[:, None] ** 1.2
    x = harmonic_tone(rng, f0, rows_amp, sample_rate, peaky=True)
    if breath:
        air = bandpass(noise(rng, n), float(formants[:, -1].mean()), sample_rate, 0.8)
        x = x + np.float32(breath * 2) * air * curve(loud, n) * float(np.abs(x).max() + 1e-9)
    return x


def _voice(rng, kind):
    kind = kind or rng.choice(["male", "female", "child"], p=[0.48, 0.42, 0.1])
    f0, tract = {"male": (115, 1.0), "female": (205, 1.15), "child": (290, 1.28)}[kind]
    return f0 * rng.uniform(0.82, 1.22), tract * rng.uniform(0.95, 1.06)


def _syllables(rng, rows, rate, pause):
    """Per frame: syllable loudness, hiss loudness, vowel formants, phrase position."""
    loud, hiss = np.zeros(rows, dtype=np.float32), np.zeros(rows, dtype=np.float32)
    formants = np.tile(_TABLE[rng.integers(len(_TABLE))], (rows, 1))
    accent = np.ones(rows, dtype=np.float32)
    at = int(rng.uniform(0, 0.12) / _FRAME)
    left = int(rng.integers(2, 10))
    while at < rows:
        length = max(4, int(rng.gamma(9, 1 / 9) / rate / _FRAME))
        stop = min(rows, at + length)
        lead = int(length * rng.choice([0.15, 0.35], p=[0.6, 0.4]))
        bump = np.sin(np.linspace(0, np.pi, max(2, length - lead))) ** 0.6
        loud[at + lead : stop] = (bump * rng.uniform(0.55, 1))[: max(0, stop - at - lead)]
        if rng.random() < 0.6:
            hiss[at : min(rows, at + lead)] = rng.uniform(0.2, 1)
        formants[at:stop] = _TABLE[rng.integers(len(_TABLE))]
        accent[at:stop] = rng.uniform(0.88, 1.2) * (0.85 + 0.04 * min(left, 8))
        at, left = stop, left - 1
        if left == 0:
            at += int(rng.exponential(pause) / _FRAME)
            left = int(rng.integers(2, 10))
    return loud, hiss, formants, accent


def speak(rng, n, sample_rate, *, kind=None, rate=4.6, pause=0.35, monotone=0.0, breath=0.06, whisper=False):
    """Babbled speech of one voice: syllables, phrases, pauses, fricatives; float32 (n,).

    Parameters
    ----------
    rng : Generator
        Draws voice and words.

    n, sample_rate : int
        Length and rate.

    kind : {"male", "female", "child"}, default=None
        Voice; None draws one.

    rate : float, default=4.6
        Syllables per second.

    pause : float, default=0.35
        Mean pause between phrases in seconds.

    monotone : float in [0, 1], default=0
        1 takes all melody and jitter away, as a machine speaks.

    breath : float, default=0.06
        Share of aspiration noise.

    whisper : bool, default=False
        Whether noise replaces the voice.
    """
    base, tract = _voice(rng, kind)
    rows = max(6, int(n / sample_rate / _FRAME) + 1)
    loud, hiss, formants, accent = _syllables(rng, rows, rate, pause)
    kernel = np.ones(4, dtype=np.float32) / 4
    formants = np.stack([np.convolve(np.pad(c, (2, 1), mode="edge"), kernel, "valid")[:rows] for c in formants.T], 1)
    accent = np.convolve(np.pad(accent, (4, 3), mode="edge"), np.ones(8) / 8, "valid")[:rows]
    f0 = base * (1 + (accent - 1) * (1 - monotone))
    if whisper:
        x = np.zeros(n, dtype=np.float32)
        for j in range(3):
            centre = float(formants[:, j].mean()) * tract
            x += bandpass(noise(rng, n), centre, sample_rate, 1.5) * curve(loud, n) * np.float32(0.8**j)
    else:
        x = vocalise(rng, f0, formants * tract, loud, n, sample_rate, breath=breath * (1 - monotone))
    x = rms_to(x, 0.2)
    sibilant = highpass(noise(rng, n), rng.uniform(2800, 5200), sample_rate) * curve(hiss, n)
    return x + np.float32(rng.uniform(0.05, 0.16)) * sibilant


def sing(rng, freqs, seconds, n, sample_rate):
    """Sung melody: steady pitches with vibrato on slowly changing vowels; float32 (n,)."""
    points = max(8, int(n / sample_rate / 0.03))
    per_note = np.minimum((np.arange(points) * 0.03 / seconds).astype(int), len(freqs) - 1)
    vowel = _TABLE[rng.integers(0, len(_TABLE), len(freqs))][per_note] * rng.uniform(1.0, 1.2)
    sway = 1 + 0.013 * np.sin(2 * np.pi * 5.4 * np.arange(points) * 0.03)
    f0 = np.asarray(freqs)[per_note] * sway
    loud = 0.75 + 0.25 * np.abs(np.sin(np.pi * np.arange(points) * 0.03 / seconds))
    return fade(vocalise(rng, f0, vowel, loud, n, sample_rate, breath=0.01, tilt=0.9), sample_rate, 0.05, 0.1)


def babble(rng, n, sample_rate, *, voices=8):
    """Many speakers at once: three streams, shifted, re-pitched and mixed; float32 (n,)."""
    streams = [speak(rng, n, sample_rate, rate=rng.uniform(3.8, 5.5), pause=0.3) for _ in range(min(3, voices))]
    out = np.zeros(n, dtype=np.float32)
    for v in range(voices):
        stream = streams[v % len(streams)]
        if v >= len(streams):
            speed = rng.uniform(0.85, 1.18)
            index = ((np.arange(n, dtype=np.float32) * np.float32(speed)) + rng.integers(n)).astype(np.int64) % n
            stream = stream.take(index)
        add_at(out, stream, 0, rng.uniform(0.3, 1))
    return out
