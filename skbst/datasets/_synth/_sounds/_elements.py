"""Rain, wind, fire, water, thunder, stones, explosions."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    decay,
    fade,
    highpass,
    log_uniform,
    lowpass,
    noise,
    pulses,
    rms_to,
    sine,
    soft_clip,
    wander,
)
from skbst.datasets._synth._mechanics import impact
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import reverb

__all__ = ["bubbles", "explosion", "fire", "rain", "stream", "thunder", "waves", "wind"]


def wind(rng, n, sample_rate, *, howl=0.4):
    """Gusts: brown noise with a wandering level and a whistling band; float32 (n,)."""
    gust = wander(rng, n, sample_rate, 0.6, 0.1, 1) ** 2 + 0.15 * wander(rng, n, sample_rate, 4, 0, 1)
    x = lowpass(noise(rng, n, "brown"), rng.uniform(250, 900), sample_rate)
    whistle = bandpass(noise(rng, n), rng.uniform(350, 1100), sample_rate, rng.uniform(2, 9))
    return (rms_to(x, 0.1) + rms_to(whistle, 0.1 * howl) * gust) * gust


def rain(rng, n, sample_rate, *, heavy=None):
    """Rain: a hiss under many small drops; float32 (n,)."""
    heavy = rng.random() if heavy is None else heavy
    hiss = highpass(noise(rng, n, "pink"), rng.uniform(400, 1800), sample_rate)
    drops = bandpass(pulses(rng, n, sample_rate, 40 + 900 * heavy, 1.2), rng.uniform(1500, 5000), sample_rate, 0.8)
    return rms_to(hiss, 0.02 + 0.1 * heavy) * wander(rng, n, sample_rate, 0.7, 0.7, 1) + rms_to(drops, 0.06)


def bubbles(rng, n, sample_rate, rate=12):
    """Drops and bubbles: short sines that rise in pitch (Minnaert resonances); float32 (n,)."""
    out = np.zeros(n, dtype=np.float32)
    for at in rng.uniform(0, n, rng.poisson(rate * n / sample_rate) + 1):
        size, hz = int(rng.uniform(0.015, 0.09) * sample_rate), log_uniform(rng, 350, 2800)
        f0 = hz * (1 + rng.uniform(0, 0.8) * np.linspace(0, 1, size, dtype=np.float32))
        add_at(
            out,
            fade(sine(f0, sample_rate) * decay(size, sample_rate, size / sample_rate), sample_rate),
            at,
            rng.lognormal(-1, 0.6),
        )
    return out


def stream(rng, n, sample_rate):
    """Running water: filtered noise with bubbles; float32 (n,)."""
    x = bandpass(noise(rng, n, "pink"), rng.uniform(500, 2500), sample_rate, 0.4) * wander(
        rng, n, sample_rate, 8, 0.6, 1
    )
    return rms_to(x, 0.08) + rms_to(bubbles(rng, n, sample_rate, rng.uniform(10, 60)), rng.uniform(0.02, 0.07))


def waves(rng, n, sample_rate):
    """Surf: noise that swells every few seconds and darkens as it withdraws; float32 (n,)."""
    phase = np.cumsum(wander(rng, n, sample_rate, 0.5, 0.09, 0.22)) / np.float32(sample_rate) + np.float32(rng.random())
    phase = phase - np.floor(phase)
    swell = np.where(phase < 0.3, phase / 0.3, (1 - phase) / 0.7) ** 2
    low = lowpass(noise(rng, n, "brown"), 500, sample_rate)
    return rms_to(low, 0.05) * (0.3 + swell) + rms_to(highpass(noise(rng, n, "pink"), 700, sample_rate), 0.1) * (
        0.08 + swell
    )


def fire(rng, n, sample_rate):
    """Fire: low flutter and crackles; float32 (n,)."""
    flutter = lowpass(noise(rng, n, "brown"), rng.uniform(200, 600), sample_rate) * wander(
        rng, n, sample_rate, 9, 0.3, 1
    )
    crack = bandpass(pulses(rng, n, sample_rate, rng.uniform(6, 45), 1.4), rng.uniform(1500, 5000), sample_rate, 0.8)
    return rms_to(flutter, 0.05) + rms_to(crack, 0.07) + rms_to(highpass(noise(rng, n), 3000, sample_rate), 0.008)


def thunder(rng, n, sample_rate):
    """Thunder: a crack, then rolling low noise; float32 (n,)."""
    roll = np.zeros(n, dtype=np.float32)
    for _ in range(int(rng.integers(2, 7))):
        size = int(rng.uniform(0.5, 3) * sample_rate)
        boom = lowpass(noise(rng, size, "brown"), rng.uniform(60, 350), sample_rate) * curve(
            [0.2, 1, 0.5, 0.2, 0], size
        )
        add_at(roll, boom, rng.uniform(0, 0.6) * n, rng.uniform(0.4, 1))
    size = min(n, int(1.2 * sample_rate))
    crack = bandpass(noise(rng, size), 1400, sample_rate, 0.5) * decay(size, sample_rate, rng.uniform(0.3, 1.2))
    return add_at(rms_to(roll, 0.12), crack, rng.uniform(0, 0.2) * n, rng.uniform(0, 0.5))


def explosion(rng, n, sample_rate):
    """Blast: broad burst, falling low boom, debris; float32 (n,)."""
    t60 = log_uniform(rng, 0.6, 4)
    burst = lowpass(noise(rng, n), rng.uniform(1200, 7000), sample_rate) * decay(n, sample_rate, t60 * 0.4)
    boom = sine(35 + rng.uniform(40, 120) * decay(n, sample_rate, 0.5), sample_rate) * decay(n, sample_rate, t60)
    x = soft_clip(
        2 * (burst + boom + lowpass(noise(rng, n, "brown"), 200, sample_rate) * decay(n, sample_rate, t60)), 1.5
    )
    debris = highpass(pulses(rng, n, sample_rate, 60), 900, sample_rate) * decay(n, sample_rate, 2 * t60)
    return reverb(rng, x + 0.1 * debris, sample_rate, 1.2, 0.25)


@sound(
    "fx-n",
    "water",
    (0.6, 20),
    weight=1.8,
    studio=0.3,
    nouns="water,splash,water drops,dripping,stream,faucet,shower,pouring water,bubbles,sink,waterfall,toilet",
    tags="water,splash,drip,liquid,drop,flow,field-recording,nature,bubble,pour,bath,river,sink",
)
def _water(rng, n, sample_rate):
    kind = rng.choice(["stream", "drip", "splash"])
    if kind == "stream":
        return stream(rng, n, sample_rate)
    if kind == "drip":
        return reverb(rng, bubbles(rng, n, sample_rate, rng.uniform(1, 10)), sample_rate, 0.6, 0.3)
    size = min(n, int(rng.uniform(0.4, 1.2) * sample_rate))
    x = np.zeros(n, dtype=np.float32)
    add_at(x, rms_to(bandpass(noise(rng, size), 1500, sample_rate, 0.4) * decay(size, sample_rate, 0.6), 0.2), 0.1 * n)
    return x + rms_to(bubbles(rng, n, sample_rate, 25), 0.04) * decay(n, sample_rate, 2.5)


@sound(
    "fx-n",
    "rain and thunder",
    (3, 30),
    weight=1.5,
    studio=0.2,
    nouns="rain,thunder,thunderstorm,heavy rain,storm,rain on window,lightning strike,hail,rain on roof",
    tags="rain,thunder,storm,weather,nature,field-recording,raining,lightning,thunderstorm,water,heavy,ambience",
)
def _rain(rng, n, sample_rate):
    kind = rng.random()
    x = rain(rng, n, sample_rate) if kind < 0.75 else np.zeros(n, dtype=np.float32)
    return x + thunder(rng, n, sample_rate) * rng.uniform(0.5, 1.5) if kind > 0.5 else x


@sound(
    "fx-n",
    "wind",
    (3, 25),
    weight=1.0,
    studio=0.2,
    nouns="wind,wind howling,strong wind,wind in trees,gust,wind through window,storm wind,blizzard",
    tags="wind,nature,weather,storm,field-recording,howling,ambience,cold,blow,air,winter",
)
def _wind(rng, n, sample_rate):
    return wind(rng, n, sample_rate, howl=rng.uniform(0.1, 1))


@sound(
    "fx-n",
    "fire",
    (1.5, 20),
    weight=1.0,
    studio=0.3,
    nouns="fire,campfire,fire crackling,burning,fireplace,flame,match lighting,torch,bonfire",
    tags="fire,crackle,burn,flame,wood,campfire,crackling,nature,hot,match,fireplace",
)
def _fire(rng, n, sample_rate):
    return fire(rng, n, sample_rate)


@sound(
    "fx-n",
    "explosion",
    (0.8, 6),
    weight=1.3,
    studio=0.6,
    nouns="explosion,blast,boom,firework,gunshot,bomb,cannon,grenade,big explosion,firecracker",
    tags="explosion,boom,blast,bomb,fireworks,war,bang,explode,gun,destruction,game,loud",
)
def _explosion(rng, n, sample_rate):
    x = np.zeros(n, dtype=np.float32)
    for k in range(int(rng.integers(1, 4)) if rng.random() < 0.3 else 1):
        add_at(x, explosion(rng, n, sample_rate), k * rng.uniform(0.2, 0.6) * n, rng.uniform(0.6, 1))
    return x


@sound(
    "fx-n",
    "stones and ice",
    (0.5, 8),
    weight=0.7,
    studio=0.35,
    nouns="rocks,stones falling,rockslide,ice cracking,pebbles,earth,gravel,leaves,branch break,sand",
    tags="rock,stone,ice,earth,nature,debris,crack,gravel,falling,foley,leaves",
)
def _stones(rng, n, sample_rate):
    out = np.zeros(n, dtype=np.float32)
    hits = [impact(rng, int(0.2 * sample_rate), sample_rate, "ceramic", rng.uniform(1.5, 6)) for _ in range(6)]
    for at in rng.beta(1.5, 3, rng.poisson(12 * n / sample_rate) + 2) * n:
        add_at(out, hits[rng.integers(6)], at, rng.lognormal(-0.5, 0.7))
    return rms_to(out, 0.1) + rms_to(lowpass(noise(rng, n, "brown"), 300, sample_rate) * curve([0, 1, 0.4, 0], n), 0.03)
