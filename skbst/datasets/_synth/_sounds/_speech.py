"""Speech: one voice, several voices, voices through a machine."""

import numpy as np

from skbst.datasets._synth._dsp import (
    add_at,
    bandpass,
    curve,
    highpass,
    lowpass,
    noise,
    rms_to,
    sine,
    soft_clip,
    steady,
)
from skbst.datasets._synth._registry import sound
from skbst.datasets._synth._space import echo, reverb
from skbst.datasets._synth._voice import babble, speak

__all__ = ["announcement", "conversation", "radio"]


@sound(
    "sp-s",
    "word",
    (0.25, 1.6),
    weight=1.6,
    studio=0.6,
    nouns="hello,seven,yes,no,word,okay,letter a,sorry,phoneme,three,stop it,come on,syllable",
    tags="voice,word,speech,female,male,spoken,english,vocal,woman,speak,american,alphabet,short,girl",
)
def _word(rng, n, sample_rate):
    return speak(rng, n, sample_rate, rate=rng.uniform(2.5, 6), pause=3.0)


@sound(
    "sp-s",
    "sentence",
    (1.5, 10),
    weight=2,
    studio=0.55,
    nouns="male voice,female voice,voice over,reading,spoken sentence,monologue,poem,voice sample,story,narration",
    tags="voice,speech,male,female,talk,spoken,english,reading,spanish,man,woman,human,vocal,words,text",
)
def _sentence(rng, n, sample_rate):
    x = speak(rng, n, sample_rate, rate=rng.uniform(3.6, 5.6))
    return reverb(rng, x, sample_rate, rng.uniform(0.2, 0.6), 0.15) if rng.random() < 0.5 else x


@sound(
    "sp-s",
    "whisper or shout",
    (0.6, 6),
    weight=0.7,
    nouns="whisper,whispering,shout,yelling,scream help,angry man,old woman talking,kid speaking",
    tags="voice,whisper,shout,speech,male,female,child,horror,vocal,scary,spoken,scream",
)
def _whisper(rng, n, sample_rate):
    if rng.random() < 0.55:
        return speak(rng, n, sample_rate, whisper=True)
    return soft_clip(speak(rng, n, sample_rate, rate=3.4, breath=0.2) * 4, 1.5)


def conversation(rng, n, sample_rate, speakers=2):
    """Speakers who take turns, now and then at once; float32 (n,)."""
    out, at = np.zeros(n, dtype=np.float32), 0
    voices = [speak(rng, n, sample_rate, pause=0.25) * rng.uniform(0.4, 1) for _ in range(speakers)]
    while at < n:
        size = int(rng.uniform(0.6, 3.0) * sample_rate)
        voice = voices[rng.integers(speakers)]
        add_at(out, voice[at : at + size], at)
        at += int(size * rng.uniform(0.7, 1.15))
    return out


@sound(
    "sp-c",
    "dialogue",
    (3, 25),
    weight=1.2,
    studio=0.35,
    nouns="conversation,dialogue,people talking,interview,two women talking,argument,chatting,friends talk,phone chat",
    tags="conversation,people,talking,voices,speech,female,male,dialogue,field-recording,talk,interview,human",
)
def _dialogue(rng, n, sample_rate):
    x = conversation(rng, n, sample_rate, int(rng.integers(2, 4)))
    return reverb(rng, x, sample_rate, rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.4))


@sound(
    "sp-c",
    "crowd",
    (4, 30),
    weight=1.2,
    studio=0.25,
    nouns="crowd,crowd talking,chatter,walla,audience murmur,restaurant crowd,playground,party crowd,people in hall",
    tags="crowd,voices,people,chatter,talking,walla,ambience,field-recording,party,public,murmur,children",
)
def _crowd(rng, n, sample_rate):
    x = babble(rng, n, sample_rate, voices=int(rng.integers(5, 16)))
    x = rms_to(x, 0.1) + rms_to(lowpass(noise(rng, n, "pink"), 2000, sample_rate), 0.01)
    return reverb(rng, x, sample_rate, rng.uniform(0.4, 1.4), rng.uniform(0.2, 0.6))


@sound(
    "sp-c",
    "cheering",
    (1.5, 15),
    weight=0.7,
    studio=0.3,
    nouns="crowd cheering,stadium,kids shouting,protest chant,group shouting,crowd yelling,children playing",
    tags="crowd,cheer,shout,people,voices,stadium,yell,chant,kids,joy,group,demonstration",
)
def _cheering(rng, n, sample_rate):
    x = babble(rng, n, sample_rate, voices=10)
    roar = bandpass(noise(rng, n), rng.uniform(900, 1600), sample_rate, 0.8)
    x = rms_to(soft_clip(x * 3, 1), 0.08) + rms_to(roar * curve(rng.uniform(0.2, 1, 8), n), 0.06)
    return reverb(rng, x, sample_rate, 1.2, 0.4)


def radio(rng, x, sample_rate, *, hiss=0.02):
    """Put a sound through a telephone or a short-wave set; float32 (n,)."""
    low, high = rng.uniform(250, 500), rng.uniform(2300, 3600)
    x = lowpass(highpass(highpass(x, low, sample_rate), low, sample_rate), high, sample_rate)
    x = soft_clip(lowpass(x, high, sample_rate) * rng.uniform(2, 9), 1)
    static = bandpass(noise(rng, len(x)), 1500, sample_rate, 0.5) * curve(rng.uniform(0.3, 1, 9) ** 2, len(x))
    return x + np.float32(hiss * rng.uniform(0.3, 4)) * static


@sound(
    "sp-p",
    "phone or radio",
    (1, 14),
    weight=1.3,
    studio=0.4,
    nouns="phone message,answering machine,radio voice,walkie talkie,shortwave,telephone voice,radio chatter,apollo",
    tags="voice,radio,phone,telephone,speech,shortwave,lofi,talk,transmission,static,male,communication",
)
def _radio_voice(rng, n, sample_rate):
    x = radio(rng, speak(rng, n, sample_rate), sample_rate)
    if rng.random() < 0.3:
        beep = sine(steady(rng.uniform(800, 1500), int(0.15 * sample_rate)), sample_rate)
        add_at(x, beep, 0.8 * n, 0.3)
    return x


@sound(
    "sp-p",
    "robot",
    (0.8, 8),
    weight=1.3,
    studio=0.8,
    nouns="robot voice,robot,access denied,alien voice,vocoder,computer voice,cyborg,demon voice,dalek",
    tags="robot,voice,computer,robotic,processed,vocoder,sci-fi,android,speech,effect,machine,alien,game",
)
def _robot(rng, n, sample_rate):
    x = speak(rng, n, sample_rate, monotone=1.0, rate=rng.uniform(3, 5))
    kind = rng.random()
    if kind < 0.4:
        x = x * sine(steady(rng.uniform(30, 180), n), sample_rate)
    if kind > 0.3:
        lag = int(rng.uniform(0.004, 0.012) * sample_rate)
        for _ in range(3):
            x[lag:] += 0.6 * x[:-lag] if lag < n else 0
    if rng.random() < 0.4:
        hold = int(rng.integers(3, 9))
        x = np.repeat(x[::hold], hold)[:n]
    return x


@sound(
    "sp-p",
    "text to speech",
    (0.8, 9),
    weight=1.2,
    studio=0.9,
    nouns="text to speech,TTS,synthetic voice,computer speech,gps voice,siri voice,automated message,prompt",
    tags="text-to-speech,synthetic,voice,tts,computer,speech,female,prompt,automated,english,menu,request",
)
def _tts(rng, n, sample_rate):
    return speak(rng, n, sample_rate, monotone=0.75, rate=4.8, pause=0.25, breath=0.0)


def announcement(rng, n, sample_rate):
    """Loudspeaker announcement in a large hall, after a gong; float32 (n,)."""
    x = radio(rng, speak(rng, n, sample_rate, kind="female", rate=4), sample_rate, hiss=0.005)
    for k, hz in enumerate((784, 659, 523)):
        size = int(0.5 * sample_rate)
        tone = sine(steady(hz, size), sample_rate) * np.linspace(1, 0, size, dtype=np.float32)
        add_at(x, tone, k * 0.35 * sample_rate, 0.4)
    return echo(reverb(rng, x, sample_rate, 1.6, 0.5), sample_rate, 0.18, 0.3)


@sound(
    "sp-p",
    "announcement",
    (3, 20),
    weight=0.9,
    studio=0.2,
    nouns="station announcement,train announcement,airport announcement,megaphone,PA system,voice echo",
    tags="announcement,station,automated,voice,train,speaker,public,platform,spain,female,PA",
)
def _announcement(rng, n, sample_rate):
    return announcement(rng, n, sample_rate)
