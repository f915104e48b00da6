"""Music: drum loops, melodies of one instrument, arrangements of several."""

import numpy as np

from skbst.datasets._synth import _drums as drums
from skbst.datasets._synth._dsp import add_at, decay, lowpass, rms_to, soft_clip
from skbst.datasets._synth._instruments import blow, bow, harpsichord, midi, organ, piano, pluck, synth
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import echo, reverb
from skbst.datasets._synth._voice import sing

__all__ = ["chords", "drum_loop", "melody", "phrase"]

_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "pentatonic": (0, 3, 5, 7, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "harmonic": (0, 2, 3, 5, 7, 8, 11),
}
_PATTERNS = {
    "four": ("x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "rock": ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "break": ("x..x......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x."),
    "hiphop": ("x.....x...x.....", "....x.......x...", "x.x.xxx.x.x.x.xx"),
    "halftime": ("x.........x.....", "........x.......", "x...x...x...x.x."),
}


def _hit(kind, rng, n, sample_rate):
    return getattr(drums, kind)(rng, n, sample_rate)


def drum_loop(rng, n, sample_rate, tempo=None, *, kit="drums"):
    """Repeated bar of kick, snare and hats with swing, ghost notes and fills; or of hand drums; float32 (n,)."""
    step = 15 / (tempo or rng.uniform(70, 175))
    size = int(min(1.2, n / sample_rate) * sample_rate)
    if kit == "drums":
        names, patterns = ("kick", "snare", "hat"), _PATTERNS[rng.choice(list(_PATTERNS))]
    else:
        names = rng.choice(["membrane", "membrane", "woodblock", "shaker", "clap"], 3)
        patterns = ["".join(rng.choice(["x", "."], 16, p=[p, 1 - p])) for p in (0.3, 0.35, 0.5)]
    swing = rng.choice([0.0, 0.12, 0.25], p=[0.6, 0.25, 0.15])
    out = np.zeros(n, dtype=np.float32)
    for name, pattern in zip(names, patterns):
        voices = [_hit(name, rng, size, sample_rate) for _ in range(1 if kit == "drums" else 2)]
        level = {"hat": 0.35, "shaker": 0.4, "kick": 1.0}.get(name, 0.7)
        for k in range(int(n / sample_rate / step) + 1):
            if pattern[k % 16] == "x" or rng.random() < 0.03:
                start = (k + swing * (k % 2)) * step + rng.normal(0, 0.003 if kit == "drums" else 0.008)
                gain = level * rng.uniform(0.7, 1)
                add_at(out, voices[rng.integers(len(voices))], max(0, start) * sample_rate, gain)
    return out


def melody(rng, length, *, low=52, high=79, scale=None):
    """Random walk on a scale: MIDI notes (length,) that ends on its root."""
    steps = np.array(_SCALES[scale or rng.choice(list(_SCALES))])
    root = int(rng.integers(low, low + 12))
    ladder = np.concatenate([root + steps + 12 * octave for octave in range(4)])
    ladder = ladder[ladder <= max(high, root + 12)]
    walk = np.cumsum(rng.choice([-2, -1, -1, 0, 1, 1, 2, 4], length)) + len(ladder) // 3
    notes = ladder[np.abs((walk + len(ladder)) % (2 * len(ladder)) - len(ladder)).clip(0, len(ladder) - 1)]
    notes[-1] = root
    return notes


def phrase(rng, n, sample_rate, play, *, tempo=None, low=52, high=79, overlap=1.6, notes=None):
    """Line of notes in a rhythm; `play(hz, n)` makes one note; float32 (n,)."""
    beat = 60 / (tempo or rng.uniform(60, 150))
    lengths = beat * rng.choice([0.25, 0.5, 0.5, 1.0, 1.5], int(n / sample_rate / (0.25 * beat)) + 2)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    count = max(1, int(np.sum(starts < n / sample_rate)))
    notes = melody(rng, count, low=low, high=high) if notes is None else np.resize(notes, count)
    out = np.zeros(n, dtype=np.float32)
    for note, start, length in zip(notes, starts, lengths):
        if rng.random() < 0.08:
            continue
        size = max(int(0.06 * sample_rate), int(length * overlap * sample_rate))
        add_at(out, play(float(midi(note)), size), start * sample_rate, rng.uniform(0.7, 1))
    return out


def chords(rng, n, sample_rate, play, *, tempo=None, low=48):
    """Chord progression, strummed or held; float32 (n,)."""
    bar = 60 / (tempo or rng.uniform(60, 130)) * rng.choice([1, 2, 4])
    steps = np.array(_SCALES[rng.choice(["major", "minor"])])
    root, out = int(rng.integers(low, low + 9)), np.zeros(n, dtype=np.float32)
    spread = rng.choice([0.0, 0.02, 0.05])
    for k in range(int(n / sample_rate / bar) + 1):
        degree = int(rng.choice([0, 3, 4, 5, 1]))
        for j in range(3):
            note = root + steps[(degree + 2 * j) % 7] + 12 * ((degree + 2 * j) // 7)
            tone = play(float(midi(note)), max(int(0.1 * sample_rate), int(1.1 * bar * sample_rate)))
            add_at(out, tone, (k * bar + spread * j) * sample_rate, 0.6)
    return out


_LOOP_TAGS = "loop,drums,beat,drum-loop,rhythm,percussion,bpm,groove,breakbeat,kick,snare,hihat,techno,hip-hop"


@sound(
    "m-sp",
    "drum loop",
    (2, 16),
    weight=3,
    studio=0.7,
    tags=_LOOP_TAGS,
    nouns="drum loop,drumloop,beat,break,drums,groove",
)
def _drum_loop(rng, n, sample_rate):
    x = drum_loop(rng, n, sample_rate)
    if rng.random() < 0.4:
        x = soft_clip(x, rng.uniform(1, 3))
    return reverb(rng, x, sample_rate, 0.3, 0.12) if rng.random() < 0.4 else x


@sound(
    "m-sp",
    "hand drums",
    (3, 25),
    weight=1.5,
    nouns="djembe,conga groove,tabla,bongo pattern,hand drum,cajon,percussion loop",
    tags="percussion,djembe,conga,tribal,ethnic,african,rhythm,drum,loop,world,live,hand-drum",
)
def _hand_drums(rng, n, sample_rate):
    return reverb(rng, drum_loop(rng, n, sample_rate, kit="hand"), sample_rate, 0.5, 0.2)


@sound(
    "m-sp",
    "beatbox",
    (1.5, 12),
    weight=0.5,
    nouns="beatbox,mouth drums,vocal beat,beatboxing loop,mouth percussion",
    tags="beatbox,mouth,vocal,voice,beat,loop,rhythm,hip-hop",
)
def _beatbox(rng, n, sample_rate):
    return lowpass(drum_loop(rng, n, sample_rate, rng.uniform(75, 110)), 3800, sample_rate)


@sound(
    "m-sp",
    "hats loop",
    (1.5, 10),
    weight=0.7,
    studio=0.8,
    nouns="hihat loop,shaker loop,tambourine,top loop,hats",
    tags="loop,hihat,hats,percussion,shaker,tambourine,rhythm,bpm,house,drumloop",
)
def _hats(rng, n, sample_rate):
    out, step = np.zeros(n, dtype=np.float32), 15 / rng.uniform(80, 160)
    make = drums.hat if rng.random() < 0.6 else drums.shaker
    hits = [make(rng, int(0.4 * sample_rate), sample_rate) for _ in range(3)]
    for k in range(int(n / sample_rate / step) + 1):
        add_at(out, hits[rng.integers(3)], k * step * sample_rate, (1, 0.4, 0.7, 0.4)[k % 4] * rng.uniform(0.7, 1))
    return out


def _player(rng, sample_rate, family):
    """A function (hz, n) -> note of one instrument of the family, the same for a whole piece."""
    velocity = rng.uniform(0.5, 0.95)
    if family == "string":
        kind = rng.choice(["nylon", "steel", "harp", "koto", "sitar"])
        return lambda hz, n: pluck(rng, hz, n, sample_rate, kind=kind, velocity=velocity)
    if family == "bass":
        return lambda hz, n: pluck(rng, hz, n, sample_rate, kind="bass", velocity=velocity)
    if family == "bowed":
        kind = rng.choice(["violin", "viola", "cello"])
        return lambda hz, n: bow(rng, hz, n, sample_rate, kind=kind, velocity=velocity)
    if family == "wind":
        kind = rng.choice(["flute", "recorder", "clarinet", "saxophone", "trumpet", "accordion", "panpipe"])
        return lambda hz, n: blow(rng, hz, n, sample_rate, kind=kind, velocity=velocity)
    if family == "keys":
        make = (piano, harpsichord, organ)[rng.choice(3, p=[0.7, 0.1, 0.2])]
        return lambda hz, n: make(rng, hz, n, sample_rate, velocity=velocity)
    if family == "synth":
        kind = rng.choice(["acid", "lead", "bass", "stab", "fm"])
        return lambda hz, n: synth(rng, hz, n, sample_rate, kind=kind, velocity=velocity)
    return lambda hz, n: drums.mallet(rng, n, sample_rate, hz)


@sound(
    "m-si",
    "guitar piece",
    (3, 25),
    weight=1.6,
    nouns="guitar riff,guitar loop,acoustic guitar,fingerpicking,guitar chords,koto melody,harp,sitar riff,guitar tune",
    tags="guitar,acoustic,riff,melody,chords,loop,strings,music,fingerpicking,folk,harp,minor,major",
)
def _guitar_piece(rng, n, sample_rate):
    play = _player(rng, sample_rate, "string")
    piece = chords if rng.random() < 0.4 else phrase
    return piece(rng, n, sample_rate, play)


@sound(
    "m-si",
    "keys piece",
    (3, 28),
    weight=1.6,
    nouns="piano melody,piano loop,piano improvisation,piano chords,rhodes,organ piece,music box,kalimba,marimba tune",
    tags="piano,melody,chords,loop,keyboard,music,sad,rhodes,improvisation,soft,mood,minor",
)
def _keys_piece(rng, n, sample_rate):
    play = _player(rng, sample_rate, "keys" if rng.random() < 0.75 else "mallet")
    x = phrase(rng, n, sample_rate, play, low=55, overlap=2.5)
    return x + 0.5 * chords(rng, n, sample_rate, play) if rng.random() < 0.4 else x


@sound(
    "m-si",
    "synth line",
    (1.5, 16),
    weight=1.5,
    studio=0.85,
    nouns="synth loop,bassline,acid line,synth melody,arpeggio,arp,303 loop,lead loop,dubstep bass",
    tags="synth,loop,electronic,bassline,techno,acid,arpeggio,melody,bpm,electro,trance,dance,house",
)
def _synth_line(rng, n, sample_rate):
    x = phrase(rng, n, sample_rate, _player(rng, sample_rate, "synth"), low=36, high=72, overlap=1.0)
    return echo(x, sample_rate, rng.uniform(0.15, 0.4), 0.45) if rng.random() < 0.4 else x


@sound(
    "m-si",
    "wind or bowed solo",
    (3, 25),
    weight=1.3,
    nouns="flute solo,sax solo,violin melody,cello,harmonica,trumpet solo,accordion,clarinet piece,fiddle",
    tags="solo,melody,improvisation,flute,saxophone,violin,jazz,classical,music,instrument,wind,loop",
)
def _solo(rng, n, sample_rate):
    play = _player(rng, sample_rate, rng.choice(["wind", "bowed"]))
    return reverb(rng, phrase(rng, n, sample_rate, play, overlap=1.15), sample_rate, 0.8, rng.uniform(0.05, 0.4))


@sound(
    "m-si",
    "singing",
    (2, 20),
    weight=0.9,
    nouns="singing,vocal melody,female vocal,choir boy,humming,la la la,acapella",
    tags="singing,vocal,voice,song,melody,female,male,acapella,sing,music,woman",
)
def _singing(rng, n, sample_rate):
    beat = 60 / rng.uniform(55, 110)
    freqs = midi(melody(rng, int(n / sample_rate / beat) + 2, low=48 + 9 * int(rng.integers(2)), high=76))
    return reverb(rng, sing(rng, freqs, beat, n, sample_rate), sample_rate, 1.0, rng.uniform(0.1, 0.4))


@sound(
    "m-m",
    "band",
    (4, 30),
    weight=2,
    studio=0.65,
    nouns="song,full loop,band jam,rock jam,funk groove,demo track,instrumental,reggae,jam session,remix",
    tags="music,band,song,guitar,bass,drums,rock,loop,jam,instrumental,remix,funk",
)
def _band(rng, n, sample_rate):
    tempo = rng.uniform(75, 150)
    x = rms_to(drum_loop(rng, n, sample_rate, tempo), rng.uniform(0.05, 0.12))
    bass = _player(rng, sample_rate, rng.choice(["bass", "synth"]))
    x = x + rms_to(phrase(rng, n, sample_rate, bass, tempo=tempo, low=31, high=50), 0.09)
    play = _player(rng, sample_rate, rng.choice(["string", "keys", "synth"]))
    x = x + rms_to(chords(rng, n, sample_rate, play, tempo=tempo), 0.07)
    if rng.random() < 0.6:
        lead = _player(rng, sample_rate, rng.choice(["wind", "string", "synth", "keys"]))
        x = x + rms_to(phrase(rng, n, sample_rate, lead, tempo=tempo, low=60), 0.06)
    return soft_clip(x, 2.0)


@sound(
    "m-m",
    "ensemble",
    (5, 30),
    weight=1.2,
    nouns="orchestra,string quartet,duet,brass band,orchestral loop,chamber music,violin and piano,fanfare,ensemble",
    tags="orchestra,orchestral,classical,strings,brass,music,ensemble,cinematic,duet,piano,violin,live",
)
def _ensemble(rng, n, sample_rate):
    tempo, x = rng.uniform(55, 110), np.zeros(n, dtype=np.float32)
    for low in (40, 52, 62)[: int(rng.integers(2, 4))]:
        play = _player(rng, sample_rate, rng.choice(["bowed", "wind", "bowed", "keys"]))
        x += rms_to(phrase(rng, n, sample_rate, play, tempo=tempo, low=low, overlap=1.3), 0.08)
    return reverb(rng, x, sample_rate, 1.4, rng.uniform(0.2, 0.5))


@sound(
    "m-m",
    "electronic track",
    (4, 28),
    weight=1.5,
    studio=0.9,
    nouns="techno loop,house track,electro loop,ambient track,trance loop,dubstep,game music,8bit theme,attack loop",
    tags="electronic,techno,house,loop,synth,dance,electro,bpm,music,trance,ambient,game,chiptune",
)
def _track(rng, n, sample_rate):
    tempo = rng.uniform(90, 150)
    beat = drum_loop(rng, n, sample_rate, tempo)
    pump = 1 - 0.5 * decay(int(60 / tempo * sample_rate), sample_rate, 0.3)
    line = phrase(rng, n, sample_rate, _player(rng, sample_rate, "synth"), tempo=tempo, low=36, high=60, overlap=1.0)
    pad = chords(rng, n, sample_rate, lambda hz, m: synth(rng, hz, m, sample_rate, kind="pad"), tempo=tempo / 2)
    x = rms_to(line, 0.1) + np.resize(pump, n) * rms_to(pad, 0.06)
    return x + rms_to(beat, 0.1) if rng.random() < 0.8 else echo(x, sample_rate, 45 / tempo, 0.5)
