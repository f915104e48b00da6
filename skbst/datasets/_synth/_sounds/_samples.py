"""Instrument samples: one note, chord or hit of one instrument."""

import numpy as np

from skbst.datasets._synth import _drums as drums
from skbst.datasets._synth._dsp import add_at, fade, lowpass, noise, sine, soft_clip
from skbst.datasets._synth._instruments import blow, bow, harpsichord, midi, organ, piano, pluck, synth
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import echo, reverb

__all__ = []


def _note(rng, low, high):
    return float(midi(rng.integers(low, high + 1)))


@sound(
    "is-p",
    "drum hit",
    (0.08, 1.2),
    weight=2.5,
    studio=0.8,
    nouns="kick,snare,bass drum,tom,hihat closed,open hat,rimshot,clap,bd,sd,808 kick,snare hit",
    tags="drum,kick,snare,hit,one-shot,1-shot,percussion,hihat,drum-machine,sample,acoustic,bass-drum,velocity",
)
def _drum_hit(rng, n, sample_rate):
    make = rng.choice([drums.kick, drums.snare, drums.hat, drums.membrane, drums.clap, drums.woodblock])
    x = make(rng, n, sample_rate)
    return reverb(rng, x, sample_rate, 0.4, 0.2) if rng.random() < 0.3 else x


@sound(
    "is-p",
    "cymbal or bell",
    (0.6, 6),
    weight=1.2,
    nouns="crash cymbal,ride,gong,bell,tubular bell,singing bowl,triangle,cowbell,splash cymbal,tibetan bowl",
    tags="cymbal,percussion,metal,gong,bell,hit,crash,ride,one-shot,resonance,metallic",
)
def _cymbal_bell(rng, n, sample_rate):
    return (drums.cymbal if rng.random() < 0.5 else drums.bell)(rng, n, sample_rate)


@sound(
    "is-p",
    "mallets",
    (0.4, 3),
    weight=0.9,
    nouns="marimba,xylophone,glockenspiel,kalimba,vibraphone,timpani,hang drum,wood block",
    tags="mallet,percussion,marimba,note,xylophone,multisample,single-note,wood,pitched",
)
def _mallet(rng, n, sample_rate):
    x = drums.mallet(rng, n, sample_rate)
    return x * (1 + 0.4 * sine(np.full(n, 5.5, np.float32), sample_rate)) if rng.random() < 0.2 else x


@sound(
    "is-p",
    "hand percussion",
    (0.1, 1.5),
    weight=1.2,
    nouns="conga,bongo,djembe slap,tabla,tambourine,shaker,maracas,cajon,darbuka,claves",
    tags="percussion,conga,hand-drum,hit,shaker,latin,ethnic,drum,one-shot,slap",
)
def _hand_percussion(rng, n, sample_rate):
    make = rng.choice([drums.membrane, drums.membrane, drums.shaker, drums.woodblock])
    return make(rng, n, sample_rate)


@sound(
    "is-s",
    "plucked note",
    (0.7, 6),
    weight=2,
    nouns="guitar note,acoustic guitar,bass guitar note,electric bass,harp,ukulele,banjo,sitar,koto,nylon,pizzicato",
    tags="guitar,string,pluck,note,single-note,acoustic,bass,multisample,harp,steel,electric,sample,E2,A3",
)
def _plucked(rng, n, sample_rate):
    kind = rng.choice(["nylon", "steel", "bass", "harp", "koto", "sitar"])
    hz = _note(rng, 28, 45) if kind == "bass" else _note(rng, 40, 79)
    return pluck(rng, hz, n, sample_rate, kind=kind, velocity=rng.uniform(0.3, 1))


@sound(
    "is-s",
    "bowed note",
    (0.8, 6),
    weight=1.6,
    nouns="violin,cello note,viola,double bass,contrabass arco,violin sustain,strings section,cello tremolo",
    tags="violin,cello,bowed,strings,note,single-note,good-sounds,orchestral,sustain,multisample,arco,mezzoforte",
)
def _bowed(rng, n, sample_rate):
    kind, low = (("violin", 55), ("viola", 48), ("cello", 36), ("contrabass", 29))[rng.integers(4)]
    hz, x = _note(rng, low, low + 28), np.zeros(n, dtype=np.float32)
    for _ in range(3 if rng.random() < 0.2 else 1):
        x += bow(rng, hz * rng.uniform(0.996, 1.004), n, sample_rate, kind=kind)
    return x


@sound(
    "is-s",
    "strum",
    (0.8, 5),
    weight=1.0,
    nouns="guitar chord,strum,guitar strum,power chord,distorted guitar,open chord,muted guitar",
    tags="guitar,chord,strum,electric,distortion,acoustic,major,minor,string,rock",
)
def _strum(rng, n, sample_rate):
    root, x, lag = int(rng.integers(40, 50)), np.zeros(n, dtype=np.float32), rng.uniform(0.008, 0.05)
    for j, step in enumerate((0, 7, 12, rng.choice([15, 16]), 19)):
        tone = pluck(rng, float(midi(root + step)), n, sample_rate, kind="steel", velocity=rng.uniform(0.5, 1))
        add_at(x, tone, j * lag * sample_rate)
    return fade(soft_clip(x, 6.0) if rng.random() < 0.35 else x, sample_rate, 0.001, 0.05)


@sound(
    "is-w",
    "woodwind note",
    (0.7, 6),
    weight=1.6,
    nouns="flute,clarinet,recorder note,alto sax,oboe,saxophone,flute tenuto,bassoon,pan flute,bansuri",
    tags="flute,woodwind,wind,note,single-note,good-sounds,clarinet,sax,multisample,neumann-U87,mezzoforte,alto",
)
def _woodwind(rng, n, sample_rate):
    kind = rng.choice(["flute", "recorder", "clarinet", "saxophone", "panpipe"])
    return blow(rng, _note(rng, 53, 84), n, sample_rate, kind=kind, velocity=rng.uniform(0.4, 1))


@sound(
    "is-w",
    "brass note",
    (0.6, 5),
    weight=1.4,
    nouns="trumpet,trombone,french horn,tuba,trumpet note,horn stab,brass section,tuba low",
    tags="trumpet,brass,wind,note,single-note,horn,trombone,forte,multisample,orchestral,vsco-2",
)
def _brass(rng, n, sample_rate):
    kind = rng.choice(["trumpet", "trombone"])
    hz = _note(rng, 52, 80) if kind == "trumpet" else _note(rng, 34, 62)
    return blow(rng, hz, n, sample_rate, kind=kind, velocity=rng.uniform(0.5, 1.2))


@sound(
    "is-w",
    "free reed",
    (0.6, 6),
    weight=0.7,
    nouns="accordion,harmonica note,melodica,harmonium,didgeridoo,bagpipe,ocarina,whistle",
    tags="accordion,harmonica,wind,reed,note,chord,melodica,folk,drone,breath",
)
def _reed(rng, n, sample_rate):
    hz, kind = _note(rng, 45, 74), rng.choice(["accordion", "accordion", "panpipe"])
    x = blow(rng, hz, n, sample_rate, kind=kind)
    return x + blow(rng, hz * 1.26, n, sample_rate, kind=kind) if rng.random() < 0.3 else x


@sound(
    "is-k",
    "piano note",
    (0.8, 8),
    weight=2,
    nouns="piano,piano note,grand piano,upright piano,piano C4,piano low,felt piano,piano chord",
    tags="piano,keyboard,note,single-note,multisample,grand,acoustic,velocity,soft,sample,C4,yamaha",
)
def _piano(rng, n, sample_rate):
    hz, x = _note(rng, 28, 92), np.zeros(n, dtype=np.float32)
    for step in (0, 4, 7) if rng.random() < 0.25 else (0,):
        x += piano(rng, hz * 2 ** (step / 12), n, sample_rate, velocity=rng.uniform(0.3, 1))
    return reverb(rng, x, sample_rate, 0.9, 0.2) if rng.random() < 0.3 else x


@sound(
    "is-k",
    "electric piano",
    (0.6, 5),
    weight=0.9,
    nouns="rhodes,electric piano,wurlitzer,clavinet,e-piano chord,toy piano,celesta",
    tags="rhodes,keys,electric-piano,keyboard,note,chord,vintage,multisample,tine",
)
def _electric_piano(rng, n, sample_rate):
    hz = _note(rng, 40, 84)
    x = piano(rng, hz, n, sample_rate, electric=True)
    return x + piano(rng, hz * 1.5, n, sample_rate, electric=True) if rng.random() < 0.3 else x


@sound(
    "is-k",
    "organ or harpsichord",
    (0.7, 7),
    weight=1.3,
    nouns="organ,church organ,pipe organ,hammond,harpsichord,harpsichord note,organ chord,harmonium",
    tags="organ,church,keyboard,note,pipe,harpsichord,baroque,chord,multisample,hammond,stop",
)
def _organ(rng, n, sample_rate):
    hz = _note(rng, 36, 76)
    if rng.random() < 0.4:
        return harpsichord(rng, hz, n, sample_rate)
    kind = rng.choice(["pipe", "pipe", "drawbar"])
    x = organ(rng, hz, n, sample_rate, kind=kind)
    if rng.random() < 0.4:
        x = x + organ(rng, hz * rng.choice([1.26, 1.5]), n, sample_rate, kind=kind)
    return reverb(rng, x, sample_rate, 1.2, rng.uniform(0.1, 0.5)) if kind == "pipe" else x


@sound(
    "is-e",
    "synth note",
    (0.3, 6),
    weight=2.2,
    studio=0.9,
    nouns="synth,synth bass,synth lead,saw lead,analog bass,moog,pad note,synth stab,pluck synth,juno,wobble",
    tags="synth,synthesizer,electronic,analog,bass,lead,multisample,note,saw,electro,sample,subtractive,patch",
)
def _synth_note(rng, n, sample_rate):
    return synth(rng, _note(rng, 28, 80), n, sample_rate, velocity=0.8)


@sound(
    "is-e",
    "synth hit",
    (0.1, 2.5),
    weight=1.1,
    studio=0.9,
    nouns="808,techno kick,electro hit,fm hit,zap drum,synth snare,hardstyle kick,laser tom,electronic tom",
    tags="electronic,drum,kick,synth,hit,techno,one-shot,hardstyle,808,electro,industrial,gabber",
)
def _synth_hit(rng, n, sample_rate):
    if rng.random() < 0.5:
        return soft_clip(drums.kick(rng, n, sample_rate), rng.uniform(2, 10))
    return synth(rng, _note(rng, 40, 90), n, sample_rate, kind=rng.choice(["fm", "stab"]))


@sound(
    "is-e",
    "synth texture",
    (1.5, 10),
    weight=0.9,
    studio=0.9,
    nouns="pad,drone note,granular pad,evolving synth,choir pad,space pad,noise sweep,string machine",
    tags="pad,synth,ambient,electronic,texture,space,multisample,digital,drone,evolving",
)
def _synth_texture(rng, n, sample_rate):
    hz, x = _note(rng, 36, 64), np.zeros(n, dtype=np.float32)
    for step in rng.choice([0, 3, 5, 7, 12], int(rng.integers(1, 4)), replace=False):
        x += synth(rng, hz * 2 ** (step / 12), n, sample_rate, kind="pad")
    x += lowpass(noise(rng, n), 1200, sample_rate) * np.float32(0.02)
    return echo(reverb(rng, x, sample_rate, 1.0, 0.4), sample_rate, 0.3, 0.4)
