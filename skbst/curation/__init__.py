"""Labels that are checked: doubtful rows first, a person's decisions, and what follows from them."""

from skbst.curation._label_audit import LabelAudit
from skbst.curation._next_questions import next_questions
from skbst.curation._review import apply_review, read_review
from skbst.curation._review_page import review_page
from skbst.curation._review_sample import review_precision, review_sample

__all__ = [
    "LabelAudit",
    "apply_review",
    "next_questions",
    "read_review",
    "review_page",
    "review_precision",
    "review_sample",
]
