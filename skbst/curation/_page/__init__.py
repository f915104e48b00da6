"""The parts of the review page: what is shown of each clip, its excerpt, and the folder."""

from skbst.curation._page._clips import clip_records, page_data, sounds_of
from skbst.curation._page._excerpt import make_excerpts
from skbst.curation._page._folder import finish, own_folder, remove_left_overs
from skbst.curation._page._html import page_html
from skbst.curation._page._rows import as_text, library_rows, review_rows, text_index

__all__ = [
    "as_text",
    "clip_records",
    "finish",
    "library_rows",
    "make_excerpts",
    "own_folder",
    "page_data",
    "page_html",
    "remove_left_overs",
    "review_rows",
    "sounds_of",
    "text_index",
]
