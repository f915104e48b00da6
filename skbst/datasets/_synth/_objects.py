"""Everyday objects, machines and vehicles."""

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
    pulses,
    rms_to,
    sine,
    soft_clip,
    steady,
    wander,
)
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import reverb

__all__ = ["click_train", "engine", "impact", "motor", "pass_by", "scrape"]

# lowest mode in Hz, number of modes, decay in s, stiffness of the spectrum
_MATERIALS = {
    "wood": (140, 10, 0.12, 1.2),
    "metal": (420, 22, 1.3, 0.5),
    "glass": (1500, 12, 0.5, 0.6),
    "plastic": (280, 9, 0.07, 1.0),
    "ceramic": (900, 12, 0.28, 0.7),
    "cardboard": (90, 7, 0.06, 1.6),
}


def impact(rng, n, sample_rate, material=None, size=1.0):
    """One object struck: modes of a material under a contact burst; float32 (n,)."""
    low, count, t60, slope = _MATERIALS[material or rng.choice(list(_MATERIALS))]
    freqs = low / size * np.cumsum(np.concatenate([[1], rng.uniform(0.25, 0.9, count - 1)]))
    times = t60 * rng.uniform(0.5, 1.6, count) * (freqs / freqs[0]) ** -0.5
    gains = rng.uniform(0.2, 1, count) * (freqs / freqs[0]) ** -slope
    x = damped_partials(rng, n, sample_rate, freqs, times, gains)
    burst = min(n, int(0.03 * sample_rate))
    hit = lowpass(noise(rng, burst), rng.uniform(1500, 9000), sample_rate) * decay(burst, sample_rate, 0.02)
    return fade(add_at(x, hit, 0, rng.uniform(0.2, 1)), sample_rate, 0.0003, 0.005)


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
    material, size = rng.choice(list(_MATERIALS)), rng.uniform(0.6, 1.8)
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
