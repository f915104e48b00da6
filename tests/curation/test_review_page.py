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


def test_an_earlier_page_is_replaced_even_an_unfinished_one(tmp_path):
    table, clips = made(2)
    clips["audio"] = pd.Series([object(), object()], index=clips.index)
    with pytest.raises(Exception, match="object"):
        review_page(table, clips, tmp_path)
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
    assert [(clip["sound_id"], clip["label"], clip["suggestion"]) for clip in shown] == [
        ("../1", "fx-n", "ss-n"),
        ("../0", "fx-a", "fx-n"),
    ]
    assert shown[0]["proba"] == "30% against 40%"
    assert shown[0]["reason"] == "set: fx-n ss-n; problem: cut short"


def test_neighbours_share_one_excerpt_and_bad_addresses_are_no_links(tmp_path):
    tone = (np.sin(np.arange(8000) / 5).astype(np.float32), 16000)
    table, clips = made(3, tone)
    table["neighbours"] = pd.Series([["../2", "gone"], ["../2"], []], index=table.index)
    clips["url"] = ["javascript:alert(1)", "https://example.org/7", None]
    clips["label"] = "ss-n"
    shown = data_of(review_page(table.iloc[:2], clips, tmp_path))["clips"]
    near = shown[0]["neighbours"]
    assert near[0]["title"] == "door (ss-n)"
    assert near[0] == shown[1]["neighbours"][0]
    assert near[1] == {"title": "gone", "sound": ""}
    assert len(list((tmp_path / "sounds").glob("*.ogg"))) == 3
    assert [clip["url"] for clip in shown] == ["", "https://example.org/7"]


def data_of(page):
    return json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])
