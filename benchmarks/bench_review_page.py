"""How long a review page of many clips takes to open in a browser.

    python benchmarks/bench_review_page.py [--clips 2000] [--loads 5]

Needs playwright and chromium. Clips are made: each has a title, a kilobyte of tags and of description, a reason and
three neighbours, the first twenty a sound of four seconds. A load is a new browser that knows nothing of the page;
it is complete at the browser's domComplete, when the list of all clips is there. What else the machine does takes
part in the figures, so its load stands beside them.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from skbst.curation import review_page

N_SOUNDING = 20
TONE = (np.sin(np.arange(64000) / 5).astype(np.float32), 16000)


def make_page(folder, n_clips):
    index = pd.Index([str(row) for row in range(n_clips)])
    table = pd.DataFrame(
        {"label": "fx-a", "suggestion": "fx-n", "proba_label": 0.1, "proba_suggestion": 0.8, "reason": "odd " * 30},
        index=index,
    )
    table["neighbours"] = [["1", "2", "3"]] * n_clips
    words = [f"{row} rain on a tin roof " * 40 for row in range(n_clips)]
    clips = pd.DataFrame({"title": "door", "tags": words, "description": words}, index=index).astype(object)
    clips["uploader"] = [f"u{row % 100}" for row in range(n_clips)]
    clips["audio"] = pd.Series([TONE] * N_SOUNDING + [None] * (n_clips - N_SOUNDING), index=index, dtype=object)
    start = time.perf_counter()
    address = review_page(table, clips, folder / "page")
    megabytes = sum(path.stat().st_size for path in address.parent.rglob("*") if path.is_file()) / 1e6
    print(f"{n_clips:,} clips written in {time.perf_counter() - start:.1f} s, {megabytes:.1f} MB", flush=True)
    return address.as_uri()


def load(driver, address, n_clips):
    """Seconds until the page is complete, from a key until its decision is counted, and megabytes of the heap."""
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    try:
        page = browser.new_page()
        page.goto(address)
        if page.locator("#list li").count() != n_clips:
            raise RuntimeError("The page does not list all clips.")
        complete = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete") / 1e3
        start = time.perf_counter()
        page.keyboard.press("k")
        page.locator("#count", has_text=f"1 of {n_clips} decided").wait_for()
        return complete, time.perf_counter() - start, page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    finally:
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--loads", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        address, seen = make_page(Path(folder), options.clips), []
        for number in range(options.loads):
            complete, decided, heap = load(driver, address, options.clips)
            seen.append(complete)
            print(
                f"load {number + 1}: complete after {complete:.2f} s, a decision by key {decided:.2f} s, "
                f"{heap:.0f} MB; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
                flush=True,
            )
        print(f"median {statistics.median(seen):.2f} s, {min(seen):.2f} to {max(seen):.2f} s")


if __name__ == "__main__":
    main()
