from skbst.text import find_templates, strip_templates

TEXTS = [
    f"A unique thing number {word}. Recorded in my little garden shed, take {i}." for i, word in enumerate("abcdef")
]


def test_counts_rows_of_one_uploader():
    key = "recorded in my little garden shed take 0"
    assert find_templates(TEXTS, ["ann"] * 6, min_repeats=6) == {key: ("ann", 6)}
    assert find_templates(TEXTS, ["ann"] * 3 + ["bob"] * 3, min_repeats=4) == {}
    assert find_templates(TEXTS, ["ann"] * 4 + ["bob"] * 2, min_repeats=4) == {key: ("ann", 4)}
    assert list(find_templates(TEXTS, min_repeats=6)) == [key]


def test_a_sentence_twice_in_one_text_counts_once():
    assert find_templates(["Out in the wild. Out in the wild."] * 2, min_repeats=3) == {}


def test_the_title_is_a_slot():
    titles = ["door_01.wav", "big bell.wav", "rain.wav"]
    texts = ["This is door_01 of my pack", "This is Big Bell of my pack.", "this is rain, of my pack"]
    templates = find_templates(texts, titles=titles, min_repeats=3)
    assert list(templates) == ["this is {} of my pack"]
    assert strip_templates("This is cat of my pack. A cat.", templates, title="cat.aif") == "A cat."
    assert strip_templates("This is dog of my pack.", templates, title="cat.aif") == "This is dog of my pack."


def test_short_sentences_are_no_templates():
    assert find_templates(["Rain!", "Rain."] * 5, min_repeats=2) == {}


def test_most_frequent_first_and_deterministic():
    texts = ["one two three. four five six."] * 3 + ["four five six"]
    assert list(find_templates(texts, min_repeats=2)) == ["four five six", "one two three"]


def test_strip_templates_leaves_other_texts_untouched():
    text = "A line\nand another  line"
    removed = []
    assert strip_templates(text, {"something else here"}, removed=removed) == text
    assert removed == []
    assert strip_templates("a b c. Rest.", {"a b c"}, removed=removed) == "Rest."
    assert removed == ["a b c."]


def test_a_long_title_is_looked_at_once_a_text(monkeypatch):
    from skbst.text import _templates

    seen, strip_extension = [], _templates.strip_extension
    monkeypatch.setattr(_templates, "strip_extension", lambda title: seen.append(title) or strip_extension(title))
    text = "This is line one of many. " * 200
    found = _templates.find_templates([text, text], ["a", "a"], titles=[text, text], min_repeats=2)
    _templates.strip_templates(text, found, title=text)
    assert len(seen) == 3
