"""The Broad Sound Taxonomy: 23 second-level classes under 5 top-level ones."""

from skbst.taxonomy._taxonomy import Taxonomy

__all__ = ["BST"]

_TOPS = {"m": "Music", "is": "Instrument samples", "sp": "Speech", "fx": "Sound effects", "ss": "Soundscapes"}

# code, name, what belongs there (after the taxonomy's own table, Anastasopoulou et al. 2025, CC BY 4.0)
_LEAVES = (
    ("m-sp", "Solo percussion", "Music with solo percussion: rhythmic patterns, un-pitched percussion excerpts."),
    ("m-si", "Solo instrument", "Music with one instrument, except percussion: melody, solo singing, chords."),
    ("m-m", "Multiple instruments", "Music with more than one instrument: orchestra, band, duet."),
    ("is-p", "Percussion", "Samples of percussion instruments: drum, snare, gong, bell, xylophone."),
    ("is-s", "String", "Samples of string instruments: guitar, violin, harp."),
    ("is-w", "Wind", "Samples of wind instruments: flute, trumpet, saxophone, accordion."),
    ("is-k", "Keyboard", "Samples of keyboard instruments that are not synthesized: piano, harpsichord, organ."),
    ("is-e", "Synths / Electronic", "Samples made by synthesizers or other electronic means."),
    ("sp-s", "Solo speech", "A single voice, except singing: talking, script reading."),
    ("sp-c", "Conversation / Crowd", "Several people talking: conversation, dialogue, playground, public places."),
    ("sp-p", "Processed / Synthetic", "Voice from an indirect source: phone, radio, robotic voice, text-to-speech."),
    ("fx-o", "Objects / House appliances", "Everyday objects: small objects, tools, weapons, clothes, appliances."),
    ("fx-v", "Vehicles", "Sounds of a vehicle: car passing by, brake, bike, plane, ship."),
    ("fx-m", "Other mechanisms, engines, machines", "Machine-like sounds: gear, clock, drill, lawn mower."),
    ("fx-h", "Human sounds and actions", "Sounds of the human body: breath, heartbeat, sneeze, walking, clapping."),
    ("fx-a", "Animals", "Animal vocalizations or sounds: cat, insect, sheep, growl, purr."),
    ("fx-n", "Natural elements and explosions", "Natural processes: wind, fire, ice, rocks, water, explosions."),
    ("fx-ex", "Experimental", "Experimental or heavily processed recordings: reversed sounds, weird effects."),
    ("fx-el", "Electronic & Design", "Computer-made effects: sci-fi, laser, whoosh, cartoon, interface, alerts."),
    ("ss-n", "Nature", "Soundscapes from natural habitats: forest, sea, river."),
    ("ss-i", "Indoors", "Soundscapes from indoor spaces: room tone, office, factory, bar."),
    ("ss-u", "Urban", "Soundscapes from cities or outdoor places with human intervention: busy road, airport."),
    ("ss-s", "Synthetic / Artificial", "Synthesized or computer-made soundscapes: imaginary places, drones."),
)

#: The Broad Sound Taxonomy in the challenge's class order (Anastasopoulou, Serra & Font 2025).
BST = Taxonomy(
    {code: code.split("-")[0] for code, _, _ in _LEAVES},
    leaf_names={code: name for code, name, _ in _LEAVES},
    leaf_descriptions={code: text for code, _, text in _LEAVES},
    top_names=_TOPS,
)
