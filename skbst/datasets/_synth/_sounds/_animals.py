"""Animals."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    curve,
    harmonic_tone,
    log_uniform,
    lowpass,
    noise,
    rms_to,
    sine,
    steady,
    wander,
)
from skbst.datasets._synth._mechanics import bursts, scrape
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import distance, reverb
from skbst.datasets._synth._voice import call_vowels, vocalise

__all__ = ["bark", "birds", "chirp", "crickets"]


def chirp(rng, n, sample_rate, low=2200, high=7000):
    """One bird syllable: a short whistle that sweeps, trills or buzzes; float32 (n,)."""
    f0 = curve(np.exp(rng.uniform(np.log(low), np.log(high), int(rng.integers(2, 5)))), n)
    if rng.random() < 0.35:
        f0 = f0 * (1 + 0.08 * sine(steady(rng.uniform(18, 60), n), sample_rate))
    return sine(f0, sample_rate) * curve([0, 1, rng.uniform(0.3, 1), 0], n)


def birds(rng, n, sample_rate, *, density=1.5, metres=10):
    """Several birds that repeat their own phrases at their own distances; float32 (n,)."""
    out = np.zeros(n, dtype=np.float32)
    for _ in range(int(rng.integers(1, 4))):
        low = log_uniform(rng, 1200, 4500)
        song = [
            chirp(rng, int(rng.uniform(0.03, 0.2) * sample_rate), sample_rate, low, low * 2)
            for _ in range(int(rng.integers(1, 5)))
        ]
        layer = np.zeros(n, dtype=np.float32)
        at, gap = rng.uniform(0, min(1.5, 0.3 * n / sample_rate)), rng.uniform(0.4, 2.0) / density
        while at * sample_rate < n:
            for syllable in song:
                add_at(layer, syllable, at * sample_rate, rng.uniform(0.6, 1))
                at += len(syllable) / sample_rate * rng.uniform(1.1, 1.6)
            at += rng.exponential(gap)
        out += distance(rng, layer, sample_rate, metres * rng.uniform(0.4, 2))
    return out


def crickets(rng, n, sample_rate):
    """Insects: carriers of 2.5-6 kHz chopped into pulses and chirps; float32 (n,)."""
    out = np.zeros(n, dtype=np.float32)
    for _ in range(int(rng.integers(1, 4))):
        carrier = sine(steady(rng.uniform(2500, 6000), n), sample_rate)
        pulse = np.maximum(0, sine(steady(rng.uniform(15, 60), n), sample_rate, rng.random()))
        chirps = np.maximum(0, sine(steady(rng.uniform(0.4, 4), n), sample_rate, rng.random()) + rng.uniform(-0.2, 0.8))
        out += carrier * pulse * np.minimum(chirps, 1) * np.float32(rng.uniform(0.2, 1))
    return out


@sound(
    "fx-a",
    "bird",
    (0.5, 12),
    weight=1.4,
    studio=0.2,
    nouns="bird,blackbird,crow,seagull,owl,parrot,rooster,duck,sparrow,bird chirp,pigeon,geese",
    tags="bird,birds,chirp,nature,animal,field-recording,song,singing,wildlife,tweet,birdsong,crow",
)
def _bird(rng, n, sample_rate):
    if rng.random() < 0.65:
        return birds(rng, n, sample_rate, density=2.5, metres=3)

    def caw():
        size, base = int(rng.uniform(0.2, 0.6) * sample_rate), rng.uniform(350, 1100)
        return vocalise(
            rng,
            base * np.array([0.9, 1.2, 1]),
            np.array([(900, 1900, 3200)] * 2),
            [0, 1, 0.8, 0],
            size,
            sample_rate,
            breath=0.1,
            tilt=0.6,
        )

    return bursts(rng, n, sample_rate, caw, rng.uniform(0.6, 2))


def bark(rng, sample_rate):
    """One bark, float32."""
    size, base = int(rng.uniform(0.12, 0.3) * sample_rate), log_uniform(rng, 180, 750)
    formants = call_vowels("uao") * rng.uniform(0.8, 1.3)
    return vocalise(
        rng, base * np.array([0.8, 1.3, 0.7]), formants, [0, 1, 0.6, 0], size, sample_rate, breath=0.12, tilt=0.6
    )


@sound(
    "fx-a",
    "dog or cat",
    (0.4, 8),
    weight=1.6,
    studio=0.35,
    nouns="dog bark,dog barking,cat meow,cat,puppy,growl,kitten,cat purr,hound,dog whining,wolf howl",
    tags="dog,bark,cat,animal,barking,meow,pet,growl,purr,puppy,howl,angry",
)
def _dog_cat(rng, n, sample_rate):
    kind = rng.choice(["bark", "bark", "meow", "purr", "howl"])
    if kind == "bark":
        return reverb(
            rng,
            bursts(rng, n, sample_rate, lambda: bark(rng, sample_rate), rng.uniform(0.8, 3.5), 0.3),
            sample_rate,
            0.5,
            0.2,
        )
    if kind == "purr":
        rumble = lowpass(noise(rng, n, "pink"), 900, sample_rate)
        return (
            rumble
            * (0.2 + np.maximum(0, sine(steady(rng.uniform(20, 28), n), sample_rate)))
            * wander(rng, n, sample_rate, 1, 0.4, 1)
        )
    seconds, base = (
        (rng.uniform(0.5, 1.1), rng.uniform(450, 750))
        if kind == "meow"
        else (rng.uniform(1.5, 3), rng.uniform(250, 420))
    )

    def call():
        shape = base * np.array([0.8, 1.15, 1.2, 1.0, 0.75])
        return vocalise(
            rng,
            shape,
            call_vowels("iaau"),
            [0, 0.8, 1, 0.6, 0],
            int(seconds * sample_rate),
            sample_rate,
            tilt=0.7,
        )

    return bursts(rng, n, sample_rate, call, 0.7 / seconds)


@sound(
    "fx-a",
    "farm and wild",
    (0.6, 10),
    weight=1.2,
    studio=0.25,
    nouns="cow,sheep,horse,pig,goat,lion roar,elephant,frog,donkey,monkey,bear growl,animal walking",
    tags="animal,farm,sheep,cow,horse,nature,zoo,growl,frog,wild,field-recording,monster",
)
def _farm(rng, n, sample_rate):
    base, tremor = log_uniform(rng, 70, 420), rng.choice([0.0, 0.08])
    seconds = rng.uniform(0.4, 1.6)

    def call():
        size = int(seconds * sample_rate)
        points = base * np.array([0.8, 1, 1.05, 1, 0.8]).repeat(6) * (1 + tremor * np.sin(np.arange(30) * 2.2))
        x = vocalise(
            rng,
            points,
            call_vowels("uao") * rng.uniform(0.6, 1.2),
            [0, 1, 1, 0.8, 0],
            size,
            sample_rate,
            breath=0.05,
            tilt=0.7,
        )
        return rms_to(x, 0.1) + rms_to(scrape(rng, size, sample_rate, hz=700), 0.015)

    return distance(rng, bursts(rng, n, sample_rate, call, 0.6 / seconds), sample_rate, rng.uniform(1, 30))


@sound(
    "fx-a",
    "insect",
    (1, 15),
    weight=1.0,
    studio=0.2,
    nouns="cicada,cricket,bee,fly,mosquito,bumblebee,grasshopper,insects,wasp,katydid",
    tags="insect,insects,bee,cricket,buzz,cicada,nature,animal,summer,field-recording,fly,night",
)
def _insect(rng, n, sample_rate):
    if rng.random() < 0.5:
        return crickets(rng, n, sample_rate)
    f0 = rng.uniform(130, 520) * wander(rng, n, sample_rate, 4, 0.85, 1.2)
    return (
        harmonic_tone(rng, f0, 1 / np.arange(1, 25)[None] ** 0.8, sample_rate)
        * wander(rng, n, sample_rate, 1.2, 0, 1) ** 2
    )
