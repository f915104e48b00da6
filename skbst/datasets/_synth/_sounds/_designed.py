"""Experimental processing and sounds made for interfaces, games and films."""

import numpy as np

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
    soft_clip,
    steady,
    wander,
)
from skbst.datasets._synth._instruments import midi, synth
from skbst.datasets._synth._registry import SOUNDS, sound
from skbst.datasets._synth._space import echo, reverb

__all__ = ["granular", "source"]

_SOURCES = ("fx-a", "fx-h", "fx-n", "fx-o", "is-k", "is-p", "is-s", "m-si", "sp-s", "sp-c")


def source(rng, n, sample_rate):
    """Raw material for processing: a sound of some other class, float32 (n,)."""
    kinds = list(SOUNDS[rng.choice(_SOURCES)].values())
    return rms_to(kinds[rng.integers(len(kinds))].render(rng, n, sample_rate), 0.1)


def granular(rng, n, sample_rate, x):
    """Scatter windowed grains of `x`, re-pitched and stretched; float32 (n,)."""
    out, size = np.zeros(n, dtype=np.float32), int(rng.uniform(0.03, 0.2) * sample_rate)
    window = np.hanning(size).astype(np.float32)
    travel, scatter = rng.uniform(0.05, 0.7), rng.uniform(0, 0.1)
    for at in range(-size, n, max(1, size // int(rng.integers(2, 5)))):
        speed = rng.choice([0.5, 0.75, 1, 1, 1.5, 2]) * rng.uniform(0.99, 1.01) * rng.choice([1, 1, 1, -1])
        start = (travel * max(at, 0) / n + scatter * rng.random()) * len(x)
        grain = x.take((start + speed * np.arange(size)).astype(np.int64), mode="wrap")
        add_at(out, grain * window, at)
    return out


@sound(
    "fx-ex",
    "reversed",
    (1, 12),
    weight=1.1,
    studio=0.7,
    nouns="reversed,backwards,reverse voice,reverse piano,rewind,backmasked,reversed cymbal",
    tags="reverse,reversed,backwards,experimental,weird,effect,processed,strange,abstract",
)
def _reversed(rng, n, sample_rate):
    x = source(rng, n, sample_rate)[::-1].copy()
    return reverb(rng, x, sample_rate, 1.2, rng.uniform(0, 0.5))


@sound(
    "fx-ex",
    "granular",
    (1.5, 20),
    weight=1.3,
    studio=0.8,
    nouns="granular,texture,glitch,stretched,timestretch,granulated voice,paulstretch,glitch loop,fragments",
    tags="granular,experimental,glitch,processed,texture,weird,synthesis,abstract,noise,electroacoustic,stretch",
)
def _granular(rng, n, sample_rate):
    return granular(rng, n, sample_rate, source(rng, max(n // 2, int(0.5 * sample_rate)), sample_rate))


@sound(
    "fx-ex",
    "modulated",
    (0.8, 12),
    weight=1.3,
    studio=0.7,
    nouns="echo voice,weird,feedback,ring modulated,distorted,mangled,prepared guitar,flanger,bitcrushed,monster",
    tags="experimental,weird,effect,processed,echo,noise,strange,distortion,feedback,horror,lofi,concrete",
)
def _modulated(rng, n, sample_rate):
    x, kind = source(rng, n, sample_rate), rng.choice(["ring", "crush", "comb", "echo", "slow"])
    if kind == "ring":
        return x * sine(curve(np.exp(rng.uniform(3.5, 7.5, 4)), n), sample_rate)
    if kind == "crush":
        hold = int(rng.integers(6, 40))
        return np.round(np.repeat(x[::hold], hold)[:n] * 24) / np.float32(24)
    if kind == "comb":
        lag = int(rng.uniform(0.002, 0.02) * sample_rate)
        return echo(soft_clip(x, 4), sample_rate, lag / sample_rate, 0.85, 25)
    if kind == "echo":
        return echo(x, sample_rate, rng.uniform(0.08, 0.5), 0.75, 9)
    return lowpass(x.take((np.arange(n) * rng.uniform(0.25, 0.6)).astype(np.int64)), 4000, sample_rate)


@sound(
    "fx-ex",
    "noise art",
    (1.5, 20),
    weight=1.0,
    studio=0.7,
    nouns="noise,circuit bent,radio noise,contact mic,electromagnetic,harsh noise,feedback loop,vinyl scratch,no input",
    tags="noise,experimental,glitch,electric,feedback,circuit-bending,electromagnetic,lofi,harsh,strange,hum",
)
def _noise_art(rng, n, sample_rate):
    x = harmonic_tone(rng, curve(np.exp(rng.uniform(3, 7, 12)), n), 1 / np.arange(1, 30)[None], sample_rate)
    gate = np.repeat(rng.random(int(n / sample_rate * rng.uniform(3, 20)) + 2), sample_rate // 4)
    gate = np.resize(gate > 0.4, n).astype(np.float32)
    crackle = highpass(pulses(rng, n, sample_rate, 200, 1.5), 500, sample_rate)
    return (
        soft_clip(rms_to(x, 0.2) * gate, 3) * 0.1 + rms_to(crackle, 0.04) + rms_to(noise(rng, n, "pink"), 0.02) * gate
    )


@sound(
    "fx-el",
    "interface",
    (0.05, 1.5),
    weight=2,
    studio=0.95,
    nouns="button,click,beep,notification,menu select,ui click,error,confirm,pop,coin,alert,message tone",
    tags="button,click,beep,interface,ui,game,menu,notification,short,electronic,press,alert,hi-tech,synthetic",
)
def _interface(rng, n, sample_rate):
    notes, out = int(rng.integers(1, 4)), np.zeros(n, dtype=np.float32)
    size = max(32, n // notes)
    for k in range(notes):
        hz = float(midi(rng.integers(60, 100)))
        tone = harmonic_tone(rng, steady(hz, size), 1 / np.arange(1, 8)[None] ** rng.uniform(1, 4), sample_rate)
        add_at(
            out,
            fade(tone * decay(size, sample_rate, size / sample_rate * rng.uniform(0.5, 2)), sample_rate, 0.001, 0.002),
            k * size,
        )
    return out


@sound(
    "fx-el",
    "tick",
    (0.007, 0.08),
    weight=0.9,
    studio=0.97,
    nouns="tick,click,btn,pop,blip,switch,short click",
    tags="button,click,short,switch,press,tick,ui,pop,synthetic",
)
def _tick(rng, n, sample_rate):
    x = sine(curve(np.exp(rng.uniform(5.5, 8.5, 2)), n), sample_rate) * decay(n, sample_rate, n / sample_rate)
    return fade(x + 0.3 * noise(rng, n) * decay(n, sample_rate, n / sample_rate / 3), sample_rate, 0.0003, 0.001)


@sound(
    "fx-el",
    "laser",
    (0.15, 2.5),
    weight=1.3,
    studio=0.9,
    nouns="laser,zap,laser gun,sci-fi weapon,power up,powerup,jump,teleport,retro shoot,blaster,warp",
    tags="laser,sci-fi,game,zap,retro,8bit,weapon,space,electronic,shoot,arcade,synth",
)
def _laser(rng, n, sample_rate):
    start, stop = np.log(log_uniform(rng, 900, 7000)), np.log(log_uniform(rng, 60, 900))
    points = np.exp(np.linspace(start, stop, 12)) if rng.random() < 0.7 else np.exp(np.linspace(stop, start, 12))
    k = np.arange(1, 20)
    rows = (1 / k if rng.random() < 0.5 else np.where(k % 2, 1 / k, 0))[None]
    f0 = curve(points, n) * (1 + rng.choice([0, 0.2]) * sine(steady(rng.uniform(8, 40), n), sample_rate))
    x = harmonic_tone(rng, f0, rows, sample_rate) * decay(n, sample_rate, n / sample_rate)
    return echo(x, sample_rate, 0.09, 0.5) if rng.random() < 0.3 else x


@sound(
    "fx-el",
    "whoosh",
    (0.3, 6),
    weight=1.2,
    studio=0.85,
    nouns="whoosh,swoosh,riser,transition,sweep,uplifter,impact fx,cinematic hit,sub drop,trailer hit",
    tags="whoosh,swoosh,transition,cinematic,riser,sweep,fx,trailer,sound-design,impact,effect,noise",
)
def _whoosh(rng, n, sample_rate):
    if rng.random() < 0.3:
        x = sine(25 + 120 * decay(n, sample_rate, 1.5), sample_rate) * decay(n, sample_rate, 3)
        return reverb(rng, soft_clip(x * 3) + 0.3 * noise(rng, n) * decay(n, sample_rate, 0.4), sample_rate, 1.5, 0.4)
    bands = np.exp(np.linspace(np.log(250), np.log(7000), 6))
    white, x = noise(rng, n), np.zeros(n, dtype=np.float32)
    peak, width = rng.uniform(0.4, 1.0), rng.uniform(0.12, 0.3)
    for j, hz in enumerate(bands):
        points = np.exp(-(((np.linspace(0, 1, 24) - peak * (0.6 + 0.4 * j / 5)) / width) ** 2))
        x += bandpass(white, hz, sample_rate, 1.2) * curve(points, n)
    return x


@sound(
    "fx-el",
    "alarm",
    (0.5, 8),
    weight=1.1,
    studio=0.75,
    nouns="alarm,siren,ringtone,alarm clock,phone ring,warning,buzzer,sonar,ping,countdown,sci-fi computer",
    tags="alarm,alert,siren,ring,ringtone,electronic,beep,warning,phone,sci-fi,computer,emergency",
)
def _alarm(rng, n, sample_rate):
    tones = np.exp(rng.uniform(6, 7.8, int(rng.integers(1, 4))))
    rate = rng.uniform(2, 12)
    f0 = curve(np.repeat(np.resize(tones, max(2, int(n / sample_rate * rate))), 8), n)
    gate = (sine(steady(rng.uniform(0.8, 3), n), sample_rate) > -0.3).astype(np.float32)
    x = harmonic_tone(rng, f0, 1 / np.arange(1, 12)[None] ** rng.uniform(0.6, 2.5), sample_rate)
    return x * gate if rng.random() < 0.6 else x


@sound(
    "fx-el",
    "cartoon",
    (0.2, 3),
    weight=0.8,
    studio=0.85,
    nouns="boing,cartoon,slide whistle,bounce,boink,wobble,squeak,pop,magic,fairy dust,sparkle",
    tags="cartoon,funny,game,boing,comic,effect,toy,magic,bounce,fun,sound-effect",
)
def _cartoon(rng, n, sample_rate):
    if rng.random() < 0.35:
        out = np.zeros(n, dtype=np.float32)
        for k in range(14):
            size = int(0.4 * sample_rate)
            add_at(
                out,
                sine(steady(float(midi(72 + rng.choice([0, 2, 4, 7, 9]) + k)), size), sample_rate)
                * decay(size, sample_rate, 0.5),
                k * n / 18,
            )
        return out
    wobble = 1 + 0.4 * sine(steady(rng.uniform(6, 22), n), sample_rate) * decay(n, sample_rate, 1.2)
    f0 = curve(np.exp(rng.uniform(5, 7.3, 3)), n) * wobble
    return harmonic_tone(rng, f0, 1 / np.arange(1, 14)[None] ** 1.6, sample_rate) * decay(
        n, sample_rate, 1.5 * n / sample_rate
    )


@sound(
    "fx-el",
    "machine of the future",
    (1, 10),
    weight=0.8,
    studio=0.9,
    nouns="spaceship,force field,computer beeps,energy,sci-fi drone,ufo,hologram,robot movement,engine sci-fi",
    tags="sci-fi,space,electronic,synth,spaceship,futuristic,computer,drone,technology,game,ufo",
)
def _future(rng, n, sample_rate):
    hum = synth(rng, float(midi(rng.integers(24, 48))), n, sample_rate, kind="pad")
    bleeps = harmonic_tone(
        rng,
        curve(np.repeat(np.exp(rng.uniform(5.5, 8, max(3, int(n / sample_rate * 9)))), 6), n),
        1 / np.arange(1, 6)[None] ** 2,
        sample_rate,
    )
    air = bandpass(noise(rng, n), 900, sample_rate, 2) * wander(rng, n, sample_rate, 2, 0, 1)
    return rms_to(hum, 0.08) + rms_to(bleeps, rng.uniform(0, 0.05)) + rms_to(air, 0.02)
