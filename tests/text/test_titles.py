import pytest

from skbst.text import clean_title, has_words, strip_extension, strip_numbers, unfold_file_name

TITLES = {
    "LCC_120_Synth_05_Em_Tungten.wav": "LCC Synth Em Tungten",
    "Clarinet - F6 - bad-pitch-errors": "Clarinet - F6 - bad-pitch-errors",
    "20051106.poplar.wind.wav": "poplar wind",
    "2005.07.27 - kinder auf dem spielplatz - extract.wav": "kinder auf dem spielplatz - extract",
    "Filsoe - pedersholm - 11 - 2013-05-04.wav": "Filsoe - pedersholm",
    "19jul2014_2226_(English)_diary.wav": "(English) diary",
    "btn171.wav": "btn",
    "cecilia molina.MP3": "cecilia molina",
    "%Backw Beep3.wav": "%Backw Beep",
    "STE-038_cooking_espresso.wav": "cooking espresso",
    "azraDoesTheFerretHearThat.wav": "azra Does The Ferret Hear That",
    "80 bpm Durbanville Attack loop 8.flac": "80 bpm Durbanville Attack loop",
    "Double-bass F#3  Col-legno": "Double-bass F#3 Col-legno",
    "808 kick": "808 kick",
    "Residential Birds 6 am.wav": "Residential Birds",
    "loop (140 BPM)": "loop (140 BPM)",
    "Hit (03)": "Hit",
    "8-bit jump": "8-bit jump",
    "iPhone ring": "iPhone ring",
    "McDonald's": "McDonald's",
    "水滴 03.wav": "水滴",
    "Straßenbahn_02.aiff": "Straßenbahn",
    "5.wav": "",
    "": "",
}


@pytest.mark.parametrize(("title", "expected"), TITLES.items())
def test_clean_title(title, expected):
    assert clean_title(title) == expected


@pytest.mark.parametrize("title", [*TITLES, "v2.wav", "ZOOM0012.WAV", "take 3.aif", "part2", "DR0000_0123.wav"])
def test_a_title_with_a_word_keeps_one(title):
    assert has_words(clean_title(title)) == has_words(strip_extension(title))


def test_extension_only_where_it_is_one():
    assert strip_extension("a.wav.mp3") == "a"
    assert strip_extension("hum.aif (edited)") == "hum (edited)"
    assert strip_extension("wave.of.sound") == "wave.of.sound"
    assert strip_extension(".wav") == ".wav"
    removed = []
    strip_extension("bell.FLAC", removed)
    assert removed == [".FLAC"]


def test_unfold_leaves_prose_alone():
    assert unfold_file_name("well-known e.g. this. that") == "well-known e.g. this. that"
    assert unfold_file_name("well-known.door+slam") == "well known door slam"


def test_numbers_with_a_unit_stay():
    for title in ("loop 120 bpm", "4 bars", "2nd try", "80s disco", "9V battery", "3 voices", "440 Hz tone"):
        assert strip_numbers(title) == title
