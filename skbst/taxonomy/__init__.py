"""The two-level tree of classes, the Broad Sound Taxonomy, and pure arithmetic on a tree."""

from skbst.taxonomy._arithmetic import aggregate_to_top, condition_on_top, credit_matrix
from skbst.taxonomy._bst import BST
from skbst.taxonomy._labels import as_text
from skbst.taxonomy._resolve import resolve_taxonomy
from skbst.taxonomy._taxonomy import Taxonomy
from skbst.taxonomy._top_level import TopLevelMixin, taxonomy_of

__all__ = [
    "BST",
    "Taxonomy",
    "TopLevelMixin",
    "aggregate_to_top",
    "as_text",
    "condition_on_top",
    "credit_matrix",
    "resolve_taxonomy",
    "taxonomy_of",
]
