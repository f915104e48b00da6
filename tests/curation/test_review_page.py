"""The review page as it lies in files; test_review_browser.py opens it."""

import json

import numpy as np
import pandas as pd
import pytest

from skbst.curation import review_page
from skbst.exceptions import DataFormatError

HOSTILE = (
    "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e{data}{script}"
)


def made(n, audio=None):
    index = pd.Index([f"../{i}" for i in range(n)])
    table = pd.DataFrame(
        {"label": "fx-a", "suggestion": "fx-n", "proba_label": 0.1, "proba_suggestion": 0.8}, index=index
    )
    clips = pd.DataFrame(
        {"title": [HOSTILE] + ["door"] * (n - 1), "uploader": [f"u{i % 3}" for i in range(n)]}, index=index
    )
    if audio is not None:
        clips["audio"] = pd.Series([audio] * n, index=index, dtype=object)
    return table, clips


def test_sounds_and_pictures_lie_beside_the_page(tmp_path):
    import soundfile

    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    review_page(*made(2, (tone, 16000)), tmp_path / "out", limit=1)
    files = sorted(path.name for path in (tmp_path / "out" / "sounds").iterdir())
    assert files == ["00000.ogg", "00000.png"]
    waveform, rate = soundfile.read(tmp_path / "out" / "sounds" / "00000.ogg")
    assert np.abs(np.fft.rfft(waveform[:rate])).argmax() == 440


def test_without_opus_excerpts_are_wav(tmp_path, monkeypatch):
    import soundfile

    monkeypatch.setattr(soundfile, "available_subtypes", lambda format: {"VORBIS": ""})
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    page = review_page(*made(1, (tone, 16000)), tmp_path)
    assert data_of(page)["clips"][0]["sound"] == "sounds/00000.wav"
    assert soundfile.info(tmp_path / "sounds" / "00000.wav").subtype == "PCM_16"
    assert soundfile.info(tmp_path / "sounds" / "00000.wav").duration == pytest.approx(1, abs=0.01)


def test_a_title_cannot_leave_its_text(tmp_path):
    html = review_page(*made(1), tmp_path).read_text(encoding="utf-8")
    assert html.count("<script") == 2
    assert "\u202e" not in html
    data = html.split('id="data">')[1].split("</script>")[0]
    assert json.loads(data)["clips"][0]["title"] == HOSTILE


def test_what_is_missing_is_named(tmp_path):
    table, clips = made(2)
    with pytest.raises(DataFormatError, match="1 of 2 rows have no clip"):
        review_page(table, clips.iloc[:1], tmp_path)
    with pytest.raises(DataFormatError, match="no rows"):
        review_page(table.iloc[:0], clips, tmp_path)
    with pytest.raises(DataFormatError, match="got dict"):
        review_page(table, clips.to_dict(), tmp_path)
    with pytest.raises(ValueError, match="limit"):
        review_page(table, clips, tmp_path, limit=-1)
    with pytest.raises(DataFormatError, match="label"):
        review_page(table[["suggestion"]], clips, tmp_path)


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "index.html").write_text("my own page", encoding="utf-8")
    with pytest.raises(DataFormatError, match="something else"):
        review_page(*made(1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "my own page"


def test_an_earlier_page_is_replaced_even_an_unfinished_one(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("skbst.curation._review_page.make_excerpts", full)
        with pytest.raises(OSError, match="No space"):
            review_page(*made(2), tmp_path)
    assert "being made" in (tmp_path / "index.html").read_text(encoding="utf-8")
    review_page(*made(3), tmp_path)
    assert len(data_of(review_page(*made(2), tmp_path))["clips"]) == 2


def test_predictions_are_shown_least_sure_first(tmp_path):
    table = pd.DataFrame(
        {
            "sound_id": ["../0", "../1", "../2"],
            "predicted": ["fx-a", "fx-n", ""],
            "proba": [0.9, 0.4, np.nan],
            "class_2": ["fx-n", "ss-n", ""],
            "proba_2": [0.05, 0.3, np.nan],
            "set": ["fx-a", "fx-n ss-n", ""],
            "problem": ["", "cut short", "not there"],
        }
    )
    shown = data_of(review_page(table, made(3)[1], tmp_path))["clips"]
    assert [(clip["sound_id"], clip["label"], clip["suggestions"][0]["code"]) for clip in shown] == [
        ("../1", "fx-n", "ss-n"),
        ("../0", "fx-a", "fx-n"),
    ]
    assert (shown[0]["proba"], shown[0]["suggestions"][0]["proba"]) == (0.4, 0.3)
    assert (shown[0]["set"], shown[1]["set"], shown[0]["problem"]) == (["fx-n", "ss-n"], ["fx-a"], "cut short")


def test_neighbours_share_one_excerpt_and_bad_addresses_are_no_links(tmp_path):
    tone = (np.sin(np.arange(8000) / 5).astype(np.float32), 16000)
    table, clips = made(3, tone)
    table["neighbours"] = pd.Series([["../2", "gone"], ["../2"], []], index=table.index)
    clips["url"] = ["javascript:alert(1)", "https://example.org/7", None]
    clips["label"] = "ss-n"
    shown = data_of(review_page(table.iloc[:2], clips, tmp_path))["clips"]
    near = shown[0]["neighbours"]
    assert (near[0]["title"], near[0]["label"]) == ("door", "ss-n")
    assert near[0] == shown[1]["neighbours"][0]
    assert near[1] == {"title": "gone", "label": "", "note": "", "sound": "", "picture": ""}
    assert len(list((tmp_path / "sounds").glob("*.ogg"))) == 3
    assert [clip["url"] for clip in shown] == ["", "https://example.org/7"]


def data_of(page):
    return json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])


def test_explanations_are_shown(tmp_path):
    from sklearn.linear_model import LogisticRegression

    from skbst.neighbors import KNNPriorBlender

    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    X = rng.normal(size=(60, 3)) + 2 * np.eye(2, 3)[label]
    y = np.array(["fx-a", "fx-n"])[label]
    metadata = pd.DataFrame({"sound_id": [f"train{i}" for i in range(60)]})
    blender = KNNPriorBlender(LogisticRegression(), k=5, alpha=0.4).fit(X, y, metadata=metadata)
    explained = blender.explain(X[:3] + 0.5, ids=["../0", "../1", "../2"])
    shown = data_of(review_page(explained, made(3)[1], tmp_path))["clips"]
    assert [clip["sound_id"] for clip in shown] == ["../0", "../1", "../2"]
    first = explained[explained["clip"] == "../0"]
    assert shown[0]["label"] == first["prediction"].iloc[0]
    assert shown[0]["proba"] == pytest.approx(first["proba"].iloc[0])
    assert [near["title"] for near in shown[0]["neighbours"]] == first["sound_id"].head(3).tolist()
    assert shown[0]["neighbours"][0]["note"] == f"{first['share'].iloc[0]:.0%} of the answer"
    assert f"The neighbours give {first['share'].sum():.0%} of the answer" in shown[0]["reason"]


def test_an_almost_equal_clip_is_the_first_neighbour(tmp_path):
    table, clips = made(4)
    table["neighbours"] = [["../1", "../2", "../3"]] * 4
    table["near_duplicate"] = ["../2", "", "../0", None]
    shown = data_of(review_page(table, clips.assign(title=clips.index), tmp_path))["clips"]
    assert [[near["title"] for near in clip["neighbours"]] for clip in shown] == [
        ["../2", "../1", "../3"],
        ["../1", "../2", "../3"],
        ["../0", "../1", "../2"],
        ["../1", "../2", "../3"],
    ]
    assert [clip["neighbours"][0]["note"] for clip in shown] == ["almost equal", "", "almost equal", ""]


def test_left_overs_of_an_earlier_page_go_and_other_files_stay(tmp_path):
    tone = (np.sin(np.arange(8000) / 5).astype(np.float32), 16000)
    review_page(*made(3, tone), tmp_path)
    mine = [tmp_path / "review.json", tmp_path / "sounds" / "mine.ogg", tmp_path / "sounds" / "1.png"]
    for path in mine:
        path.write_text("mine")
    review_page(*made(1, tone), tmp_path)
    assert sorted(path.name for path in (tmp_path / "sounds").iterdir()) == [
        "00000.ogg",
        "00000.png",
        "1.png",
        "mine.ogg",
    ]
    assert all(path.read_text() == "mine" for path in mine)


def test_a_file_or_a_strangers_link_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataFormatError, match="is a file"):
        review_page(*made(1), tmp_path / "file")
    review_page(*made(1), tmp_path / "page")
    (tmp_path / "page" / "sounds").rmdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "page" / "sounds").symlink_to(tmp_path / "theirs")
    with pytest.raises(DataFormatError, match="is no folder"):
        review_page(*made(1), tmp_path / "page")


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError):
        review_page(*made(1), "/proc/page")


def test_numbers_and_names_that_are_no_utf8_name_clips(tmp_path):
    table, clips = made(3)
    table.index = clips.index = [7, 8, 9]
    clips.index = ["9", "8", "7"]
    clips["title"] = ["nine", "eight", "seven"]
    shown = data_of(review_page(table, clips, tmp_path / "a"))["clips"]
    assert [(clip["sound_id"], clip["title"]) for clip in shown] == [("7", "seven"), ("8", "eight"), ("9", "nine")]
    table.index = clips.index = pd.Index(["rain\udcff.wav", "x", "\x00"], dtype=object)
    shown = data_of(review_page(table, clips, tmp_path / "b"))["clips"]
    assert [clip["sound_id"] for clip in shown] == ["rain\udcff.wav", "x", "\x00"]


def test_a_path_that_is_no_utf8_is_heard(tmp_path):
    import soundfile

    tone = np.sin(np.arange(8000) / 5)
    path = tmp_path / "rain\udcff.wav"
    soundfile.write(tmp_path / "plain.wav", tone, 16000)
    (tmp_path / "plain.wav").rename(path)
    table, clips = made(1, str(path))
    assert data_of(review_page(table, clips, tmp_path / "out"))["clips"][0]["sound"] == "sounds/00000.ogg"


def test_threads_make_the_same_page(tmp_path):
    tones = [(np.sin(np.arange(4000) / (5 + i)).astype(np.float32), 16000) for i in range(6)]
    table, clips = made(6)
    clips["audio"] = pd.Series(tones, index=clips.index)
    pages = [review_page(table, clips, tmp_path / str(n_jobs), n_jobs=n_jobs) for n_jobs in (1, 2)]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    for number in range(6):
        pictures = [(page.parent / "sounds" / f"{number:05d}.png").read_bytes() for page in pages]
        assert pictures[0] == pictures[1]


def test_of_a_long_sound_only_the_beginning_is_read(tmp_path):
    import tracemalloc

    import soundfile

    path = tmp_path / "long.wav"
    minute = np.zeros(60 * 8000, np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, subtype="PCM_16") as file:
        for _ in range(120):  # two hours; 115 MB
            file.write(minute)
    tracemalloc.start()
    page = review_page(*made(1, str(path)), tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
    assert soundfile.info(page.parent / "sounds" / "00000.ogg").duration == pytest.approx(10, abs=0.05)


def test_the_picture_is_that_of_the_sound(tmp_path):
    import matplotlib.image

    loud = np.zeros(32000, np.float32)
    loud[16000:] = np.sin(2 * np.pi * 6000 * np.arange(16000) / 16000)
    review_page(*made(1, (loud, 16000)), tmp_path)
    picture = matplotlib.image.imread(tmp_path / "sounds" / "00000.png")[..., :3].sum(axis=2)
    assert picture.shape[1] == 600
    spectrum = picture[56:]
    assert spectrum[:, 310:].max() > 2
    assert spectrum[:, 10:290].max() < 0.1
    # 6 kHz of 24 kHz lies at 2264 of 3993 mel, counted from the bottom
    assert spectrum[:, 450].argmax() == pytest.approx(
        len(spectrum) * (1 - np.log1p(6000 / 700) / np.log1p(24000 / 700)), abs=3
    )


def test_silence_and_a_single_sample_are_sounds(tmp_path):
    import matplotlib.image

    table, clips = made(2)
    clips["audio"] = pd.Series([(np.zeros(8000, np.float32), 8000), (np.ones(1, np.float32), 8000)], index=clips.index)
    shown = data_of(review_page(table, clips, tmp_path))["clips"]
    assert [clip["sound"] for clip in shown] == ["sounds/00000.ogg", "sounds/00001.ogg"]
    assert matplotlib.image.imread(tmp_path / "sounds" / "00000.png")[56:, :, :3].max() < 0.1


def test_a_page_of_long_texts_stays_small(tmp_path):
    table, clips = made(3)
    clips["description"] = "d" * 1_000_000
    page = review_page(table, clips, tmp_path)
    assert page.stat().st_size < 100_000
    assert data_of(page)["clips"][0]["description"].endswith("[995000 more characters]")
