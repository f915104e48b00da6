"""Labels that are checked: doubtful rows first, a person's decisions, and what follows from them."""

from skbst.curation._label_audit import LabelAudit
from skbst.curation._review import apply_review, read_review

__all__ = ["LabelAudit", "apply_review", "read_review"]
