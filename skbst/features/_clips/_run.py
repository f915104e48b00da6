"""Several fitted featurizers over the same clips, with shared decoding."""

import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd

from skbst.exceptions import AudioDecodeWarning
from skbst.features._bundle import FeatureBundle
from skbst.features._clips._sources import read_sources
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._run import group_by_loading, make_frames

__all__ = ["merge_reports", "run_featurizers"]


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
        One block for each, in their order.

    reports : list of DataFrame
        What was wrong with sounds; none is empty.

    on_error : {"silence", "raise"}
        "raise" where a spectral featurizer wants that.
    """
    made, reports, on_error = {}, [], "silence"
    for name, featurizer in featurizers:
        if not isinstance(featurizer, SpectralFeaturizer):
            with _no_decode_warning(featurizer):
                features, lengths = make(featurizer)
            made[name] = (np.asarray(features), None, lengths)
            reports.append(getattr(featurizer, "decode_report_", None))
    for group in group_by_loading([item for item in featurizers if isinstance(item[1], SpectralFeaturizer)]):
        alike = [featurizer for _, featurizer in group]
        results, report = make_frames(alike, read_sources(alike[0], X, alike[0].column, reset=False))
        made.update({name: result for (name, _), result in zip(group, results)})
        reports.append(report)
        if any(featurizer.on_error == "raise" for featurizer in alike):
            on_error = "raise"
    made = {name: made[name] for name, _ in featurizers}
    bundle = FeatureBundle(
        {name: features for name, (features, _, _) in made.items()},
        lengths={name: lengths for name, (_, _, lengths) in made.items() if lengths is not None},
        rows={name: rows for name, (_, rows, _) in made.items() if rows is not None},
    )
    return bundle, [report for report in reports if report is not None and len(report)], on_error


def merge_reports(reports):
    """Put reports of several featurizers together, each problem of a sound once; a DataFrame like theirs."""
    report = pd.concat(reports)
    named = report.assign(sound_id=report.index)
    return report[~named.duplicated(["sound_id", "audio", "reason", "silent", "detail"]).to_numpy()]


@contextmanager
def _no_decode_warning(featurizer):
    """Hold back a warning about what the featurizer's report will say as well."""
    with warnings.catch_warnings():
        if hasattr(featurizer, "on_error"):
            warnings.simplefilter("ignore", AudioDecodeWarning)
        yield
