"""Everyday objects and appliances."""

import numpy as np

from skbst.datasets._synth._dsp import add_at, curve, harmonic_tone, highpass, pulses, rms_to, soft_clip, wander
from skbst.datasets._synth._mechanics import MATERIALS, click_train, impact, motor, scrape
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import reverb

__all__ = []


def _repeated(rng, n, sample_rate, make, count, spacing):
    out, at = np.zeros(n, dtype=np.float32), 0.0
    for _ in range(count):
        size = max(64, min(n, int(1.5 * sample_rate)))
        add_at(out, make(size), at * sample_rate, rng.uniform(0.5, 1))
        at += rng.uniform(0.5, 1.5) * spacing
    return out


@sound(
    "fx-o",
    "impact",
    (0.15, 3),
    weight=2,
    nouns="knock,glass clink,metal hit,wood hit,plate,drop,bottle,pan hit,hammer,can crush,cup on table,coin drop",
    tags="hit,impact,wood,metal,glass,drop,foley,object,bottle,household,kitchen,plastic,bang,table",
)
def _impact(rng, n, sample_rate):
    material, size = rng.choice(list(MATERIALS)), rng.uniform(0.6, 1.8)
    count = int(rng.integers(1, 5))
    x = _repeated(rng, n, sample_rate, lambda m: impact(rng, m, sample_rate, material, size), count, 0.3)
    return reverb(rng, x, sample_rate, 0.35, 0.15) if rng.random() < 0.5 else x


@sound(
    "fx-o",
    "door or drawer",
    (0.6, 5),
    weight=1.5,
    studio=0.35,
    nouns="door slam,door open,door close,drawer,cupboard,creaky door,lock,key in lock,window closing,fridge door",
    tags="door,close,open,slam,wood,drawer,house,creak,lock,key,foley,home,squeak",
)
def _door(rng, n, sample_rate):
    x = np.zeros(n, dtype=np.float32)
    slide = int(rng.uniform(0.3, 0.7) * n)
    if rng.random() < 0.5:
        f0 = curve(rng.uniform(250, 900, 9), slide)
        add_at(
            x,
            0.2
            * soft_clip(harmonic_tone(rng, f0, 1 / np.arange(1, 15)[None], sample_rate), 2)
            * curve(rng.uniform(0, 1, 9), slide),
            0,
        )
    else:
        add_at(x, rms_to(scrape(rng, slide, sample_rate, hz=1200), 0.06), 0)
    size = max(64, n - slide)
    add_at(x, impact(rng, size, sample_rate, "wood", rng.uniform(1.2, 2.5)), slide, rng.uniform(0.6, 1.5))
    add_at(x, impact(rng, min(size, 8000), sample_rate, "metal"), slide + 0.04 * sample_rate, 0.2)
    return reverb(rng, x, sample_rate, 0.5, 0.2)


@sound(
    "fx-o",
    "typing or switch",
    (0.1, 8),
    weight=1.2,
    nouns="keyboard typing,mouse click,light switch,pen click,camera shutter,stapler,button press,lighter,scissors",
    tags="click,typing,keyboard,switch,button,computer,office,press,foley,small,camera,mechanical",
)
def _typing(rng, n, sample_rate):
    return click_train(rng, n, sample_rate, rng.uniform(2, 9), regular=rng.uniform(0, 0.6), size=rng.uniform(0.4, 1))


@sound(
    "fx-o",
    "rustle",
    (0.5, 8),
    weight=1.3,
    studio=0.4,
    nouns="paper,paper tear,plastic bag,zipper,cloth,velcro,writing,page turn,wrapping,sweeping,tape",
    tags="paper,rustle,foley,tear,cloth,plastic,bag,zip,crumple,object,friction,household",
)
def _rustle(rng, n, sample_rate):
    x = highpass(pulses(rng, n, sample_rate, rng.uniform(150, 1500), 1.3), rng.uniform(800, 3000), sample_rate)
    x = x * wander(rng, n, sample_rate, rng.uniform(2, 7), 0.0, 1) ** 2
    return rms_to(x, 0.1) + rms_to(scrape(rng, n, sample_rate), rng.uniform(0.01, 0.1))


@sound(
    "fx-o",
    "keys and cutlery",
    (0.4, 6),
    weight=1.0,
    nouns="keys,keys jingle,coins,cutlery,spoon,chain,knife,sword,bottle caps,dishes,gun reload,cash register",
    tags="keys,metal,coins,jingle,kitchen,cutlery,chain,foley,weapon,sword,household,rattle,gun",
)
def _keys(rng, n, sample_rate):
    material = rng.choice(["metal", "glass", "ceramic"])
    return click_train(rng, n, sample_rate, rng.uniform(5, 20), regular=0.1, material=material, size=0.35)


@sound(
    "fx-o",
    "appliance",
    (2, 15),
    weight=1.0,
    studio=0.3,
    nouns="microwave,vacuum cleaner,hair dryer,washing machine,blender,coffee machine,kettle,fan,toaster,fridge hum",
    tags="kitchen,appliance,hum,motor,household,machine,electric,home,microwave,noise,domestic",
)
def _appliance(rng, n, sample_rate):
    return motor(rng, n, sample_rate)
