"""Cleaning of the text that people write about their sounds."""

from skbst.text._metadata_cleaner import MetadataCleaner
from skbst.text._steps import (
    has_words,
    join_sentences,
    split_sentences,
    strip_boilerplate,
    strip_html,
    strip_links,
    tidy_unicode,
)
from skbst.text._tags import clean_tag, clean_tags, split_tags
from skbst.text._templates import find_templates, strip_templates
from skbst.text._titles import clean_title, strip_extension, strip_numbers, unfold_file_name
from skbst.text._views import approximate_token_count, join_fields, truncate_fields

__all__ = [
    "MetadataCleaner",
    "approximate_token_count",
    "clean_tag",
    "clean_tags",
    "clean_title",
    "find_templates",
    "has_words",
    "join_fields",
    "join_sentences",
    "split_sentences",
    "split_tags",
    "strip_boilerplate",
    "strip_extension",
    "strip_html",
    "strip_links",
    "strip_numbers",
    "strip_templates",
    "tidy_unicode",
    "truncate_fields",
    "unfold_file_name",
]
