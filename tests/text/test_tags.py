import pytest

from skbst.text import clean_tag, clean_tags, split_tags


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("zoom-h4n", "device"),
        ("Zoom-H2n", "device"),
        ("ZoomH4", "device"),
        ("H4n", "device"),
        ("zoom-H1", "device"),
        ("tascam", "device"),
        ("DR-100", "device"),
        ("edirol-r4", "device"),
        ("neumann-U87", "device"),
        ("schoeps-mk4", "device"),
        ("rode-nt4", "device"),
        ("Sennheiser-ME-66", "device"),
        ("sony-ic-recorder", "device"),
        ("marantz-pmd661", "device"),
        ("audacity", "device"),
        ("freesound", "generic"),
        ("CC0", "generic"),
        ("creative-commons", "generic"),
        ("24bit", "format"),
        ("96khz", "format"),
        ("wav", "format"),
        ("2008", "date"),
        ("2013-05-04", "date"),
        ("june-2011", "date"),
        ("151268", "number"),
        ("3-4", "number"),
        ("mtc500-m002-s14", "code"),
        ("14x6", "code"),
        ("3naudio17", "code"),
        ("aip09", None),
    ],
)
def test_tags_that_say_nothing(tag, reason):
    term, found = clean_tag(tag)
    if reason is None:
        assert term
    else:
        assert term == "", (term, found)
        assert found in {reason, "generic"}


@pytest.mark.parametrize(
    ("tag", "term"),
    [
        ("field-recording", "field recording"),
        ("hi_hat", "hi hat"),
        ("120bpm", "120 bpm"),
        ("120-BPM", "120 BPM"),
        ("1-shot", "one shot"),
        ("8-bit", "8 bit"),
        ("4bar", "4 bar"),
        ("midi-velocity-95", "midi velocity"),
        ("world-music-day-2008", "world music day"),
        ("tr-909", "tr 909"),
        ("808", "808"),
        ("80s", "80s"),
        ("Dsharp4", "Dsharp4"),
        ("F#4", "F#4"),
        ("e-flat3", "e flat3"),
        ("C64", "C64"),
        ("ak47", "ak47"),
        ("4x4", "4x4"),
        ("recorder", "recorder"),
        ("alto-recorder", "alto recorder"),
        ("microphone", "microphone"),
        ("midi", "midi"),
        ("wave", "wave"),
        ("español", "español"),
        ("дождь", "дождь"),
        ("雨", "雨"),
    ],
)
def test_tags_that_stay(tag, term):
    assert clean_tag(tag)[0] == term
    assert clean_tag(term)[0] == term


def test_split_tags():
    assert split_tags("a,b , c;d|e\nf,,") == ["a", "b", "c", "d", "e", "f"]
    assert split_tags(["x y", " z "]) == ["x y", "z"]
    assert split_tags("") == []


def test_repetitions_go_and_order_stays():
    removed = []
    assert clean_tags("Wind,rain,wind,field-recording,Field recording,wav", removed) == [
        "Wind",
        "rain",
        "field recording",
    ]
    assert removed == ["wav"]
