"""Embeddings that lie in a dataset's folder."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from skbst._sklearn import StrOptions, _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.datasets._read_embeddings import EMBEDDING_FOLDERS, read_embeddings
from skbst.exceptions import DataFormatError

__all__ = ["ShippedEmbeddingFeaturizer"]


class ShippedEmbeddingFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Read the CLAP embeddings that a dataset ships, by sound_id.

    The files are ``ROOT/features/clap_audio_embeddings/{sound_id}.npy`` and ``.../clap_text_embeddings/...``. They are
    looked up when rows are transformed, so that a fitted pipeline works on another dataset's folder.

    Parameters
    ----------
    block : {"clap_audio", "clap_text"}, default="clap_audio"
        Which embeddings.

    root : str or path-like, default=None
        The dataset's folder; None takes, for each row, the folder above the one that its sound lies in.

    column : str, default="audio"
        Column with the path of the sound.

    Attributes
    ----------
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
    }

    def __init__(self, block="clap_audio", *, root=None, column="audio"):
        self.block = block
        self.root = root
        self.column = column

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
        """
        validate_data(self, X, skip_check_array=True)
        self._n_features_out = self._read(X).shape[1]
        return self

    def transform(self, X):
        """Read the embeddings of some rows.

        Parameters
        ----------
        X : DataFrame
            Rows with the sound_id as index.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32

        Raises
        ------
        DataFormatError
            If a row has no file, or the files are of another width than in `fit`; the message says which.
        """
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        embeddings = self._read(X)
        if embeddings.shape[1] != self._n_features_out:
            raise DataFormatError(
                f"The shipped embeddings have {embeddings.shape[1]} values here and had {self._n_features_out} in fit."
            )
        return embeddings

    def _read(self, X):
        if not isinstance(X, pd.DataFrame):
            raise DataFormatError(f"Shipped embeddings are found by a table's index, the sound_id; got {type(X)}.")
        sound_ids = X.index.astype(str).to_numpy()
        folders = np.array([str(root / "features" / EMBEDDING_FOLDERS[self.block]) for root in self._roots(X)])
        parts, order = [], []
        for folder in np.unique(folders):
            rows = np.flatnonzero(folders == folder)
            if not Path(folder).is_dir():
                raise DataFormatError(f"{folder} is not there: the dataset ships no {self.block} embeddings.")
            values, missing = read_embeddings(Path(folder), sound_ids[rows])
            if missing.any():
                first = sound_ids[rows[missing][0]]
                raise DataFormatError(
                    f"{folder}: {missing.sum()} of {len(rows)} sounds have no embedding (first: {first}). Compute them "
                    "with ClapAudioFeaturizer or ClapTextFeaturizer, or drop these rows."
                )
            parts.append(values)
            order.append(rows)
        if len({values.shape[1] for values in parts}) > 1:
            raise DataFormatError(f"The folders {np.unique(folders).tolist()} hold embeddings of different widths.")
        return np.concatenate(parts)[np.argsort(np.concatenate(order), kind="stable")]

    def _roots(self, X):
        if self.root is not None:
            return [Path(self.root)] * len(X)
        if self.column not in X:
            raise DataFormatError(f"There is no column {self.column!r}; columns are {list(X.columns)}. Pass root.")
        paths = [str(path) if isinstance(path, (str, os.PathLike)) else "" for path in X[self.column]]
        if not all(paths):
            first = X.index[paths.index("")]
            raise DataFormatError(f"Row {first!r} has no path of a sound to find its dataset by. Pass root.")
        return [Path(path).parent.parent for path in paths]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = True
        return tags
