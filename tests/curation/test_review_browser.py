"""The review page in a real browser, where there is one."""

import json

import numpy as np
import pandas as pd
import pytest

from skbst.curation import apply_review, read_review, review_page, review_precision, review_sample

HOSTILE = (
    "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e{data}{script}"
    "\ud800\x00<!--<script>javascript:document.title='run'"
)
TONE = (np.sin(np.arange(64000) / 5).astype(np.float32), 16000)


def made(n, audio=None):
    index = pd.Index([f"../{i}" for i in range(n)])
    table = pd.DataFrame(
        {"label": "fx-a", "suggestion": "fx-n", "proba_label": 0.1, "proba_suggestion": 0.8}, index=index
    )
    clips = pd.DataFrame({"title": "door", "uploader": [f"u{i % 3}" for i in range(n)]}, index=index).astype(object)
    if audio is not None:
        clips["audio"] = pd.Series([audio] * n, index=index, dtype=object)
    return table, clips


@pytest.fixture
def page(browser):
    """A new tab that fails the test if a script of the page failed, a dialog opened or a host was asked."""
    page, wrong = browser.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    inside = ("file:", "blob:file:", "blob:null", "data:")
    page.on("request", lambda request: None if request.url.startswith(inside) else wrong.append(request.url))
    page.on("websocket", lambda socket: wrong.append(socket.url))
    yield page
    assert not wrong, wrong


def press(page, keys):
    for key in keys:
        page.keyboard.press(key)


def count(page):
    return page.locator("#count").text_content()


def saved(page):
    with page.expect_download() as download:
        page.keyboard.press("s")
    return download.value.path()


def plays(page, player):
    """Whether a player's time passes; asked again and again, since what happens before one listens is not heard."""
    for _ in range(600):
        if page.locator(player).evaluate("player => player.currentTime > 0"):
            return True
        page.wait_for_timeout(50)
    return False


def test_a_person_decides_by_keys(page, browser, tmp_path):
    table = made(2000)[0]
    address = review_page(*made(2000), tmp_path / "out").as_uri()
    page.goto(address)
    press(page, ("aku" * 34)[:100])
    press(page, "zc")
    page.keyboard.type("ss-n")
    page.keyboard.press("Enter")
    page.reload()
    assert count(page) == "100 of 2000 decided"
    page.close()
    page = browser.new_page()
    page.goto(address)
    assert count(page) == "100 of 2000 decided"
    assert page.locator("#list [aria-current]").text_content() == page.locator("#list button").nth(100).text_content()
    press(page, "z")  # what was decided before the page was closed can be undone too
    assert count(page) == "99 of 2000 decided"
    press(page, "c")
    page.keyboard.type("ss-n")
    page.keyboard.press("Enter")
    file = saved(page)
    decisions = json.loads(file.read_text(encoding="utf-8"))["decisions"]
    expected = [{"a": "change", "k": "keep", "u": "unsure"}["aku"[number % 3]] for number in range(99)] + ["change"]
    assert [row["decision"] for row in decisions] == expected
    assert decisions[-1]["new_label"] == "ss-n"
    assert {row["new_label"] for row in decisions[:-1] if row["decision"] == "change"} == {"fx-n"}
    assert [row["sound_id"] for row in decisions] == [f"../{i}" for i in range(100)]
    page.evaluate("localStorage.clear()")
    page.reload()
    assert count(page) == "0 of 2000 decided"
    page.set_input_files("#open", file)
    page.locator("#say", has_text="100 of 100 decisions").wait_for()
    page.reload()
    assert count(page) == "100 of 2000 decided"
    corrected, log = apply_review(table["label"], read_review(file))
    assert corrected.iloc[99] == "ss-n"
    assert len(log) == (corrected != "fx-a").sum() == expected.count("change")


def test_filters_packs_and_neighbours_on_a_phone(page, tmp_path):
    table, clips = made(6, TONE)
    table["neighbours"] = [["../1"]] * 6
    table["reason"] = ["odd one", *["usual"] * 5]
    table.iloc[5, table.columns.get_loc("label")] = "ss-n"
    clips.iloc[0, 0] = "x" * 100_000 + HOSTILE
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    bar = page.locator("#bar").bounding_box()
    assert bar["y"] + bar["height"] <= 740
    assert all(button.bounding_box()["height"] >= 36 for button in page.locator("#bar button").all())
    press(page, "/")
    page.keyboard.type("ODD")
    page.keyboard.press("Escape")
    assert page.locator("#list li").count() == 1
    press(page, "1")
    assert plays(page, "#near audio")
    press(page, " ")
    assert plays(page, "#sound")
    assert page.locator("#near audio").evaluate("player => player.paused")
    page.locator("#clear").click()
    press(page, "pa")
    assert count(page) == "2 of 6 decided"  # u0's clips are 0 and 3
    press(page, "z")
    assert count(page) == "0 of 6 decided"
    press(page, "bbbbbbnnnkbbbbpa")  # the fourth is kept, then the first decides for its pack
    assert page.locator("#list button").nth(3).text_content().startswith("✓ keep")
    assert page.locator("#list button").nth(0).text_content().startswith("→ fx-n")
    page.select_option("#f-top", "ss")
    assert page.locator("#list li").count() == 1
    page.select_option("#f-top", "")
    for filters, left in (
        ({"decided": "keep"}, 1),
        ({"decided": "no"}, 4),
        ({"uploader": "u1"}, 2),
        ({"label": "ss-n"}, 1),
    ):
        for name, value in filters.items():
            page.select_option(f"#f-{name}", value)
            assert page.locator("#list li").count() == left
            page.select_option(f"#f-{name}", "")
    page.fill("#f-words", "door")
    assert page.locator("#list li").count() == 5
    page.fill("#f-words", "no such title")
    assert page.locator("#none").is_visible()


def test_hostile_texts_are_inert(page, tmp_path):
    table, clips = made(3)
    names = [HOSTILE, "__proto__", "u\u202e\udcff"]
    # pandas' own text holds no lone surrogates
    table.index = clips.index = pd.Index(names, dtype=object)
    for column in ("title", "tags", "description", "license", "uploader", "url"):
        clips[column] = pd.Series([HOSTILE, "\u202e" + "b" * 100_000, "\x00\udcff"], index=clips.index, dtype=object)
    clips["url"] = [
        "javascript:document.title='run'",
        "https://x.example/\"onclick=\"document.title='run'",
        " data:text/html,x",
    ]
    table["reason"] = table["problem"] = pd.Series([HOSTILE] * 3, index=table.index, dtype=object)
    table["neighbours"] = [[HOSTILE, "__proto__"]] * 3
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    assert page.locator("#title").text_content() == HOSTILE
    assert page.locator("#near .title").nth(0).text_content().startswith(f"1 {HOSTILE}")
    press(page, "kan")
    assert count(page) == "2 of 3 decided"
    assert page.locator("script").count() == 2
    assert page.locator("#clip [onerror], #clip [onclick], #clip script").count() == 0
    assert page.title() == "Review of labels"
    assert page.locator("#about a").count() == 0
    press(page, "b")
    assert page.locator("#about a").get_attribute("href").startswith("https://x.example/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "nk")
    decided = read_review(saved(page)).decisions
    assert decided["sound_id"].tolist() == names
    assert apply_review(table["label"], decided)[0].tolist() == ["fx-a", "fx-n", "fx-a"]


def test_a_class_is_chosen_from_the_tree(page, tmp_path):
    page.goto(review_page(*made(4), tmp_path / "out").as_uri())
    press(page, "c")
    assert page.locator("#tree [role=treeitem][data-code]:visible").count() == 23
    page.keyboard.type("natur")
    assert page.locator("#fits").text_content() == "2 classes"
    assert page.locator("#tree [aria-selected=true]").get_attribute("data-code") == "fx-n"
    active = page.locator("#choose").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("data-code") == "fx-n"
    press(page, ["ArrowDown", "Enter"])
    assert page.locator("#list button").nth(0).text_content().startswith("→ ss-n")
    press(page, "c")
    page.keyboard.type("soundscapes")  # a top level shows its classes
    assert page.locator("#tree [data-code]:visible").count() == 4
    press(page, "Escape")
    press(page, "c")
    page.keyboard.type("nothing like it")
    assert page.locator("#fits").text_content() == "No class fits."
    press(page, ["Enter", "Escape"])
    assert count(page) == "1 of 4 decided"
    press(page, "wk")  # typed into the field
    press(page, ["Enter", "u"])
    press(page, "h")
    assert page.locator("#keys").is_visible()
    press(page, ["Escape"])
    assert [row["why"] for row in json.loads(saved(page).read_text())["decisions"]] == ["", "k"]


def test_files_of_two_reviewers_merge_and_conflicts_are_listed(page, tmp_path):
    address = review_page(*made(4), tmp_path / "out").as_uri()

    def review(name, keys):
        page.goto(address)
        page.evaluate("localStorage.clear()")
        page.reload()
        page.fill("#who", name)
        page.locator("#who").blur()
        press(page, keys)
        return saved(page)

    bob = review("bob", "aak")
    ann = review("ann", "akku")
    page.set_input_files("#open", bob)
    page.locator("#say", has_text="1 differ").wait_for()
    assert count(page) == "4 of 4 decided, 1 in conflict"
    page.reload()
    page.locator("#filters summary").click()
    page.select_option("#f-decided", "conflict")
    assert page.locator("#list li").count() == 1
    assert "bob decided Natural elements" in page.locator("#disputed").text_content()
    page.locator("#f-decided").blur()
    unsettled = read_review(saved(page))
    assert set(unsettled.conflicts["who"]) == {"ann", "bob"}
    assert unsettled.conflicts["sound_id"].tolist() == ["../1"] * 2
    both = read_review(ann, bob)
    pd.testing.assert_frame_equal(
        both.conflicts.sort_values("who", ignore_index=True), unsettled.conflicts.sort_values("who", ignore_index=True)
    )
    press(page, "a")  # ann is convinced
    assert count(page) == "4 of 4 decided"
    assert read_review(saved(page), bob).conflicts.empty
    press(page, "z")
    assert count(page) == "4 of 4 decided, 1 in conflict"


def test_the_precision_is_that_of_review_precision(page, tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.choice(["fx-a", "fx-n", "ss-n"], 300)
    table = pd.DataFrame({"predicted": labels, "proba": rng.uniform(size=300)}, index=[str(i) for i in range(300)])
    sample = review_sample(table, n=4, random_state=0)
    page.goto(review_page(sample, table[[]], tmp_path / "out").as_uri())
    assert "nothing is known" in page.locator("#precision-all").text_content()
    press(page, "kkkkukkk")
    press(page, "c")
    page.keyboard.type("m-m")
    press(page, ["Enter", *"kkkkkkkkkk"])
    found = review_precision(read_review(saved(page)), sample)
    told = page.locator("#precision-all").text_content()
    low, right, high = (shown(found.loc["all", name]) for name in ("low", "precision", "high"))
    assert f"Right so far: {right}" in told
    assert f"{low} to {high}" in told
    cells = page.locator("#precision-rows tr").nth(0).locator("td").all_text_contents()
    first = found.iloc[0]
    assert cells[0] == shown(first["precision"])
    assert cells[1] == f"{shown(first['low'])} to {shown(first['high'])}"
    assert cells[2:] == [f"{first['n_reviewed']:.0f}", "100 %", f"{first['n_predictions']:.0f}"]


def shown(share):
    return f"{100 * share:.{1 if 0.995 < share < 1 else 0}f} %"


CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parts(c).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const solid = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, p = parts(c); if (p.length < 4 || p[3] === 1) return c; } return "rgb(255,255,255)"; };
  const seen = e => e.checkVisibility() && e.getClientRects().length, poor = [];
  let n = 0;
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e) || e.matches("script,option,audio,progress")) continue;
    const style = getComputedStyle(e), own = [...e.childNodes].some(c => c.nodeType === 3 && c.data.trim());
    if (own || e.matches("input,select")) { n++; const r = ratio(style.color, solid(e)); if (r < 4.5) poor.push([e.tagName, e.id, e.textContent.slice(0, 30), r]); }
    if (e.matches("input,select,button:not(:disabled)") && !e.closest("#list")) {
      const r = Math.max(ratio(style.borderTopColor, solid(e.parentElement)), ratio(solid(e), solid(e.parentElement)));
      if (r < 3) poor.push([e.tagName, e.id, "border", r]);
    }
  }
  return [n, poor];
}"""


def test_both_looks_can_be_read(page, tmp_path):
    table, clips = made(4, TONE)
    table["neighbours"], table["reason"], table["set"], table["node"] = [["../1"]] * 4, "odd", "fx-a fx-n", "fx"
    clips["url"] = "https://freesound.org/s/1/"
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    page.locator("#filters summary").click()

    def backgrounds():
        for keys in ("k", "pb", "c"):  # decided, a pack about to be, the tree
            press(page, keys)
            n, poor = page.evaluate(CONTRAST)
            assert n > 40
            assert not poor
        press(page, ["Escape", "z"])
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="light")
    light = backgrounds()
    page.emulate_media(color_scheme="dark")
    dark = backgrounds()
    assert light != dark
    press(page, "ll")  # system, dark, light
    assert backgrounds() == light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
    page.emulate_media(color_scheme="light")
    page.locator("#look").click()
    page.locator("#look").click()
    assert page.locator("#look").text_content() == "Look: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert "Sound effects (fx)" in page.locator("#vouched").text_content()


def test_everything_has_a_name_and_can_be_reached_by_keys(page, tmp_path):
    table, clips = made(3, TONE)
    table["neighbours"] = [["../1"]] * 3
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    page.locator("#filters summary").click()
    nameless = """() => [...document.querySelectorAll('input,select,button,audio,img,progress,nav,dialog,a')].filter(e =>
      !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.alt &&
      !e.textContent.trim()).map(e => e.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert (
        page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size")
        == page.locator("[id]").count()
    )
    reached, ring = set(), []
    for _ in range(80):
        page.keyboard.press("Tab")
        name, width = page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineWidth]"
        )
        reached.add(name)
        ring += [width] if name else []
    wanted = page.evaluate(
        "[...document.querySelectorAll('input,select,button:not(:disabled)')].filter(e => e.id && e.checkVisibility()).map(e => e.id)"
    )
    assert set(wanted) <= reached
    assert set(ring) == {"3px"}
    page.locator("#keep").focus()
    press(page, ["Enter"])  # a button that has the focus does what it says, once
    assert count(page) == "1 of 3 decided"


def test_after_the_mouse_the_keys_are_the_pages(page, tmp_path):
    page.goto(review_page(*made(4, TONE), tmp_path / "out").as_uri())
    page.locator("#keep").click()
    press(page, " ")
    assert plays(page, "#sound")
    assert count(page) == "1 of 4 decided"
    page.locator("#list button").nth(0).click()
    page.locator("#suggestions button").click()
    press(page, "k")
    assert count(page) == "2 of 4 decided"
    page.locator("#other").click()
    page.keyboard.type("m-m")
    page.locator("#tree [data-code='m-m']").click()
    press(page, "u")
    assert count(page) == "4 of 4 decided"


def test_two_thousand_clips_load_little(page, tmp_path):
    table, clips = made(2000)
    for column in ("tags", "description"):
        clips[column] = [f"{i} rain on a tin roof " * 40 for i in range(2000)]
    clips["audio"] = pd.Series([TONE] * 4 + [None] * 1996, index=clips.index, dtype=object)
    table["reason"], table["neighbours"] = "odd " * 30, [["../1", "../2", "../3"]] * 2000
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    assert page.locator("#list li").count() == 2000
    # the page, its picture and those of its neighbours; players ask when they are played
    assert len(asked) <= 5
    assert page.locator("audio").count() <= 4
    assert page.locator("*").count() < 5000
    # a second is meant, on a machine that does nothing else
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domComplete") < 30_000
    press(page, "k" * 30)
    assert page.locator("audio").count() <= 4
    assert page.evaluate("performance.memory.usedJSHeapSize") < 100e6


def test_what_cannot_be_heard_is_said(page, tmp_path):
    table, clips = made(3)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    clips["audio"] = [str(tmp_path / "empty.wav"), str(tmp_path / "text.wav"), None]
    with pytest.warns(match="2 of 2 sounds could not be decoded"):
        address = review_page(table, clips[["audio"]], tmp_path / "out").as_uri()
    page.goto(address)
    assert page.locator("#problem").text_content() == "Sound: zero bytes · There is no sound to hear."
    assert page.locator("#title").text_content() == "../0"
    assert page.locator("#about dd").nth(0).text_content() == "not given"
    press(page, " k")
    assert "not decodable" in page.locator("#problem").text_content()
    press(page, "kk")
    assert count(page) == "3 of 3 decided"


def test_without_storage_nothing_is_promised(page, tmp_path):
    address = review_page(*made(3), tmp_path / "out").as_uri()
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})")
    page.goto(address)
    press(page, "k")
    assert "keeps nothing" in page.locator("#say").text_content()
    assert len(json.loads(saved(page).read_text())["decisions"]) == 1


def test_excerpts_of_every_length_can_be_heard(page, tmp_path):
    lengths = [80, 700, 2500, 4800, 7360, 16000, 32000, 50001, 160000, 170000]
    sounds = [(np.sin(np.arange(n) / 5).astype(np.float32), 16000) for n in lengths]
    table, clips = made(len(sounds))
    clips["audio"] = pd.Series(sounds, index=clips.index)
    page.goto(review_page(table, clips, tmp_path / "out").as_uri())
    for n in lengths:
        press(page, " ")
        assert plays(page, "#sound"), n
        duration = page.locator("#sound").evaluate("player => player.duration")
        assert duration == pytest.approx(min(n / 16000, 10), abs=0.05)
        press(page, "n")


def test_the_policy_lets_no_other_script_run_and_no_host_be_asked(browser, tmp_path):
    page = browser.new_page()
    page.goto(review_page(*made(1), tmp_path / "out").as_uri())
    page.evaluate(
        """() => { const script = document.createElement('script'); script.textContent = "document.title = 'run'";
        document.body.append(script); document.body.insertAdjacentHTML('beforeend',
        "<img src=x onerror=\\"document.title = 'run'\\"><a id=bait href=\\"javascript:document.title='run'\\">x</a>"); }"""
    )
    page.evaluate("document.querySelector('#bait').click()")
    page.wait_for_timeout(200)
    assert page.title() == "Review of labels"
    asked = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    refused = page.evaluate("fetch('https://example.org/').then(() => 'answered', () => 'refused')")
    assert (refused, asked) == ("refused", [])


@pytest.mark.parametrize("browser", [6], indirect=True)
def test_a_page_that_hangs_ends_its_test(browser):
    page = browser.new_page()
    with pytest.raises(Exception, match="closed"):
        page.evaluate("new Promise(() => {})")
