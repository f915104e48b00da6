"""Cleaning of the title, tags and description of one clip."""

from collections import defaultdict

from skbst.text._steps import has_words, strip_boilerplate, strip_html, strip_links, tidy_unicode
from skbst.text._tags import clean_tag, split_tags
from skbst.text._templates import strip_templates
from skbst.text._titles import clean_title, strip_extension
from skbst.text._uploader_tags import squash

__all__ = ["clean_row", "prepare"]

# what one step uncovers another may take; an end to that, taken as it is
_MAX_PASSES = 8


def prepare(text, field="", log=None):
    """Text without markup and addresses, in one form of Unicode."""
    for step, function in (("html", strip_html), ("links", strip_links), ("unicode", tidy_unicode)):
        removed = None if log is None else []
        text = function(text, removed)
        if removed:
            log.add(field, step, removed)
    return text


def clean_row(row, templates, own, extra, log):
    """Clean one clip until nothing changes, so that a second cleaning changes nothing either.

    Parameters
    ----------
    row : tuple of str
        Title, tags and description.

    templates : frozenset of str
        Keys of sentences to drop.

    own, extra : set of str
        Squashed tags to drop: names of uploaders, and the caller's.

    log : CleaningLog or None
        Notes what the first pass takes away.

    Returns
    -------
    title, terms, description : str, list of str, str
    """
    title, tags, description = row
    for number in range(_MAX_PASSES):
        before = (title, tags, description)
        title, terms, description = _clean_once(
            title, tags, description, templates, own, extra, log if not number else None
        )
        tags = ", ".join(terms)
        if (title, tags, description) == before:
            break
    return title, terms, description


def _clean_once(title, tags, description, templates, own, extra, log):
    raw_title = title
    title = _clean_one_title(title, log)
    prepared_tags = prepare(tags, "tags", log)
    terms = _clean_terms(prepared_tags, own, extra, log)
    prepared = prepare(description, "description", log)
    description = _clean_description(prepared, templates, raw_title, log)
    if not has_words(title) and not any(map(has_words, terms)):
        terms = [term for term in split_tags(prepared_tags) if has_words(term)]
        if not terms and not has_words(description):
            description = " ".join(prepared.split())
    return title, terms, description


def _clean_one_title(title, log):
    prepared = " ".join(prepare(title, "title", log).split())
    if not has_words(strip_extension(prepared)):
        prepared = " ".join(tidy_unicode(title).split())
    removed = None if log is None else []
    stem = strip_extension(prepared, removed)
    if log is not None:
        log.add("title", "extension", removed)
        removed = []
    cleaned = clean_title(stem, removed)
    if log is not None and removed:
        log.add("title", "numbers", removed)
    return cleaned


def _clean_terms(tags, own, extra, log):
    terms, removed = {}, defaultdict(list)
    for tag in split_tags(tags):
        term, reason = clean_tag(tag)
        squashed = squash(term)
        if squashed in own:
            term, reason = "", "uploader"
        elif squashed in extra:
            term, reason = "", "extra"
        if term.casefold() in terms:
            reason = reason or "repeated"
        elif term:
            terms[term.casefold()] = term
        if reason:
            removed[reason].append(tag)
    if log is not None:
        for reason, pieces in removed.items():
            log.add("tags", reason, pieces)
    return list(terms.values())


def _clean_description(text, templates, title, log):
    if not text:
        return ""
    removed = None if log is None else []
    text = strip_boilerplate(text, removed)
    if log is not None:
        log.add("description", "boilerplate", removed)
        removed = []
    if templates:
        text = strip_templates(text, templates, title=title, removed=removed)
        if log is not None:
            log.add("description", "template", removed)
    return text
