"""Several fitted featurizers over the same clips, with shared decoding."""

import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd

from skbst.audio import announce_problems, collect_problems, record_problems
from skbst.exceptions import AudioDecodeWarning
from skbst.features._bundle import FeatureBundle
from skbst.features._clips._problems import join_reports
from skbst.features._clips._sources import read_sources
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._run import group_by_loading, make_frames

__all__ = ["announce_of_bundle", "run_featurizers"]


def run_featurizers(featurizers, X, make):
    """Make the blocks of a bundle.

    Parameters
    ----------
    featurizers : list of (str, transformer)
        Name of a block and its featurizer. Spectral ones are fitted; those that load sounds alike share the decoding.

    X : DataFrame, or whatever the featurizers take
        One row a clip.

    make : callable
        Gives (features, lengths or None) of a featurizer that shares nothing.

    Returns
    -------
    bundle : FeatureBundle
        One block for each, in their order, with the problems of its rows.

    on_error : {"silence", "raise"}
        "raise" where a spectral featurizer wants that.
    """
    made, reports, on_error = {}, [], "silence"
    for name, featurizer in featurizers:
        if not isinstance(featurizer, SpectralFeaturizer):
            with _no_decode_warning(featurizer), collect_problems() as found:
                features, lengths = make(featurizer)
            made[name] = (np.asarray(features), None, lengths)
            reports += [(name, report) for report in found]
    for group in group_by_loading([item for item in featurizers if isinstance(item[1], SpectralFeaturizer)]):
        alike = [featurizer for _, featurizer in group]
        results, report = make_frames(alike, read_sources(alike[0], X, alike[0].column, reset=False))
        made.update({name: result for (name, _), result in zip(group, results)})
        reports += [(name, report) for name, _ in group]
        if any(featurizer.on_error == "raise" for featurizer in alike):
            on_error = "raise"
    made = {name: made[name] for name, _ in featurizers}
    bundle = FeatureBundle(
        {name: features for name, (features, _, _) in made.items()},
        lengths={name: lengths for name, (_, _, lengths) in made.items() if lengths is not None},
        rows={name: rows for name, (_, rows, _) in made.items() if rows is not None},
        problems=join_reports(reports),
    )
    return bundle, on_error


def _warns_of_sounds(featurizer):
    """Whether its own warning is held back, so that one tells of all blocks."""
    return isinstance(featurizer, SpectralFeaturizer) or hasattr(featurizer, "on_error")


def announce_of_bundle(bundle, featurizers, on_error, *, stacklevel):
    """Tell once what was wrong with the sounds of a bundle; all of it goes to who collects problems."""
    problems = bundle.problems
    if not len(problems):
        return
    silenced = [name for name, featurizer in featurizers if _warns_of_sounds(featurizer)]
    report = problems.drop(columns="sound_id")
    report.index = pd.Index(problems["sound_id"], name="sound_id", dtype=object, tupleize_cols=False)
    others = report[~report["block"].isin(silenced)]
    record_problems(others)
    report = report[report["block"].isin(silenced)]
    told = report[~report.duplicated(["position", "reason", "detail"]).to_numpy()]
    told = told[~told["position"].duplicated().to_numpy()]
    announce_problems(told, len(bundle), on_error=on_error, stacklevel=stacklevel + 1)


@contextmanager
def _no_decode_warning(featurizer):
    """Hold back a warning about what the featurizer's report will say as well."""
    with warnings.catch_warnings():
        if _warns_of_sounds(featurizer):
            warnings.simplefilter("ignore", AudioDecodeWarning)
        yield
