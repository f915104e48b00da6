"""A small table of our own: words that say what a clip is, whoever writes them."""

__all__ = ["OWN_RULES"]

_WORDS = {
    "m-sp": "drum-solo drum-loop drumloop beat percussion-loop breakbeat",
    "m-si": "piano-solo guitar-solo solo-piano riff arpeggio guitar-loop piano-loop",
    "m-m": "music song band orchestra ensemble soundtrack jingle background-music",
    "is-p": "drum snare kick hihat hi-hat cymbal tom gong bongo conga tambourine clap one-shot kick-drum",
    "is-s": "guitar violin cello harp viola contrabass double-bass ukulele strum pluck",
    "is-w": "flute trumpet saxophone clarinet oboe trombone tuba horn-section harmonica sax bassoon accordion",
    "is-k": "piano organ harpsichord celesta grand-piano",
    "is-e": "synth synthesizer pad 808 909 analog-synth modular bassline bass-synth",
    "sp-s": "speech talking spoken voice-over narration reading male-voice female-voice word phrase",
    "sp-c": "crowd conversation chatter people-talking dialogue audience playground",
    "sp-p": "vocoder robot-voice robotic radio-voice megaphone text-to-speech tts telephone-voice",
    "fx-o": "door glass paper keys coin drawer cup bottle scissors switch zipper kitchen knife plastic box",
    "fx-v": "car train airplane plane motorcycle truck bus helicopter bicycle boat ship engine-start vehicle",
    "fx-m": "machine drill clock motor gear pump fan washing-machine printer saw mechanism engine",
    "fx-h": "footsteps cough laugh breath breathing sneeze scream heartbeat applause snore walking kiss whistle",
    "fx-a": "dog cat bird animal bark meow cow horse sheep frog insect cricket growl bee chicken owl",
    "fx-n": "thunder explosion fire water-drop splash wind-gust ice rock bubbles dripping",
    "fx-ex": "experimental reversed granular glitch noise-art stretched processed",
    "fx-el": "laser sci-fi whoosh game ui riser notification 8-bit beep zap power-up alarm-sound",
    "ss-n": "forest river sea ocean waves birdsong birds rain jungle nature stream beach",
    "ss-i": "room-tone roomtone office restaurant indoor factory supermarket church-interior cafe",
    "ss-u": "city traffic street urban park market station construction-site town",
    "ss-s": "drone ambient atmosphere space-ambience dark-ambient soundscape-synth atmo-pad",
    "ss": "ambience ambiance field-recording soundscape atmos background",
    "sp": "voice vocal human-voice",
    "is": "instrument single-note multisample sample note",
    "m": "loop bpm melody tempo",
    "fx": "foley sfx effect sound-effect",
}

#: Tag -> {class or top-level class: weight}. A broad word weighs half a plain one.
OWN_RULES = {}
for _code, _tags in _WORDS.items():
    for _tag in _tags.split():
        OWN_RULES.setdefault(_tag, {})[_code] = 1.0 if "-" in _code else 0.5
