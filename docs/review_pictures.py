"""Make the guide's pictures of the review page: python docs/review_pictures.py (needs playwright, Pillow, chromium)."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.curation import LabelAudit, review_page
from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import ClipFeaturizer, TextLSAFeaturizer

OUT = Path(__file__).parent / "_static"
DESK, PHONE = {"width": 1120, "height": 820}, {"width": 390, "height": 760}


def make_page(folder):
    """Made clips of which one label in ten is wrong, audited by their words."""
    make_bst_clips(folder / "clips", n_clips=240, random_state=0)
    clips = load_bsd(folder / "clips", load_embeddings=False)
    rng = np.random.default_rng(0)
    given = clips.target.copy()
    given.iloc[rng.choice(len(given), 24, replace=False)] = rng.choice(np.unique(given), 24)
    model = make_pipeline(ClipFeaturizer([("text", TextLSAFeaturizer(32, random_state=0))]), LogisticRegression(C=30))
    words = clips.data[["title", "tags", "description"]]
    audit = LabelAudit(model, random_state=0).fit(words, given, groups=clips.groups)
    shown = clips.data.assign(uploader=clips.groups, license=clips.metadata["license"], label=given)
    shown["url"] = [f"https://freesound.org/s/{name}/" for name in shown.index]
    return review_page(audit.ranking_, shown, folder / "page", limit=40)


def take(page, name):
    """A picture of few colours is a small one."""
    path = OUT / f"review_{name}.png"
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    folder = Path(tempfile.mkdtemp())
    address = make_page(folder).as_uri()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=DESK, color_scheme="light")
        page.goto(address)
        page.fill("#who", "ann")
        page.locator("#who").blur()
        for key in "akua":
            page.keyboard.press(key)
        take(page, "light")
        page.emulate_media(color_scheme="dark")
        page.keyboard.press("c")
        page.keyboard.type("nat")
        take(page, "tree")
        page.keyboard.press("Escape")
        page.set_viewport_size(PHONE)
        page.locator("#clip").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#clip').scrollIntoView()")
        take(page, "phone")
        browser.close()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
