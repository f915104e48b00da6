"""Titles, tags and descriptions as people write them."""

import numpy as np

from skbst.datasets._synth._neighbours import NEIGHBOURS
from skbst.datasets._synth._registry import SOUNDS, split

__all__ = ["write_texts"]

_EXTENSIONS = (".wav", ".wav", ".wav", ".WAV", ".aif", ".mp3", ".flac", "")
_COMMON = split(
    "sound,noise,sample,recording,effect,field-recording,stereo,short,loop,hit,ambient,voice,electronic,music,human,"
    "metal,wood,soft,hard,dark,funny,test,mono,raw,fx,game,home,long,processed,male,female,acoustic"
)
_EXTRA = split("2,3,take 2,close,loud,short,slow,long,fast,edit,final,mono,dry,with reverb,loop,old,new,soft,clean")
_NOTES = split("C2,E2,F#3,A3,C4,G4,Bb2,D5")
# now and then anybody writes like this
_OTHER_STYLES = ("sentence", "file", "file", "opaque")
_BOILERPLATE = (
    "Recorded with a Zoom H4n, no processing.",
    "Please leave a comment if you use this!!\r\n\r\nThanks :)",
    'More sounds here: <a href="http://www.example.org/packs/{number}" rel="nofollow">pack {number}</a>',
    "<strong>Free to use.</strong> Credit is nice but not needed.<br />\r\nhttps://www.example.org/~me",
    "44.1 kHz, 16 bit. Normalised and trimmed in Audacity.",
    "- bit depth: 24\r\n- microphone: not noted\r\n- take: {number}",
    "If you like my work, support me: www.example.org/donate   \u00a9 me, all rights where they belong \u2026",
    "part of a set made for a student project (see the other {number} files)",
)
_OPENERS = (
    "A {noun}.",
    "{noun}, {tag}",
    "This is a recording of {noun}.",
    "{noun} recorded at home. You can hear {tag} too.",
    "Some {noun} for your project",
    "{tag} / {noun} / {tag2}",
    "I made this {noun} yesterday &amp; I quite like it.",
    "{title}.",
)


def _misspell(rng, text):
    if len(text) < 6:
        return text
    at = int(rng.integers(1, len(text) - 2))
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _pick(rng, words):
    return str(words[rng.integers(len(words))])


def _relative(rng, sound):
    """A sound whose words could also be used: of the same class, or of a neighbour class."""
    code = sound.code if rng.random() < 0.45 else _pick(rng, NEIGHBOURS[sound.code])
    return _pick_sound(rng, code)


def _pick_sound(rng, code):
    kinds = list(SOUNDS[code].values())
    return kinds[rng.integers(len(kinds))]


def _title(rng, noun, style, number):
    if style == "opaque":
        forms = (
            "ZOOM{:04d}",
            "STE-{:03d}",
            "rec{:02d}",
            "untitled {}",
            "{:03d}",
            "Track {:02d}",
            "MIC1_{:04d}",
            "audio_{}",
        )
        return _pick(rng, forms).format(number % 1000) + _pick(rng, _EXTENSIONS)
    extra = f" {_pick(rng, _EXTRA)}" if rng.random() < 0.4 else ""
    if rng.random() < 0.05:
        noun = _misspell(rng, noun)
    if style == "sentence":
        text = noun + extra
        return text[:1].upper() + text[1:] if rng.random() < 0.6 else text
    if style == "file":
        return (
            (noun + extra).replace(" ", _pick(rng, "_- "))
            + f"_{number % 30:02d}" * bool(rng.integers(2))
            + _pick(rng, _EXTENSIONS)
        )
    if style == "dated":
        day = f"20{number % 15 + 5:02d}{number % 12 + 1:02d}{number % 28 + 1:02d}"
        return f"{day}.{noun.replace(' ', '.')}{_pick(rng, _EXTENSIONS)}"
    if style == "camel":
        return "".join(word.title() for word in (noun + extra).split()) + str(number % 12) + _pick(rng, _EXTENSIONS)
    pack = f"{_pick(rng, ('KIT', 'SET', 'VOL', 'SFX', 'LIB'))}{number % 9}"
    return f"{pack}_{noun.split()[0].upper()[:5]}_{_pick(rng, _NOTES)}{_pick(rng, _EXTENSIONS)}"


def _tags(rng, sound, uploader, clarity):
    own = list(rng.permutation(sound.tags)[: rng.binomial(min(6, len(sound.tags)), 0.15 + 0.45 * clarity)])
    count = 1 + rng.poisson(3 - 1.5 * clarity)
    for _ in range(count):
        own.append(_pick(rng, _COMMON) if rng.random() < 0.55 else _pick(rng, _relative(rng, sound).tags))
    own += [tag for tag in uploader.fixed_tags if rng.random() < 0.8]
    unique = list(dict.fromkeys(str(tag) for tag in own))
    order = rng.permutation(len(unique))
    return ",".join(unique[k].title() if rng.random() < 0.06 else unique[k] for k in order)


def _description(rng, noun, title, tags, uploader, number):
    if uploader.description_style == 0 or rng.random() < 0.1:
        return ""
    words = tags.split(",")
    parts = []
    if rng.random() < 0.75:
        opener = _pick(rng, _OPENERS)
        parts.append(opener.format(noun=noun, tag=_pick(rng, words), tag2=_pick(rng, words), title=title))
    if not parts or rng.random() < 0.6:
        parts.append(_BOILERPLATE[uploader.description_style - 1].format(number=number % 500))
    return _pick(rng, ("\r\n\r\n", "\r\n", " ", " <br />\r\n")).join(parts)


def write_texts(rng, sound, uploader, number, *, ambiguity=0.35):
    """Write title, tags and description of a clip.

    Parameters
    ----------
    rng : Generator
        Draws the words.

    sound : Sound
        What is heard.

    uploader : Uploader
        Who writes.

    number : int
        Take or file number.

    ambiguity : float in [0, 1], default=0.35
        Probability that the noun in the title belongs to a relative of the sound.

    Returns
    -------
    title, tags, description : str
    """
    clarity = float(np.clip(rng.beta(2, 2), 0, 1))
    noun = _pick(rng, sound.nouns if rng.random() > ambiguity else _relative(rng, sound).nouns)
    style = uploader.title_style if rng.random() < 0.75 else _pick(rng, _OTHER_STYLES)
    title = _title(rng, noun, style, number)
    tags = _tags(rng, sound, uploader, clarity)
    spoken = noun if rng.random() < 0.6 else _pick(rng, _COMMON)
    return title, tags, _description(rng, spoken, title, tags, uploader, number)
