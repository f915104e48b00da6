"""The page: our own style and scripts, and the data as text that nothing runs."""

import base64
import hashlib
import json
from pathlib import Path

__all__ = ["page_html"]

_PARTS = Path(__file__).parent


def page_html(data):
    """Put data, style and scripts into one file that asks no host for anything.

    Parameters
    ----------
    data : dict
        As from `page_data`.

    Returns
    -------
    html : str
        In ASCII but for our own words.
    """
    style = (_PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((_PARTS / f"{name}.js").read_text(encoding="utf-8") for name in ("state", "view", "page"))
    # only our own style and script run; no address but files beside the page is allowed
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
    # in JSON these only stand inside of text, where the escape means the same; ASCII keeps marks of direction inert
    safe = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    page = (_PARTS / "page.html").read_text(encoding="utf-8")
    page = page.replace("{policy}", policy).replace("{style}", style).replace("{script}", script)
    return page.replace("{data}", safe)


def _digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
