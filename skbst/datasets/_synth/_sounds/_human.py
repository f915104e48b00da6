"""Human sounds that are no speech."""

import numpy as np

from skbst.datasets._synth import _drums as drums
from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    decay,
    fade,
    harmonic_tone,
    highpass,
    log_uniform,
    lowpass,
    noise,
    pulses,
    rms_to,
    sine,
    steady,
    wander,
)
from skbst.datasets._synth._mechanics import bursts
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import reverb
from skbst.datasets._synth._voice import babble, call_vowels, vocalise

__all__ = ["applause", "footsteps"]


def footsteps(rng, n, sample_rate, *, ground=None, pace=None):
    """Steps at a walking or running pace on wood, gravel, snow or stone; float32 (n,)."""
    ground, pace = ground or rng.choice(["wood", "gravel", "snow", "stone"]), pace or rng.uniform(1.5, 3.2)
    size = int(0.28 * sample_rate)
    steps = []
    for _ in range(4):
        heel = lowpass(noise(rng, size), rng.uniform(180, 700), sample_rate) * decay(size, sample_rate, 0.08) * 4
        if ground in ("gravel", "snow"):
            crunch = highpass(pulses(rng, size, sample_rate, 2500 if ground == "snow" else 900), 1200, sample_rate)
            heel = 0.5 * heel + crunch * decay(size, sample_rate, 0.3)
        elif ground == "stone":
            heel = heel + 0.6 * bandpass(noise(rng, size), 2200, sample_rate, 2) * decay(size, sample_rate, 0.03)
        steps.append(fade(heel, sample_rate, 0.002, 0.02))
    out, at = np.zeros(n, dtype=np.float32), rng.uniform(0, 0.3)
    while at * sample_rate < n:
        step = steps[rng.integers(4)]
        add_at(out, step, at * sample_rate, rng.uniform(0.6, 1))
        add_at(out, step, (at + 0.09) * sample_rate, 0.35)
        at += rng.normal(1, 0.05) / pace
    return out


def applause(rng, n, sample_rate, rate=None):
    """Clapping hands of a few people or a hall; float32 (n,)."""
    out, rate = np.zeros(n, dtype=np.float32), rate or log_uniform(rng, 8, 220)
    claps = [drums.clap(rng, int(0.08 * sample_rate), sample_rate) for _ in range(8)]
    for at in rng.uniform(0, n, rng.poisson(rate * n / sample_rate)):
        add_at(out, claps[rng.integers(8)], at, rng.lognormal(-0.5, 0.5))
    return out


@sound(
    "fx-h",
    "footsteps",
    (1.5, 15),
    weight=1.5,
    studio=0.35,
    nouns="footsteps,walking,running,steps on gravel,walking in snow,high heels,stairs,footsteps wood,walk",
    tags="footsteps,walking,steps,foley,feet,shoes,walk,run,gravel,wood,field-recording,snow,human",
)
def _footsteps(rng, n, sample_rate):
    x = footsteps(rng, n, sample_rate)
    return reverb(rng, x, sample_rate, 0.8, 0.3) if rng.random() < 0.4 else x


@sound(
    "fx-h",
    "laugh or cry",
    (0.8, 8),
    weight=1.7,
    nouns="laugh,laughter,evil laugh,giggle,baby crying,crying,woman laughing,sobbing,child laugh,screaming",
    tags="laugh,laughing,laughter,female,male,voice,human,cry,baby,evil,funny,scream,woman,giggle",
)
def _laugh(rng, n, sample_rate):
    base, tract = rng.choice([120, 210, 330]) * rng.uniform(0.85, 1.4), rng.uniform(1, 1.25)
    cry, formants = rng.random() < 0.35, call_vowels("aa") * tract

    def ha():
        size = int(rng.uniform(0.5, 1.1) * sample_rate) if cry else int(rng.uniform(0.1, 0.2) * sample_rate)
        pitch = base * rng.uniform(0.9, 1.3) * np.array([1, 1.35, 1.1, 0.8] if cry else [1.25, 1.1, 0.85])
        return vocalise(rng, pitch, formants, [0, 1, 0.7, 0.2, 0], size, sample_rate, breath=0.07)

    x = bursts(rng, n, sample_rate, ha, rng.uniform(0.9, 1.4) if cry else rng.uniform(3.8, 6))
    return x * (np.ones(n, np.float32) if cry else wander(rng, n, sample_rate, 1.5, 0.1, 1))


@sound(
    "fx-h",
    "clap",
    (0.2, 12),
    weight=1.3,
    studio=0.35,
    nouns="applause,clapping,clap,hand clap,finger snap,audience applause,slow clap,slap,high five,knocking",
    tags="clap,applause,clapping,hands,audience,crowd,human,snap,cheer,people,slap,hit",
)
def _clap(rng, n, sample_rate):
    if n < 1.5 * sample_rate or rng.random() < 0.3:
        return bursts(
            rng, n, sample_rate, lambda: drums.clap(rng, int(0.2 * sample_rate), sample_rate), rng.uniform(1, 5)
        )
    x = applause(rng, n, sample_rate)
    return reverb(rng, x, sample_rate, 1.0, 0.3) + (
        rms_to(babble(rng, n, sample_rate, voices=4), 0.02) if rng.random() < 0.3 else 0
    )


@sound(
    "fx-h",
    "breath or cough",
    (0.3, 8),
    weight=1.5,
    studio=0.4,
    nouns="cough,breathing,sneeze,sigh,heavy breath,snoring,gasp,yawn,sniff,throat clearing,panting",
    tags="cough,breath,breathing,human,sneeze,male,female,nose,mouth,throat,sick,sigh,snore",
)
def _breath(rng, n, sample_rate):
    kind = rng.choice(["breath", "cough", "snore"])

    def one():
        size = int(rng.uniform(0.8, 1.6) * sample_rate) if kind != "cough" else int(rng.uniform(0.2, 0.4) * sample_rate)
        air = bandpass(noise(rng, size), rng.uniform(500, 2200), sample_rate, 0.8)
        if kind == "breath":
            return air * curve([0, 0.6, 1, 0.6, 0], size)
        if kind == "cough":
            throat = vocalise(rng, [180, 130], call_vowels("ao"), [1, 0.3, 0], size, sample_rate, breath=0.3)
            return rms_to(throat, 0.1) + rms_to(air * decay(size, sample_rate, 0.25), 0.15)
        return (
            air
            * curve([0, 1, 0.3, 0], size)
            * (0.4 + np.maximum(0, sine(steady(rng.uniform(22, 45), size), sample_rate)))
        )

    return bursts(rng, n, sample_rate, one, {"breath": 0.6, "cough": 1.4, "snore": 0.4}[kind])


@sound(
    "fx-h",
    "mouth and body",
    (0.2, 6),
    weight=1.1,
    nouns="kiss,eating,chewing,burp,heartbeat,swallow,drinking,fart,lip smack,spit,bones crack,scratching",
    tags="mouth,human,eating,body,chew,heart,heartbeat,burp,lips,wet,food,swallow,stomach",
)
def _body(rng, n, sample_rate):
    kind = rng.choice(["heart", "chew", "burp"])
    if kind == "heart":
        beat = np.zeros(int(0.5 * sample_rate), dtype=np.float32)
        for at, gain in ((0, 1.0), (0.22, 0.7)):
            add_at(
                beat,
                sine(steady(52, int(0.15 * sample_rate)), sample_rate)
                * decay(int(0.15 * sample_rate), sample_rate, 0.12),
                at * sample_rate,
                gain,
            )
        return bursts(rng, n, sample_rate, lambda: beat, rng.uniform(1, 2), 0.03)
    if kind == "chew":

        def wet():
            bite = bandpass(pulses(rng, 6000, sample_rate, 700), rng.uniform(700, 2500), sample_rate, 1)
            return bite * curve([0, 1, 0.2, 0], 6000)

        return bursts(rng, n, sample_rate, wet, rng.uniform(1.5, 4))
    f0 = curve(rng.uniform(45, 110, 8), n)
    return harmonic_tone(rng, f0, rng.uniform(0.1, 1, (12, 30)) / np.arange(1, 31) ** 0.7, sample_rate) * curve(
        [0, 1, 0.7, 0.9, 0], n
    )
