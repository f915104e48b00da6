"""The review page in a real browser, where there is one."""

import json

import numpy as np
import pandas as pd
import pytest

from skbst.curation import apply_review, read_review, review_page

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


def plays(page, player):
    """Whether a player's time passes; asked again and again, since what happens before one listens is not heard."""
    for _ in range(600):
        if page.locator(player).evaluate("player => player.currentTime > 0"):
            return True
        page.wait_for_timeout(50)
    return False


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
    assert plays(page, "#near audio")
    page.keyboard.press(" ")
    assert plays(page, "#sound")
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


@pytest.mark.parametrize("browser", [6], indirect=True)
def test_a_page_that_hangs_ends_its_test(browser):
    page = browser.new_page()
    with pytest.raises(Exception, match="closed"):
        page.evaluate("new Promise(() => {})")


def test_excerpts_of_every_length_can_be_heard(browser, tmp_path):
    lengths = [80, 700, 2500, 4800, 7360, 16000, 32000, 50001, 160000, 170000]
    sounds = [(np.sin(np.arange(n) / 5).astype(np.float32), 16000) for n in lengths]
    table, clips = made(len(sounds))
    clips["audio"] = pd.Series(sounds, index=clips.index)
    page = browser.new_page()
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    for n in lengths:
        page.keyboard.press(" ")
        assert plays(page, "#sound"), n
        duration = page.locator("#sound").evaluate("player => player.duration")
        assert duration == pytest.approx(min(n / 16000, 10), abs=0.05)
        page.keyboard.press("n")
