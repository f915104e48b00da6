import pytest

from skbst.text import (
    has_words,
    join_sentences,
    split_sentences,
    strip_boilerplate,
    strip_html,
    strip_links,
    tidy_unicode,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  two   spaces ", "two spaces"),
        ("ﬁne ２０", "fine 20"),
        ("cafe\u0301", "café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bell\x07 esc\x1b[0m", "bell esc[0m"),
        ("\u202eright-to-left mark", "right-to-left mark"),
        ("lone \ud83d surrogate", "lone surrogate"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a \n  b", "a\nb"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("ab\u200dcd", "abcd"),
        ("犬の声", "犬の声"),
        ("", ""),
    ],
)
def test_tidy_unicode(text, expected):
    assert tidy_unicode(text) == expected
    assert tidy_unicode(expected) == expected
    tidy_unicode(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>bold</b> word", "bold word"),
        ("one<br>two<br />three", "one\ntwo\nthree"),
        ("<p>a</p><p>b</p>", "\na\n\nb\n"),
        ('<a href="http://x.y/?a=1&b=2" rel="nofollow">here</a>', "here"),
        ("Tom &amp; Jerry &quot;meet&quot; &#39;now&#39; &lt;3", "Tom & Jerry \"meet\" 'now' <3"),
        ("caf&eacute;", "café"),
        ("x < y > z and a<b", "x < y > z and a<b"),
        ("<deep> kick", "<deep> kick"),
        ("a<!-- hidden --> b", "a  b"),
        ("<script>alert(1)</script>rain", " rain"),
        ("AT&T", "AT&T"),
    ],
)
def test_strip_html(text, expected):
    assert strip_html(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://www.freesound.org/people/a_b/sounds/1/ now", "see now"),
        ("see (https://x.org/a(b)?c=d#e).", "see ( )."),
        ("www.example.com, rain", ", rain"),
        ("made by example.org/~me today", "made by today"),
        ("write to me.you+x@mail.example.co.uk please", "write to please"),
        ("Loop_DaGlitch@120bpm.wav", "Loop_DaGlitch@120bpm.wav"),
        ("mp3.wav.aif 3.5 seconds, e.g. this", "mp3.wav.aif 3.5 seconds, e.g. this"),
        ("and/or 24bit/96kHz", "and/or 24bit/96kHz"),
        ("Rain. Comes down.Hard", "Rain. Comes down.Hard"),
    ],
)
def test_strip_links(text, expected):
    assert strip_links(text) == expected


def test_steps_say_what_they_removed():
    removed = []
    strip_links("a http://x.org b me@x.org", removed)
    strip_html("<b>a</b> &amp;", removed)
    tidy_unicode("a\u200b", removed)
    assert removed[:-1] == ["me@x.org", "http://x.org", "<b>", "</b>", "&amp;"]
    assert removed[-1].strip("\u200b") == ""


def test_sentences():
    assert split_sentences("One. Two!  Three?\n- four\n* five\n---\n\n...") == [
        "One.",
        "Two!",
        "Three?",
        "four",
        "five",
    ]
    assert join_sentences(["One.", "four", "five"]) == "One. four. five"
    assert join_sentences([]) == ""
    assert split_sentences("Version 3.5 of it") == ["Version 3.5 of it"]
    assert split_sentences("雨の音。強い 雨") == ["雨の音。強い 雨"]


def test_join_and_split_are_inverse_on_finished_sentences():
    sentences = ["A dog barks.", "It rains!", "Why?", "the end"]
    assert split_sentences(join_sentences(sentences)) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Please leave a comment if you use this!!",
        "Feel free to use it in your projects, a credit would be nice :)",
        "part of a bigger pack, see my other uploads",
        "Recorder and microphone were not noted down.",
        "No EQ, only normalised.",
        "Original sampling rate 44100 Hz, mono. Converted with SoX.",
        "Recorded straight to the computer, mono mixdown, 16 bit.",
        "Equipment: -\nFormat: 44100Hz / mono / 16bit",
        "© somebody",
        "Licensed under Creative Commons Attribution 3.0",
        "Recorded with a Zoom H4n.",
        "Recorded using my Tascam DR-40 and Rode NT4",
        "24 bit / 96 kHz .wav file",
        "Enjoy!",
        "Thanks for listening",
        "Check out my other sounds",
        "PLEASE CREDIT ME",
        "\u2606 Enjoy",
        "(C) 2011 somebody",
    ],
)
def test_boilerplate_goes(sentence):
    removed = []
    assert strip_boilerplate(sentence, removed) == ""
    assert removed


@pytest.mark.parametrize(
    "sentence",
    [
        "Heavy rain on a tin roof.",
        "A man laughs, then a door closes.",
        "A recorder plays a scale in C major.",
        "Public fountain in the park.",
        "The free kick was followed by cheering.",
        "Zoom in sound of a camera lens.",
        "Kick of a Roland TR-909 through a tape delay",
        "El perro ladra en la calle.",
        "Ich habe den Regen aufgenommen.",
        "犬が吠える。",
    ],
)
def test_content_stays(sentence):
    assert strip_boilerplate(sentence) == sentence


def test_equipment_is_cut_out_of_a_sentence():
    assert strip_boilerplate("Rain on my window recorded with a Zoom H4n in Ghent.") == "Rain on my window in Ghent."
    assert strip_boilerplate("A cat (24 bit / 96 kHz) meows.") == "A cat meows."


@pytest.mark.parametrize(("text", "expected"), [("", False), ("12 - 3", False), ("_", False), ("a", True), ("č", True)])
def test_has_words(text, expected):
    assert has_words(text) is expected
