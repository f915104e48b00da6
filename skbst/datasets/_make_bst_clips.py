"""A made dataset of sound clips: the package's own ``make_classification``."""

import json
import os
from numbers import Integral, Real

import numpy as np
import pandas as pd
import soundfile
from joblib import Parallel, delayed

from skbst._files import write_atomically
from skbst._paths import absolute_path
from skbst._progress import progress_bar
from skbst._sklearn import Interval, StrOptions, validate_params
from skbst.datasets._make_bst_table import class_shares, entropy, table_of
from skbst.datasets._synth import FLAVOURS, MAX_CLIPS, plan_clips, render_clip
from skbst.datasets._synth._embeddings import audio_vector, text_vector
from skbst.datasets._synth._neighbours import OFFICIAL_INDEX
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST

__all__ = ["make_bst_clips"]

_RECORD = "made_clips.json"
_TABLES = {"bsd10k": "BSD10k_metadata.csv", "bsd35k": "BSD35k-CS_metadata.csv", "bsd2k": "BSD2k_metadata.csv"}
# raised whenever the same arguments would give other bytes
_VERSION = 2


@validate_params(
    {
        "root": [str, os.PathLike],
        "n_clips": [Interval(Integral, 1, MAX_CLIPS, closed="both")],
        "flavour": [StrOptions(set(FLAVOURS))],
        "class_weights": [StrOptions({"tempered", "bsd", "balanced"}), dict],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
        "min_duration": [Interval(Real, 0.002, None, closed="left")],
        "max_duration": [Interval(Real, 0.002, 120, closed="both")],
        "sample_rate": [Interval(Integral, 8000, 192_000, closed="both")],
        "label_noise": [Interval(Real, 0, 1, closed="both"), None],
        "n_empty_files": [Interval(Integral, 0, None, closed="left"), None],
        "with_embeddings": ["boolean"],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def make_bst_clips(
    root,
    *,
    n_clips=230,
    flavour="bsd10k",
    class_weights="tempered",
    min_per_class=5,
    min_duration=0.007,
    max_duration=30.0,
    sample_rate=44100,
    label_noise=None,
    n_empty_files=None,
    with_embeddings=False,
    random_state=0,
    n_jobs=1,
    verbose=0,
):
    """Make sound clips of all 23 classes of the Broad Sound Taxonomy, in the layout of BSD10k-v1.2.

    Every clip is synthesised: plucked, bowed, blown and struck instruments, drum loops and arrangements, formant
    speech and crowds, impacts, motors, passing cars, steps, animals, weather, interface sounds, layered soundscapes,
    about 90 kinds in all, each with its own spread of parameters, most of them through an imperfect recording. Titles,
    tags and descriptions are written as people write them: some say what is heard, some mislead, some say nothing.
    Neither text nor sound alone settles the class. The clips are for demonstrations and tests; scores on them say
    nothing about scores on recordings.

    Parameters
    ----------
    root : str or path-like
        Folder to write to; made if absent. A folder that holds an unfinished set of the same arguments is completed,
        one with the same arguments and fewer clips is extended, and files that stand there are kept as they are. One
        with more clips is refused.

    n_clips : int, default=230
        Number of clips. The first clips of a larger set are those of a smaller one.

    flavour : {"bsd10k", "bsd35k", "bsd2k"}, default="bsd10k"
        - "bsd10k": labels by annotators, with their confidence from 1 to 5.
        - "bsd35k": labels by uploaders: no confidence, about 30 % wrong (by habit of the uploader, most under is-p
          and fx-m), ten accounts with some 40 % of the rows, 7 % of "-other" rows, tiny is-w, is-k and sp-c under
          ``class_weights="bsd"``.
        - "bsd2k": no labels, column ``anonymous_id``, one file of zero bytes, as in the challenge's evaluation set.

    class_weights : {"tempered", "bsd", "balanced"} or dict, default="tempered"
        Shares of the classes: the real set's ("bsd", 7.3 to 1), their square roots, all equal, or
        ``{class code: share}``.

    min_per_class : int, default=5
        Clips that each class gets at least, once there are enough: five-fold splits then work.

    min_duration, max_duration : float, default=0.007 and 30.0
        Limits of the clips' lengths in seconds. Lengths follow the kind of sound (a click 10 ms, a soundscape 8 to
        30 s); what is longer than the limit becomes 0.75 to 1 times the limit. 5.0 makes a small, quick set.

    sample_rate : int, default=44100
        In Hz.

    label_noise : float in [0, 1], default=None
        Share of clips whose label is a class that a listener could argue for instead, with lower confidence. None is
        0 for "bsd10k" and 0.3 for "bsd35k".

    n_empty_files : int, default=None
        How many of the first sound files have zero bytes; None is 1 for "bsd2k", else 0.

    with_embeddings : bool, default=False
        Whether to write ``features/clap_audio_embeddings`` and ``features/clap_text_embeddings``, too: 512
        dimensions, unit norm. They are random projections of band statistics and hashed words in the place of CLAP
        vectors, which no part of the package mistakes for the real ones.

    random_state : int, RandomState instance or None, default=0
        Seed. On one machine an int gives the same bytes whatever `n_jobs`, and whether or not the work was
        interrupted.

    n_jobs : int, default=1
        Processes that synthesise.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    root : Path
        The folder, ready for `load_bsd`. Besides the layout it holds ``made_truth.csv`` (what each clip really is)
        and ``made_clips.json`` (the arguments).

    Raises
    ------
    DataFormatError
        If `root` holds another data set, or one made with other arguments or more clips; or if `class_weights` names
        unknown classes.

    See Also
    --------
    make_bst_table : The same metadata without sound.
    load_bsd : Read the folder.

    Examples
    --------
    >>> import tempfile
    >>> from skbst.datasets import load_bsd, make_bst_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = make_bst_clips(folder, n_clips=23, max_duration=0.3, sample_rate=16000)
    ...     sounds = load_bsd(root)
    >>> len(sounds.data), sounds.target.nunique()
    (23, 23)
    """
    root, seed = absolute_path(root), entropy(random_state)
    if max_duration < min_duration:
        raise ValueError(f"max_duration={max_duration} is below min_duration={min_duration}.")
    plan_arguments = {
        "shares": class_shares(class_weights, flavour),
        "seed": seed,
        "flavour": flavour,
        "limits": (float(min_duration), float(max_duration)),
        "label_noise": label_noise,
        "min_per_class": int(min_per_class),
    }
    n_empty = int(flavour == "bsd2k") if n_empty_files is None else int(n_empty_files)
    arguments = {"version": _VERSION, "sample_rate": int(sample_rate), "n_empty_files": n_empty}
    _claim(root, arguments | plan_arguments)
    _check_size(root / "metadata" / _TABLES[flavour], n_clips)
    plans = plan_clips(n_clips, **plan_arguments)
    _write_tables(root, plans, flavour)
    write = delayed(_write_clip)
    jobs = (write(root, plan, seed, flavour, sample_rate, plan.index < n_empty, with_embeddings) for plan in plans)
    done = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    for _ in progress_bar(done, total=n_clips, desc="Making clips", verbose=verbose):
        pass
    return root


def _claim(root, arguments):
    """Make the folder ours, or refuse it."""
    arguments = json.loads(json.dumps(arguments))
    record = root / _RECORD
    if record.is_file():
        there = json.loads(record.read_text(encoding="utf-8"))
        differing = sorted(key for key in arguments if there.get(key) != arguments[key])
        if differing:
            key = differing[0]
            raise DataFormatError(
                f"{root} holds clips made with {key}={there.get(key)!r}, not {arguments[key]!r}. "
                "Choose another folder, delete this one, or pass the same arguments."
            )
        return
    taken = [name for name in ("metadata", "audio") if (root / name).exists()]
    if taken:
        raise DataFormatError(f"{root} already has {taken[0]}/ that was not made here. Choose an empty folder.")
    for name in ("metadata", "audio"):
        (root / name).mkdir(parents=True)
    write_atomically(record, json.dumps(arguments, indent=1).encode(), sync=False)


def _check_size(table, n_clips):
    """Refuse to cut a larger set short: its sounds would stay without their rows."""
    if not table.is_file():
        return
    n_there = len(pd.read_csv(table, usecols=[0]))
    if n_there > n_clips:
        raise DataFormatError(
            f"{table.parent.parent} holds {n_there} clips of the same arguments; n_clips={n_clips} would cut its "
            f"table. Pass n_clips={n_there} or more, choose another folder, or take the first rows of load_bsd's data."
        )


def _csv(table):
    return table.to_csv(index=False, lineterminator="\n").encode()


def _write_tables(root, plans, flavour):
    write_atomically(root / "metadata" / _TABLES[flavour], _csv(table_of(plans, flavour)), sync=False)
    write_atomically(root / "metadata" / "BST_description.csv", _csv(_describe_classes()), sync=False)
    truth = pd.DataFrame([plan.as_dict() for plan in plans])
    truth = truth[["sound_id", "truth", "kind", "label", "background", "duration"]]
    write_atomically(root / "made_truth.csv", _csv(truth), sync=False)


def _describe_classes():
    """The table of the taxonomy as BSD10k-v1.2 has it, with rows for top levels and "-other"."""
    rows = [(code, index, BST.top_names[code.split("-")[0]]) for code, index in OFFICIAL_INDEX.items()]
    rows += [(top, 100 * number, BST.top_names[top]) for number, top in enumerate(BST.tops.tolist(), start=1)]
    table = pd.DataFrame(rows, columns=["class_key", "class_idx", "top_level"]).sort_values("class_idx")
    keys = table["class_key"]
    names = keys.map(BST.leaf_names).mask(keys.str.endswith("-other"), "Other").fillna("")
    texts = keys.map(BST.leaf_descriptions).fillna("").str.partition(": ")
    return table.assign(
        class_key_long=table["top_level"] + (" / " + names).where(names != "", ""),
        second_level=names,
        description=texts[0],
        examples=texts[2],
    )[["class_idx", "class_key", "class_key_long", "top_level", "second_level", "description", "examples"]]


def _write_clip(root, plan, seed, flavour, sample_rate, empty, with_embeddings):
    """Write what is missing of one clip."""
    path = root / "audio" / f"{plan.sound_id}.wav"
    vectors = {
        kind: root / "features" / f"clap_{kind}_embeddings" / f"{plan.sound_id}.npy" for kind in ("audio", "text")
    }
    missing = {kind: vector for kind, vector in vectors.items() if with_embeddings and not vector.is_file()}
    waveform = None
    if not path.is_file() or "audio" in missing:
        waveform = np.zeros(1, np.float32) if empty else render_clip(plan, seed, flavour, sample_rate)
    if not path.is_file():
        _write_wav(path, b"" if empty else waveform, sample_rate)
    for kind, vector in missing.items():
        text = f"{plan.title} {plan.tags} {plan.description}"
        made = audio_vector(waveform, sample_rate) if kind == "audio" else text_vector(text)
        write_atomically(vector, lambda file, made=made: np.save(file, made), sync=False)


def _write_wav(path, waveform, sample_rate):
    def write(file):
        if len(waveform):
            soundfile.write(file, waveform, sample_rate, subtype="PCM_16", format="WAV")

    write_atomically(path, write, sync=False)
