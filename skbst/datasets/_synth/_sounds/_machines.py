"""Machines and vehicles."""

import numpy as np

from skbst.datasets._synth._dsp import (
    bandpass,
    curve,
    harmonic_tone,
    highpass,
    log_uniform,
    lowpass,
    noise,
    rms_to,
    sine,
    soft_clip,
    steady,
    wander,
)
from skbst.datasets._synth._mechanics import click_train, engine, motor, pass_by
from skbst.datasets._synth._registry import sound

__all__ = []


@sound(
    "fx-m",
    "motor hum",
    (2, 25),
    weight=1.3,
    studio=0.25,
    nouns="machine hum,air conditioner,generator,fan,ventilation,compressor,server,pump,factory machine,printer",
    tags="machine,hum,motor,field-recording,industrial,noise,engine,mechanical,electric,fan,drone,air-conditioner",
)
def _motor_hum(rng, n, sample_rate):
    return motor(rng, n, sample_rate)


@sound(
    "fx-m",
    "power tool",
    (1.5, 12),
    weight=1.2,
    studio=0.3,
    nouns="drill,chainsaw,lawn mower,electric saw,grinder,angle grinder,jackhammer,sander,sewing machine,hammer drill",
    tags="drill,tool,power-tool,machine,saw,construction,motor,loud,chainsaw,industrial,work,metal",
)
def _power_tool(rng, n, sample_rate):
    load = wander(rng, n, sample_rate, rng.uniform(0.5, 3), 0.72, 1.05)
    hz = log_uniform(rng, 70, 420)
    shape = rng.uniform(0.1, 1, 40) / np.arange(1, 41) ** 0.6
    x = soft_clip(harmonic_tone(rng, hz * load, shape[None], sample_rate), 3)
    x = rms_to(x, 0.12) + rms_to(highpass(noise(rng, n), 1500, sample_rate) * load, rng.uniform(0.02, 0.12))
    gate = curve(np.repeat(rng.choice([0.03, 1, 1], 7), 6), n)
    return x * gate if rng.random() < 0.5 else x


@sound(
    "fx-m",
    "clockwork",
    (1.5, 20),
    weight=1.3,
    studio=0.45,
    nouns="clock ticking,clock,metronome,ratchet,winding clock,watch,music box winding,typewriter,gears,egg timer",
    tags="clock,ticking,tick-tock,mechanical,time,gear,ratchet,tick,mechanism,watch,wind-up",
)
def _clockwork(rng, n, sample_rate):
    rate = rng.choice([1, 2, 4, 5, 12, 25])
    material = rng.choice(["plastic", "metal", "wood"])
    x = click_train(rng, n, sample_rate, rate, regular=0.98 if rate < 9 else 0.9, material=material, size=0.5)
    return x + rms_to(motor(rng, n, sample_rate), 0.01) if rng.random() < 0.3 else x


@sound(
    "fx-m",
    "rhythmic machine",
    (2, 20),
    weight=1.0,
    studio=0.25,
    nouns="printer,scanner,conveyor,press,steam engine,loom,pump,assembly line,turnstile,elevator mechanism",
    tags="machine,mechanical,rhythm,industrial,factory,mechanism,field-recording,steam,printer,metal,engine",
)
def _rhythmic_machine(rng, n, sample_rate):
    beat = click_train(
        rng, n, sample_rate, rng.uniform(1.5, 7), regular=0.97, material=rng.choice(["metal", "wood"]), size=2
    )
    puff = bandpass(noise(rng, n), rng.uniform(800, 3000), sample_rate, 0.7)
    swing = np.maximum(0, sine(steady(rng.uniform(0.7, 4), n), sample_rate)) ** 2
    return rms_to(beat, 0.08) + rms_to(puff * swing, 0.05) + rms_to(motor(rng, n, sample_rate), 0.03)


def _road(rng, n, sample_rate):
    return bandpass(noise(rng, n, "pink"), rng.uniform(600, 1400), sample_rate, 0.5)


@sound(
    "fx-v",
    "car pass by",
    (3, 15),
    weight=1.5,
    studio=0.15,
    nouns="car pass by,car passing,truck,motorcycle passing,bus,doppler,fast car,scooter,race car,tractor",
    tags="car,pass-by,vehicle,road,traffic,doppler,engine,field-recording,passing,motorcycle,truck,drive,racing",
)
def _car_pass(rng, n, sample_rate):
    rpm, cylinders = rng.uniform(1500, 5500), int(rng.choice([1, 2, 4, 4, 6]))

    def make(ratio):
        x = engine(rng, n, sample_rate, rpm * ratio, cylinders=cylinders)
        return x + rms_to(_road(rng, n, sample_rate), rng.uniform(0.02, 0.09))

    return pass_by(rng, n, sample_rate, make)


@sound(
    "fx-v",
    "engine on board",
    (2, 25),
    weight=1.4,
    studio=0.2,
    nouns="car engine,engine start,motorcycle engine,car interior,idling,diesel engine,boat engine,revving,truck idle",
    tags="car,engine,motor,vehicle,start,rev,idle,diesel,driving,field-recording,motorcycle,acceleration,boat",
)
def _on_board(rng, n, sample_rate):
    shape = rng.choice(["idle", "rev", "start"])
    points = {
        "idle": rng.uniform(750, 950, 8),
        "rev": rng.uniform(900, 5000, 8),
        "start": np.r_[150, 180, 1500, rng.uniform(800, 1000, 8)],
    }
    return engine(rng, n, sample_rate, curve(points[shape], n), cylinders=int(rng.choice([1, 2, 4, 6])), rough=0.4)


@sound(
    "fx-v",
    "train or plane",
    (5, 30),
    weight=1.2,
    studio=0.15,
    nouns="train,train passing,airplane,helicopter,tram,subway,jet flyover,steam train,ship horn,metro",
    tags="train,railway,plane,airplane,vehicle,field-recording,transport,helicopter,tram,flyover,station,metro,horn",
)
def _train_plane(rng, n, sample_rate):
    kind = rng.choice(["train", "jet", "helicopter"])
    rumble = lowpass(noise(rng, n, "brown"), rng.uniform(200, 700), sample_rate)
    if kind == "train":
        joints = click_train(rng, n, sample_rate, rng.uniform(1.5, 4), regular=0.9, material="metal", size=4)
        x = rms_to(rumble, 0.1) + rms_to(joints, 0.07) + rms_to(_road(rng, n, sample_rate), 0.025)
    elif kind == "jet":
        x = rms_to(rumble, 0.1) + rms_to(_road(rng, n, sample_rate), 0.08)
    else:
        chop = np.maximum(0.1, sine(steady(rng.uniform(9, 16), n), sample_rate)) ** 3
        x = rms_to((_road(rng, n, sample_rate) + rumble) * chop, 0.1)
    swell = curve(np.sin(np.linspace(0.3, np.pi - 0.3, 12)) ** 2 + 0.05, n)
    if rng.random() < 0.25:
        horn = harmonic_tone(rng, steady(rng.uniform(180, 420), n), 1 / np.arange(1, 20)[None], sample_rate)
        x = x + rms_to(horn * np.repeat(rng.choice([0, 1], 12), -(-n // 12))[:n], 0.08)
    return x * swell


@sound(
    "fx-v",
    "small vehicle",
    (0.6, 8),
    weight=0.9,
    studio=0.3,
    nouns="bicycle,bike bell,car door,car horn,brake squeal,windscreen wiper,skateboard,seat belt,tyre screech",
    tags="bicycle,bike,car,horn,brake,vehicle,wheel,wiper,door,chain,screech,indicator",
)
def _small_vehicle(rng, n, sample_rate):
    kind = rng.choice(["chain", "horn", "screech", "wiper"])
    if kind == "chain":
        return click_train(rng, n, sample_rate, rng.uniform(8, 25), regular=0.93, material="metal", size=0.4)
    if kind == "horn":
        tone = harmonic_tone(rng, steady(rng.uniform(350, 480), n), 1 / np.arange(1, 24)[None] ** 0.6, sample_rate)
        return tone + harmonic_tone(
            rng, steady(rng.uniform(420, 600), n), 1 / np.arange(1, 20)[None] ** 0.6, sample_rate
        )
    if kind == "screech":
        f0 = curve(rng.uniform(700, 1500, 12), n)
        return harmonic_tone(rng, f0, 1 / np.arange(1, 12)[None], sample_rate) * wander(rng, n, sample_rate, 5, 0.1, 1)
    swing = np.abs(sine(steady(rng.uniform(0.4, 0.8), n), sample_rate))
    return bandpass(noise(rng, n, "pink"), 900, sample_rate, 0.8) * swing**3 + 0.03 * motor(rng, n, sample_rate)
