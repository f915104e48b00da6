"""What the splitters here share with scikit-learn's group-aware ones."""

from typing import ClassVar

from sklearn.model_selection import BaseCrossValidator

__all__ = ["GroupAwareSplitter"]


class GroupAwareSplitter(BaseCrossValidator):
    """A splitter with ``n_splits`` that takes part in metadata routing: it asks for ``groups`` by default."""

    __metadata_request__split: ClassVar = {"groups": True}

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds; the parameters are there for the API."""
        return self.n_splits
