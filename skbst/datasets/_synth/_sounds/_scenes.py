"""Soundscapes: layered scenes, natural, indoors, urban and artificial."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    log_uniform,
    lowpass,
    noise,
    rms_to,
    sine,
    steady,
    wander,
)
from skbst.datasets._synth._instruments import midi, synth
from skbst.datasets._synth._mechanics import click_train, engine, impact, motor, pass_by
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._sounds._animals import bark, birds, crickets
from skbst.datasets._synth._sounds._designed import granular, source
from skbst.datasets._synth._sounds._elements import fire, rain, stream, thunder, waves, wind
from skbst.datasets._synth._sounds._human import footsteps
from skbst.datasets._synth._sounds._speech import announcement, conversation
from skbst.datasets._synth._space import distance, echo, reverb
from skbst.datasets._synth._voice import babble, speak

__all__ = []


def _room_tone(rng, n, sample_rate):
    return lowpass(noise(rng, n, "brown"), rng.uniform(150, 700), sample_rate)


def _wood_scene(rng, n, sample_rate):
    x = rms_to(wind(rng, n, sample_rate, howl=0.15), rng.uniform(0.004, 0.03))
    x += rms_to(
        bandpass(noise(rng, n, "pink"), 3500, sample_rate, 0.4) * wander(rng, n, sample_rate, 0.7, 0.2, 1), 0.008
    )
    return x + rms_to(
        birds(rng, n, sample_rate, density=rng.uniform(0.6, 2), metres=rng.uniform(10, 60)), rng.uniform(0.01, 0.05)
    )


@sound(
    "ss-n",
    "wood with birds",
    (8, 30),
    weight=1.8,
    studio=0.05,
    nouns="forest,forest ambience,birds in forest,dawn chorus,morning birds,garden birds,spring woods,countryside",
    tags="birds,forest,nature,field-recording,ambience,birdsong,spring,morning,soundscape,atmosphere,ambiance,wildlife",
)
def _wood(rng, n, sample_rate):
    return _wood_scene(rng, n, sample_rate)


@sound(
    "ss-n",
    "night",
    (8, 30),
    weight=1.0,
    studio=0.05,
    nouns="night ambience,crickets at night,summer night,swamp,jungle,rainforest,frogs pond,tropical night",
    tags="night,crickets,insects,nature,ambience,field-recording,summer,frogs,jungle,soundscape,tropical",
)
def _night(rng, n, sample_rate):
    x = rms_to(crickets(rng, n, sample_rate), 0.02) + rms_to(wind(rng, n, sample_rate, howl=0.1), 0.008)
    return x + rms_to(birds(rng, n, sample_rate, density=0.3, metres=50), 0.01) if rng.random() < 0.5 else x


@sound(
    "ss-n",
    "sea and river",
    (8, 30),
    weight=1.3,
    studio=0.1,
    nouns="sea,ocean waves,beach,river,creek,lake shore,brook,waterfall in forest,seaside,pebble beach",
    tags="sea,waves,water,beach,nature,field-recording,ocean,river,ambience,stream,soundscape,seagulls",
)
def _sea(rng, n, sample_rate):
    x = rms_to((waves if rng.random() < 0.6 else stream)(rng, n, sample_rate), 0.05)
    x += rms_to(wind(rng, n, sample_rate, howl=0.1), rng.uniform(0.002, 0.02))
    return x + rms_to(birds(rng, n, sample_rate, density=0.6, metres=40), 0.008) if rng.random() < 0.5 else x


@sound(
    "ss-n",
    "weather",
    (8, 30),
    weight=0.8,
    studio=0.05,
    nouns="rain in the forest,storm coming,distant thunder,wind on the hill,mountain wind,drizzle,winter field",
    tags="rain,wind,weather,nature,field-recording,storm,ambience,thunder,landscape,atmosphere,rural",
)
def _weather(rng, n, sample_rate):
    x = rms_to(wind(rng, n, sample_rate), 0.03)
    if rng.random() < 0.6:
        x += rms_to(rain(rng, n, sample_rate, heavy=0.3), 0.03)
    if rng.random() < 0.4:
        x += rms_to(distance(rng, thunder(rng, n, sample_rate), sample_rate, 60), 0.04)
    return x + rms_to(birds(rng, n, sample_rate, density=0.3, metres=40), 0.005)


@sound(
    "ss-i",
    "room tone",
    (6, 30),
    weight=1.2,
    studio=0.05,
    nouns="room tone,empty room,office ambience,apartment,bathroom ambience,hallway,server room,kitchen,library",
    tags="room-tone,ambience,indoor,room,atmosphere,hum,office,quiet,interior,field-recording,house,silence",
)
def _room(rng, n, sample_rate):
    x = rms_to(_room_tone(rng, n, sample_rate), 0.04) + rms_to(motor(rng, n, sample_rate), rng.uniform(0.003, 0.03))
    for at in rng.uniform(0, n, rng.poisson(0.25 * n / sample_rate)):
        add_at(x, impact(rng, int(0.4 * sample_rate), sample_rate, "wood", 2), at, rng.uniform(0.005, 0.08))
    return reverb(rng, x, sample_rate, rng.uniform(0.4, 1.2), 0.3)


@sound(
    "ss-i",
    "public interior",
    (6, 30),
    weight=1.5,
    studio=0.05,
    nouns="cafe,restaurant,bar ambience,pub,mall,museum,church interior,train station hall,supermarket,canteen",
    tags="ambience,people,restaurant,bar,voices,indoor,crowd,cafe,atmosphere,field-recording,interior,chatter,shop",
)
def _public(rng, n, sample_rate):
    x = rms_to(babble(rng, n, sample_rate, voices=int(rng.integers(3, 12))), rng.uniform(0.01, 0.05))
    x += rms_to(click_train(rng, n, sample_rate, rng.uniform(0.5, 3), regular=0, material="ceramic", size=0.6), 0.012)
    x += rms_to(footsteps(rng, n, sample_rate), 0.008) + rms_to(_room_tone(rng, n, sample_rate), 0.02)
    if rng.random() < 0.2:
        x += rms_to(announcement(rng, n, sample_rate), 0.02)
    return reverb(rng, x, sample_rate, rng.uniform(0.7, 2.2), rng.uniform(0.3, 0.7))


@sound(
    "ss-i",
    "work place",
    (6, 30),
    weight=1.0,
    studio=0.05,
    nouns="factory,workshop,classroom,laundry,gym,kitchen,hospital,computer room,train interior,elevator",
    tags="indoor,factory,machines,ambience,work,people,interior,field-recording,atmosphere,metal,voices",
)
def _work(rng, n, sample_rate):
    x = rms_to(motor(rng, n, sample_rate), 0.03) + rms_to(_room_tone(rng, n, sample_rate), 0.02)
    material = rng.choice(["metal", "wood", "plastic"])
    x += rms_to(
        click_train(rng, n, sample_rate, rng.uniform(1, 6), regular=rng.random(), material=material, size=1.5), 0.02
    )
    x += rms_to(conversation(rng, n, sample_rate), rng.uniform(0, 0.02))
    return reverb(rng, x, sample_rate, rng.uniform(0.5, 1.5), 0.4)


def _traffic(rng, n, sample_rate, cars=2):
    x = rms_to(lowpass(noise(rng, n, "brown"), rng.uniform(300, 1200), sample_rate), 0.03)
    for _ in range(cars):
        rpm = rng.uniform(1400, 3500)
        make = lambda ratio, rpm=rpm: engine(rng, n, sample_rate, rpm * ratio) + rms_to(noise(rng, n, "pink"), 0.05)  # noqa: E731
        car = pass_by(rng, n, sample_rate, make, nearest=rng.uniform(8, 40))
        x += np.roll(rms_to(car, rng.uniform(0.005, 0.035)), int(rng.integers(n)))
    return x


@sound(
    "ss-u",
    "street",
    (8, 30),
    weight=2,
    studio=0.03,
    nouns="street,city traffic,busy road,street ambience,downtown,crossroad,highway,city at night,bus stop",
    tags="city,traffic,street,urban,cars,field-recording,ambience,road,noise,people,soundscape,town",
)
def _street(rng, n, sample_rate):
    x = _traffic(rng, n, sample_rate, int(rng.integers(1, 3)))
    if rng.random() < 0.5:
        x += rms_to(footsteps(rng, n, sample_rate), 0.006)
    if rng.random() < 0.4:
        x += rms_to(distance(rng, conversation(rng, n, sample_rate), sample_rate, 20), 0.01)
    return x


@sound(
    "ss-u",
    "square or market",
    (8, 30),
    weight=1.3,
    studio=0.03,
    nouns="market,square,playground,street market,festival,park with kids,people in the street,harbour,tourist place",
    tags="people,voices,city,market,field-recording,street,crowd,ambience,urban,children,soundscape,outdoor,park",
)
def _square(rng, n, sample_rate):
    x = rms_to(distance(rng, babble(rng, n, sample_rate, voices=9), sample_rate, 18), rng.uniform(0.01, 0.04))
    x += rms_to(_traffic(rng, n, sample_rate, 0), rng.uniform(0.005, 0.03)) + rms_to(
        footsteps(rng, n, sample_rate), 0.008
    )
    return x + rms_to(birds(rng, n, sample_rate, density=0.8, metres=25), 0.008) if rng.random() < 0.5 else x


@sound(
    "ss-u",
    "station or site",
    (8, 30),
    weight=1.0,
    studio=0.03,
    nouns="train station,airport outside,construction site,platform,harbor,tram stop,suburb,backyard,village",
    tags="station,train,city,construction,field-recording,urban,ambience,transport,platform,village,dog,airport",
)
def _site(rng, n, sample_rate):
    x, kind = _traffic(rng, n, sample_rate, 1), rng.choice(["announcement", "works", "yard"])
    if kind == "announcement":
        return x + rms_to(distance(rng, announcement(rng, n, sample_rate), sample_rate, 30), 0.02)
    if kind == "works":
        return x + rms_to(
            distance(rng, click_train(rng, n, sample_rate, 4, regular=0.9, material="metal", size=3), sample_rate, 30),
            0.015,
        )
    for at in rng.uniform(0, n, rng.poisson(0.4 * n / sample_rate)):
        add_at(x, distance(rng, bark(rng, sample_rate), sample_rate, 35), at, 0.1)
    return x + rms_to(birds(rng, n, sample_rate, metres=25), 0.012)


@sound(
    "ss-s",
    "drone",
    (6, 30),
    weight=1.6,
    studio=0.85,
    nouns="drone,dark drone,ambient drone,space ambience,deep pad,atmosphere,dark ambient,layers,overtone drone",
    tags="drone,ambient,dark,atmosphere,pad,synth,space,soundscape,artificial,multisample,horror,texture,loop",
)
def _drone(rng, n, sample_rate):
    hz, x = float(midi(rng.integers(24, 50))), np.zeros(n, dtype=np.float32)
    for step in rng.choice([0, 0.05, 7, 12, 12.04, 19, 3], int(rng.integers(2, 5)), replace=False):
        swell = 0.3 + 0.7 * wander(rng, n, sample_rate, 0.3)
        x += synth(rng, hz * 2 ** (step / 12), n, sample_rate, kind="pad") * swell
    x += rms_to(
        bandpass(noise(rng, n), log_uniform(rng, 200, 2500), sample_rate, 3) * wander(rng, n, sample_rate, 0.4), 0.02
    )
    return reverb(rng, x, sample_rate, 2.0, 0.5)


@sound(
    "ss-s",
    "imaginary place",
    (6, 30),
    weight=1.2,
    studio=0.7,
    nouns="alien planet,underwater,spaceship interior,cave,dream,haunted house,horror ambience,sci-fi,cyber city",
    tags="ambience,sci-fi,space,horror,atmosphere,artificial,dark,alien,soundscape,cinematic,game,background,creepy",
)
def _imaginary(rng, n, sample_rate):
    x = rms_to(wind(rng, n, sample_rate, howl=1), 0.04) + rms_to(
        synth(rng, float(midi(rng.integers(24, 45))), n, sample_rate, kind="pad"), 0.04
    )
    x += rms_to(granular(rng, n, sample_rate, source(rng, int(2 * sample_rate), sample_rate)), rng.uniform(0.01, 0.05))
    return echo(reverb(rng, x, sample_rate, 2.0, 0.5), sample_rate, 0.37, 0.4)


@sound(
    "ss-s",
    "generated nature",
    (6, 30),
    weight=0.8,
    studio=0.8,
    nouns="synthetic wind,fake rain,artificial ocean,synthesized forest,white noise relax,generated waves",
    tags="synthetic,ambience,noise,artificial,relax,wind,generated,ambient,soundscape,computer,experimental,loop",
)
def _generated(rng, n, sample_rate):
    make = (wind, waves, rain, crickets, fire)[rng.integers(5)]
    sway = 0.6 + 0.4 * sine(steady(rng.uniform(0.1, 0.5), n), sample_rate)
    x = rms_to(make(rng, n, sample_rate), 0.06) * sway
    if rng.random() < 0.3:
        x += rms_to(
            lowpass(speak(rng, n, sample_rate, monotone=1, whisper=True), 1500, sample_rate) * curve(rng.random(6), n),
            0.015,
        )
    return echo(x, sample_rate, 0.25, 0.5) if rng.random() < 0.5 else x
