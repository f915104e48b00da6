"""The review page: in files everywhere, in a real browser where there is one."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from skbst.curation import apply_review, read_review, review_page
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


@pytest.fixture
def browser(tmp_path):
    if not os.environ.get("SKBST_BROWSER"):
        pytest.skip("SKBST_BROWSER is not set: the browser has hung on a busy machine, and a hung test ends no run")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here; apt-get install chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as engine:
        context = engine.chromium.launch_persistent_context(str(tmp_path / "profile"), executable_path=path, args=flags)
        yield context
        context.close()


def test_a_person_decides_by_keys(browser, tmp_path):
    page, asked, wrong = browser.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    address = review_page(*made(2000), tmp_path / "out").as_uri()
    page.goto(address)
    assert page.title() == "Review of labels"
    assert page.locator("#title").text_content() == HOSTILE
    for number in range(100):
        page.keyboard.press("aku"[number % 3])
    page.keyboard.press("z")
    page.keyboard.press("c")
    page.keyboard.type("ss-n")
    page.keyboard.press("Enter")
    page.reload()
    assert page.locator("#count").text_content() == "100 of 2000 decided"
    page.select_option("#f-decided", "yes")
    assert page.locator("#list li").count() == 100
    page.locator("#f-decided").blur()
    with page.expect_download() as download:
        page.keyboard.press("s")
    saved = json.loads(download.value.path().read_text(encoding="utf-8"))["decisions"]
    expected = [{"a": "change", "k": "keep", "u": "unsure"}["aku"[number % 3]] for number in range(99)] + ["change"]
    assert [row["decision"] for row in saved] == expected
    assert saved[-1]["new_label"] == "ss-n"
    assert {row["new_label"] for row in saved[:-1] if row["decision"] == "change"} == {"fx-n"}
    assert [row["sound_id"] for row in saved] == [f"../{i}" for i in range(100)]
    page.evaluate("localStorage.clear()")
    page.reload()
    assert page.locator("#count").text_content() == "0 of 2000 decided"
    page.set_input_files("#open", download.value.path())
    page.locator("#say", has_text="100 of 100 decisions").wait_for()
    page.reload()
    assert page.locator("#count").text_content() == "100 of 2000 decided"
    assert page.locator("#list [aria-current]").text_content() == page.locator("#list button").nth(100).text_content()
    corrected, log = apply_review(made(2000)[0]["label"], read_review(download.value.path()))
    assert corrected.iloc[99] == "ss-n"
    assert len(log) == (corrected != "fx-a").sum() == expected.count("change")
    assert not wrong, wrong
    assert all(url.startswith(("file:", "blob:file:", "blob:null")) for url in asked), asked


def played(page, player):
    # the page's policy forbids the strings that wait_for_function would evaluate again and again
    listen = (
        "(name) => new Promise(done => document.querySelector(name).addEventListener('timeupdate', () => done(true)))"
    )
    return page.evaluate(listen, player)


def test_filters_packs_and_neighbours(browser, tmp_path):
    page, wrong = browser.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    tone = (np.sin(np.arange(32000) / 5).astype(np.float32), 16000)
    table, clips = made(6, tone)
    table["neighbours"] = [["../1"]] * 6
    table["reason"] = ["odd one", *["usual"] * 5]
    table.iloc[5, table.columns.get_loc("label")] = "ss-n"
    clips["title"] = ["x" * 100_000 + HOSTILE, *clips["title"][1:]]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.fill("#f-reason", "ODD")
    page.locator("#f-reason").blur()
    assert page.locator("#list li").count() == 1
    page.keyboard.press("1")
    assert played(page, "#near audio")
    page.keyboard.press(" ")
    assert played(page, "#sound")
    assert page.evaluate("document.querySelector('#near audio').paused")
    page.keyboard.press("p")
    assert page.locator("#count").text_content() == "2 of 6 decided"  # u0's clips are 0 and 3
    page.keyboard.press("z")
    assert page.locator("#count").text_content() == "0 of 6 decided"
    page.fill("#f-reason", "")
    page.locator("#f-reason").blur()
    for key in "nnnkbbbbp":  # the fourth is kept, then the first decides for its pack
        page.keyboard.press(key)
    assert page.locator("#list button").nth(3).text_content().startswith("keep")
    assert page.locator("#list button").nth(0).text_content().startswith("→ fx-n")
    page.select_option("#f-top", "ss")
    assert page.locator("#list li").count() == 1
    assert page.title() == "Review of labels"
    assert not wrong, wrong
