"""Names and rules of a submission to DCASE 2026 Task 1."""

import re

from skbst.exceptions import DataFormatError

__all__ = [
    "DESCRIPTION_KEYS",
    "LABEL_PATTERN",
    "MAX_SYSTEMS",
    "META_SUFFIX",
    "OUTPUT_COLUMNS",
    "OUTPUT_SUFFIX",
    "SCORE_COLUMN",
    "SCORE_NAMES",
    "submission_label",
]

OUTPUT_SUFFIX, META_SUFFIX = ".output.csv", ".meta.yaml"
OUTPUT_COLUMNS = ("id", "predicted_bst_second_level_class")
SCORE_COLUMN = "prediction_score"
SCORE_NAMES = ("hP", "hR", "hF")
# as the challenge's rules say
MAX_SYSTEMS = 4
LABEL_PATTERN = re.compile(r"(?P<team>[A-Za-z][A-Za-z0-9-]*(_[A-Za-z0-9-]+)+)_task1_(?P<system>\d+)")

#: What ``system: description:`` holds; None where it does not apply.
DESCRIPTION_KEYS = (
    "input_sampling_rate",
    "summary",
    "audio_representation",
    "text_representation",
    "data_augmentation",
    "machine_learning_method",
    "external_data_usage",
    "hierarchical_setting",
)


def submission_label(team, system):
    """Make the label of a system, from which its file names follow.

    Parameters
    ----------
    team : str
        Last name of the corresponding author and abbreviation of the institute, such as "Huang_WHU".

    system : int
        Number of the system, 1 to 4.

    Returns
    -------
    label : str

    Raises
    ------
    DataFormatError
        If the parts make no valid label.

    Examples
    --------
    >>> from skbst.submission._format import submission_label
    >>> submission_label("Huang_WHU", 1)
    'Huang_WHU_task1_1'
    """
    label = f"{team}_task1_{system}"
    match = LABEL_PATTERN.fullmatch(label)
    if match is None or "_task1_" in team:
        raise DataFormatError(
            f"team={team!r}: expected a last name and the abbreviation of an institute in ASCII, such as 'Huang_WHU'."
        )
    if not 1 <= int(system) <= MAX_SYSTEMS:
        raise DataFormatError(f"system={system}: a team submits systems 1 to {MAX_SYSTEMS}.")
    return label
