"""Embeddings that lie in a dataset's folder."""

import os
import warnings
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from skbst._sklearn import StrOptions, _fit_context, check_is_fitted, validate_data
from skbst._vectors import EMBEDDING_FOLDERS, find_embeddings, read_vectors
from skbst._versioned import VersionedMixin
from skbst.audio import record_problems
from skbst.exceptions import DataFormatError

__all__ = ["ShippedEmbeddingFeaturizer"]


class ShippedEmbeddingFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Read the CLAP embeddings that a dataset ships, by sound_id.

    The files are ``ROOT/features/clap_audio_embeddings/{sound_id}.npy`` and ``.../clap_text_embeddings/...``. They are
    looked up when rows are transformed, so that a fitted pipeline works on another dataset's folder. No row is dropped:
    one without a vector gets the zero vector, and a warning.

    Parameters
    ----------
    block : {"clap_audio", "clap_text"}, default="clap_audio"
        Which embeddings.

    root : str or path-like, default=None
        The dataset's folder, in which every row is looked up by its sound_id alone; sounds are not needed then. None
        takes, for each row, the folder above the one that its sound lies in.

    column : str, default="audio"
        Column with the path of the sound; not needed where `root` is given.

    on_missing : {"zero", "raise"}, default="zero"
        What becomes of a row whose vector is not there or damaged, in `fit` and in `transform`: the zero vector and a
        warning, or an error. A training set in which every vector is missing is always an error.

    Attributes
    ----------
    missing_report_ : DataFrame
        The rows of `fit` without a vector: index ``sound_id``, columns ``file``, ``reason`` ("no path",
        "no file" or "damaged") and ``detail``.

    n_features_in_ : int
        Number of columns of `X`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names.

    See Also
    --------
    PrecomputedFeaturizer : Embeddings from an array.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skbst.features import ShippedEmbeddingFeaturizer
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = Path(root, "features", "clap_audio_embeddings")
    ...     folder.mkdir(parents=True)
    ...     np.save(folder / "17.npy", np.ones(3, dtype=np.float32))
    ...     clips = pd.DataFrame({"audio": [f"{root}/audio/17.wav"]}, index=["17"])
    ...     ShippedEmbeddingFeaturizer().fit_transform(clips)
    array([[1., 1., 1.]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        "block": [StrOptions(set(EMBEDDING_FOLDERS))],
        "root": [str, os.PathLike, None],
        "column": [str],
        "on_missing": [StrOptions({"zero", "raise"})],
    }

    def __init__(self, block="clap_audio", *, root=None, column="audio", on_missing="zero"):
        self.block = block
        self.root = root
        self.column = column
        self.on_missing = on_missing

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the width of the embeddings; nothing else is learnt.

        Parameters
        ----------
        X : DataFrame
            Rows with the sound_id as index.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The featurizer.

        Raises
        ------
        DataFormatError
            If no row has a vector, vectors differ in width, or one is missing and ``on_missing="raise"``.
        """
        self._learn(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Do `fit` and `transform` at the price of one.

        Parameters
        ----------
        X : DataFrame
            Rows with the sound_id as index.

        y : None
            Ignored.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
        """
        return self._finish(*self._learn(X), stacklevel=5)

    def transform(self, X):
        """Read the embeddings of some rows.

        Parameters
        ----------
        X : DataFrame
            Rows with the sound_id as index.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            Zeros where there is no vector.

        Raises
        ------
        DataFormatError
            If the files are of another width than in `fit`, or a vector is missing and ``on_missing="raise"``.

        Warns
        -----
        UserWarning
            Once, if rows got the zero vector; it counts them and names the first.
        """
        return self._finish(*self._read_like_fit(X), stacklevel=4)

    def transform_with_problems(self, X):
        """Read the embeddings of some rows, and tell which are missing instead of warning.

        Parameters
        ----------
        X : DataFrame
            Rows with the sound_id as index.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            As from `transform`.

        problems : DataFrame
            One row for each vector that is missing: index ``sound_id``, columns ``position``, ``audio`` (the file),
            ``reason``, ``silent`` (False) and ``detail``.
        """
        embeddings, report = self._read_like_fit(X)
        return self._fill(embeddings, report), self._as_problems(report)

    def _read_like_fit(self, X):
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        embeddings, report = self._read(X)
        width = embeddings.shape[1]
        if len(report) < len(X) and width != self._n_features_out:
            raise DataFormatError(
                f"The shipped {self.block} embeddings have {width} values here and had {self._n_features_out} in fit. "
                "A system is used with the embeddings of the model that it was trained on."
            )
        return embeddings, report

    def _learn(self, X):
        validate_data(self, X, skip_check_array=True)
        embeddings, report = self._read(X)
        if len(report) == len(X) or (len(report) and self.on_missing == "raise"):
            raise DataFormatError(self._what_is_missing(report, len(X)) + self._advice(report))
        self._n_features_out = embeddings.shape[1]
        self.missing_report_ = report
        return embeddings, report

    def _finish(self, embeddings, report, *, stacklevel):
        """Make missing rows neutral, and tell it once."""
        if len(report) and self.on_missing == "raise":
            raise DataFormatError(self._what_is_missing(report, len(embeddings)) + self._advice(report))
        if not len(report):
            return embeddings
        record_problems(self._as_problems(report))
        what = self._what_is_missing(report, len(embeddings))
        warnings.warn(f"{what} They got the zero vector; transform_with_problems lists them.", UserWarning, stacklevel)
        return self._fill(embeddings, report)

    def _fill(self, embeddings, report):
        """Zeros for what is missing."""
        if not len(report):
            return embeddings
        if len(report) == len(embeddings):
            return np.zeros((len(embeddings), self._n_features_out), dtype=np.float32)
        return np.nan_to_num(embeddings, copy=False, nan=0.0)

    def _as_problems(self, report):
        """The report in the form of those of sounds."""
        table = {
            "position": report["position"].astype(np.int64),
            "audio": report["file"],
            "reason": [f"{self.block} embedding: {reason}" for reason in report["reason"]],
            "silent": np.zeros(len(report), dtype=bool),
            "detail": report["detail"],
        }
        return pd.DataFrame(table, index=report.index)

    def _read(self, X):
        """Vectors of all rows, NaN where there is none, and what is missing."""
        if not isinstance(X, pd.DataFrame):
            raise DataFormatError(f"Shipped embeddings are found by a table's index, the sound_id; got {type(X)}.")
        if not len(X):
            raise DataFormatError("Found 0 rows while a minimum of 1 is required.")
        sound_ids = X.index.astype(str).to_numpy()
        folders = self._folders(X)
        files, rows_of = np.full(len(X), None, dtype=object), {}
        for row, folder in enumerate(folders):
            rows_of.setdefault(folder, []).append(row)
        for folder, rows in rows_of.items():
            files[rows] = find_embeddings(folder, sound_ids[rows])
        damaged = {}
        embeddings = read_vectors(files, damaged=damaged)
        missing = [row for row, path in enumerate(files) if path is None or row in damaged]
        names = [os.path.join(folders[row], f"{sound_ids[row]}.npy") if folders[row] else "" for row in missing]
        reasons = ["damaged" if row in damaged else "no file" if folders[row] else "no path" for row in missing]
        report = {
            "position": missing,
            "file": names,
            "reason": reasons,
            "detail": [damaged.get(row, "") for row in missing],
        }
        index = pd.Index(sound_ids[missing], name="sound_id", dtype=object)
        return embeddings, pd.DataFrame(report, index=index, dtype=object)

    def _folders(self, X):
        """Folder of each row's vector, "" where nothing leads to one."""
        below = os.path.join("features", EMBEDDING_FOLDERS[self.block])
        if self.root is not None:
            return [str(Path(self.root) / below)] * len(X)
        if self.column not in X:
            return [""] * len(X)
        paths = [path if isinstance(path, (str, os.PathLike)) else "" for path in X[self.column]]
        return [str(Path(path).parent.parent / below) if str(path) else "" for path in paths]

    def _what_is_missing(self, report, n_rows):
        first = report.iloc[0]
        where = f"{report.index[0]}: {first['reason']}" + (f", {first['file']}" if first["file"] else "")
        return f"{len(report)} of {n_rows} clips have no shipped {self.block} embedding (first: {where})."

    def _advice(self, report):
        computes = "ClapAudioFeaturizer" if self.block == "clap_audio" else "ClapTextFeaturizer"
        ways = [f"Compute them with {computes}"]
        if "no path" in set(report["reason"]):
            ways.insert(0, f"Pass root=, the folder above features/{EMBEDDING_FOLDERS[self.block]}")
        if self.on_missing == "raise":
            ways.append('pass on_missing="zero" to take them as zero vectors')
        return f" {', or '.join(ways)}."

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = True
        return tags
