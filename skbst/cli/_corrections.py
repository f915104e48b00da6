"""Corrections on the command line: a table, or what reviewers saved."""

__all__ = ["add_corrections", "read_corrections"]


def add_corrections(parser):
    """Describe ``--corrections``."""
    parser.add_argument(
        "--corrections",
        metavar="FILE",
        nargs="+",
        help="labels to correct first: a CSV file with sound_id, from and to, or JSON files that the review page saved",
    )


def read_corrections(names):
    """What ``load_bsd(corrections=)`` takes, or None."""
    if not names:
        return None
    if len(names) == 1 and not names[0].lower().endswith(".json"):
        return names[0]
    from skbst.curation import read_review
    from skbst.exceptions import DataFormatError

    review = read_review(*names)
    if len(review.conflicts):
        sounds = review.conflicts["sound_id"].unique()
        raise DataFormatError(
            f"The reviewers differ on {len(sounds)} sound(s) (first: {sounds[0]!r}). Let them agree first."
        )
    changed = review.decisions[review.decisions["decision"] == "change"]
    return changed.rename(columns={"label": "from", "new_label": "to"})
