"""What a run over a library did, in figures and in words."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["SILENT_REASONS", "LibrarySummary"]

# sounds that were read, and in which there is nothing to hear
SILENT_REASONS = ("no samples", "no finite sample", "only zeros")


@dataclass
class LibrarySummary:
    """What a run over a library did.

    Parameters
    ----------
    out : Path
        Where the result lies.

    n_clips : int
        Rows of the result.

    n_computed, n_found : int
        How many of them this run made, and how many were there already.

    n_unreadable : int
        Sounds that could not be read: their answer follows from silence and the text.

    n_silent : int
        Sounds that could be read and hold nothing to hear.

    n_without_text : int
        Clips without title, tags and description.

    reasons : dict of str to int
        What was wrong -> number of clips.

    notes : list of str
        What was left, replaced, removed or set aside in the folder, and what was passed over in listing.

    what : str, default="labelled"
        What was done to the clips.

    listed : str, default=""
        The file that lists what was wrong; "" for the table of labels itself.

    Examples
    --------
    >>> from skbst.library import LibrarySummary
    >>> print(LibrarySummary("labels", n_clips=3, n_computed=3, n_unreadable=1, reasons={"not decodable": 1}))
    3 clips labelled, 0 were labelled already.
    1 sound could not be read, 0 are silent, 0 clips have no text.
    What was wrong: 1 not decodable. The column "problem" says which:
        pandas.read_parquet('labels').query("problem != ''")
    """

    out: Path
    n_clips: int = 0
    n_computed: int = 0
    n_found: int = 0
    n_unreadable: int = 0
    n_silent: int = 0
    n_without_text: int = 0
    reasons: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    what: str = "labelled"
    listed: str = ""

    def add(self, record, *, computed):
        """Count one part.

        Parameters
        ----------
        record : dict
            What was noted when it was written.

        computed : bool
            Whether this run has made it.
        """
        self.n_clips += record["rows"]
        if computed:
            self.n_computed += record["rows"]
        else:
            self.n_found += record["rows"]
        self.n_unreadable += record["unreadable"]
        self.n_silent += record["silent"]
        self.n_without_text += record["without_text"]
        self.reasons = dict(Counter(self.reasons) + Counter(record["reasons"]))

    def __str__(self):
        lines = [
            f"{self.n_computed} {'clip' if self.n_computed == 1 else 'clips'} {self.what}, {self.n_found} "
            f"{'was' if self.n_found == 1 else 'were'} {self.what} already."
        ]
        if self.n_unreadable or self.n_silent or self.n_without_text:
            lines.append(
                f"{self.n_unreadable} {'sound' if self.n_unreadable == 1 else 'sounds'} could not be read, "
                f"{self.n_silent} {'is' if self.n_silent == 1 else 'are'} silent, "
                f"{self.n_without_text} {'clip has' if self.n_without_text == 1 else 'clips have'} no text."
            )
        if self.reasons:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.reasons.items()))
            lines.append(f"What was wrong: {reasons}. {self._where('problem')}")
        if self.n_without_text and not self.listed:
            lines.append(f"Without text: {self._where('has_text')}")
        elif self.n_without_text and not self.reasons:
            lines.append(self._where("problem"))
        return "\n".join(lines + self.notes)

    def _where(self, column):
        """How to list the clips."""
        if self.listed:
            return f"{self.listed} lists them."
        if column == "has_text":
            return f'The column "has_text" says which:\n    {self._read()}.query("not has_text")'
        return f'The column "problem" says which:\n    {self._read()}.query("problem != \'\'")'

    def _read(self):
        name = str(self.out)
        if name.endswith(".csv"):
            return f"pandas.read_csv({name!r}, keep_default_na=False)"
        return f"pandas.read_parquet({name!r})"
