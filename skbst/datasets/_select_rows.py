"""Decide which rows of a metadata table are used, and say why the others are not."""

import numpy as np
import pandas as pd

from skbst.datasets._licenses import COMMERCIAL_LICENSES, license_kind
from skbst.exceptions import DataFormatError

__all__ = ["RowSelection"]

# what a cell of predicted_column may say
_MACHINE = {"1", "true", "yes", "predicted", "machine"}
_PERSON = {"0", "false", "no", "user", "person", ""}


class RowSelection:
    """Rows kept so far, and the first reason against each of the others.

    Parameters
    ----------
    path : Path
        The metadata table, for messages.

    metadata : DataFrame
        Its rows.

    lines : ndarray of shape (n_rows,), int
        Line of the file of each row.
    """

    def __init__(self, path, metadata, lines):
        self.path, self.metadata, self.lines = path, metadata, lines
        self.reason = np.full(len(metadata), "", dtype=object)
        self.notes = []

    @property
    def kept(self):
        """Boolean mask of shape (n_rows,)."""
        return self.reason == ""

    def leave_out(self, mask, reason):
        """Leave out the rows of a mask that are still in; `reason` is a text or one text a row."""
        mask = np.asarray(mask) & self.kept
        self.reason[mask] = np.broadcast_to(np.asarray(reason, dtype=object), mask.shape)[mask]
        return int(mask.sum())

    def by_class(self, taxonomy, *, include_other):
        """Leave out rows without a second-level class; refuse codes that the taxonomy does not know."""
        labels = self.metadata["class"].to_numpy(dtype=object)
        known = taxonomy.is_leaf(labels)
        is_top = np.isin(labels, taxonomy.tops.astype(object)) & ~known
        is_other = np.array([label.endswith("-other") for label in labels]) & ~known
        if include_other:
            is_other[:] = False
        empty = labels == ""
        unknown = np.flatnonzero(~(known | is_top | is_other | empty))
        if len(unknown):
            codes = sorted(set(labels[unknown].tolist()))
            raise DataFormatError(
                f"{self.path}, line {self.lines[unknown[0]]}, column 'class': {labels[unknown[0]]!r} is not a class of "
                f"the taxonomy ({len(unknown)} of {len(labels)} rows; codes {codes[:5]}). Class codes are such as "
                f"{str(taxonomy.leaves[0])!r}; pass taxonomy= for classes of your own."
            )
        self.leave_out(is_other, 'class is "-other" (include_other=True keeps it)')
        self.leave_out(is_top, "class is a top level without a second level")
        if empty.all():
            raise DataFormatError(f"{self.path}: column 'class' is empty in every row. Pass labelled=False.")
        if self.leave_out(empty, "no class"):
            self.notes.append(f"{int(empty.sum())} of {len(labels)} rows have an empty class and were left out.")

    def by_hand(self, column):
        """Leave out rows whose label is a machine's, as a column says."""
        if column not in self.metadata:
            raise DataFormatError(
                f"{self.path}: predicted_column={column!r} is missing; found {list(self.metadata.columns)}."
            )
        cells = self.metadata[column].str.strip().str.lower()
        unknown = np.flatnonzero(~cells.isin(_MACHINE | _PERSON).to_numpy())
        if len(unknown):
            raise DataFormatError(
                f"{self.path}, line {self.lines[unknown[0]]}, column {column!r}: {cells.iloc[unknown[0]]!r} is none of "
                f"{sorted(_MACHINE | _PERSON)} ({len(unknown)} such row(s))."
            )
        self.leave_out(cells.isin(_MACHINE), "class is predicted, not given by a person")

    def by_confidence(self, min_confidence):
        """Leave out rows whose annotator was less sure than asked, or gave no score."""
        confidence = self.metadata.get("confidence")
        if confidence is None or confidence.isna().all():
            raise DataFormatError(
                f"{self.path}: min_confidence={min_confidence} needs a column 'confidence', which is "
                f"{'missing' if confidence is None else 'empty in every row (as in BSD35k-CS)'}."
            )
        self.leave_out(confidence.isna(), "no confidence")
        low = (confidence < min_confidence).to_numpy()
        self.leave_out(low, f"confidence below {min_confidence}")

    def by_license(self):
        """Leave out rows whose licence does not allow commercial use, or is not known."""
        if "license" not in self.metadata:
            raise DataFormatError(
                f"{self.path}: commercial_use=True needs a column 'license'; found {list(self.metadata.columns)}."
            )
        licenses = self.metadata["license"].to_numpy(dtype=object)
        kind_of = {text: license_kind(text) for text in set(licenses)}
        kinds = np.array([kind_of[text] for text in licenses], dtype=object)
        unknown = kinds == "unknown"
        reasons = np.where(
            unknown,
            [f"licence not known ({text!r})" for text in licenses],
            [f"licence {kind} does not allow commercial use" for kind in kinds],
        )
        before = self.kept & unknown
        self.leave_out(~np.isin(kinds, COMMERCIAL_LICENSES), reasons.astype(object))
        if before.any():
            texts = pd.Series(licenses[before]).value_counts().head(3).to_dict()
            self.notes.append(
                f"{int(before.sum())} rows have a licence that is not a known Creative Commons one and were left out "
                f"(such as {texts}); judge them yourself in left_out."
            )

    def left_out(self):
        """Rows that are not kept, in file order: all columns of the table, ``line`` and ``reason``."""
        gone = ~self.kept
        return self.metadata.loc[gone].assign(
            line=self.lines[gone], reason=pd.array(self.reason[gone].tolist(), dtype="str")
        )

    def summary(self):
        """How many rows were left out for each reason, a dict."""
        return pd.Series(self.reason[~self.kept], dtype=object).value_counts().to_dict()
