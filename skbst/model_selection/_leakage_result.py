"""What a leakage check found."""

import pandas as pd

__all__ = ["LeakageReport"]

MEANING = {
    "row": "rows are trained on too",
    "sound_id": "have the id of a training row",
    "group": "share their group with training rows",
    "audio": "have the audio of a training row",
    "text": "have the text of a training row",
    "near_duplicate": "have an embedding close to that of a training row",
    "label_in_text": "name their own class in their text",
    "prior": "have a class prior that knows their label",
    "prior_overfit": "have a class prior that is far better on training rows, as if it had seen their labels",
    "prior_seen": "have a class prior of a model that was trained on them",
    "prior_prompt": "name their own class in what a language model is told of them",
}


class LeakageReport:
    """What links the test rows of each fold with its training rows.

    Parameters
    ----------
    findings : DataFrame
        One row per test row and check: ``check``, ``fold``, ``sound_id``, ``evidence``.

    n_test : int
        Number of test rows of all folds.

    checks : tuple of str
        The checks that were made.

    not_checked : dict of str to str
        The checks that could not be made, and why.

    Attributes
    ----------
    findings, n_test, checks, not_checked
        As given.
    """

    def __init__(self, findings, *, n_test, checks, not_checked):
        self.findings = findings
        self.n_test = n_test
        self.checks = tuple(checks)
        self.not_checked = dict(not_checked)

    @property
    def clean(self):
        """Whether nothing was found."""
        return len(self.findings) == 0

    def summary(self):
        """Count what was found.

        Returns
        -------
        summary : DataFrame
            Index: the checks made; ``n_rows`` test rows that are affected, ``share`` of all test rows, ``folds``.
        """
        by_check = self.findings.groupby("check")
        counts = by_check.size().reindex(self.checks, fill_value=0)
        folds = by_check["fold"].unique().map(sorted).reindex(self.checks)
        return pd.DataFrame(
            {
                "n_rows": counts,
                "share": counts / self.n_test,
                "folds": [[int(fold) for fold in value] if isinstance(value, list) else [] for value in folds],
            }
        ).rename_axis("check")

    def messages(self):
        """One sentence for each check that found something, a dict."""
        messages = {}
        for check, row in self.summary().query("n_rows > 0").iterrows():
            first = self.findings[self.findings["check"] == check].iloc[0]
            meaning = MEANING.get(check, f"were seen by {check.removeprefix('seen by ')!r}")
            messages[check] = (
                f"{check}: {row['n_rows']} of {self.n_test} test rows ({100 * row['share']:.3g} %) {meaning}, in folds "
                f"{row['folds']} (first: sound {first['sound_id']}, {first['evidence']})."
            )
        return messages

    def __repr__(self):
        lines = [f"LeakageReport of {self.n_test} test rows"]
        for check, row in self.summary().iterrows():
            lines.append(f"  {check:<16}{row['n_rows']:>8}  {100 * row['share']:5.1f} %")
        lines += [f"  {check:<16} not checked: {why}" for check, why in self.not_checked.items()]
        return "\n".join(lines)
