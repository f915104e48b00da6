"""An array-like of rows with named blocks."""

import numpy as np

from skbst.exceptions import DataFormatError
from skbst.features._clips._blocks import pack_block, take_rows, unpack_block
from skbst.features._clips._problems import check_problems, problems_of_rows

__all__ = ["FeatureBundle"]


class FeatureBundle:
    """Rows of several features of the same clips, each under its name.

    A bundle behaves like an array of rows, so that it passes through scikit-learn's splitters, searches and
    ensembles. Slicing is lazy: a slice holds the same arrays (which may be memory maps) and an index.

    Parameters
    ----------
    blocks : mapping of str to array of shape (n_samples, ...)
        The features. Embeddings are (n_samples, n_features), spectral features
        (n_samples, n_frames, n_bins).

    lengths : mapping of str to array of shape (n_samples,), int, default=None
        For blocks with frames: how many of the first frames of each row are sound rather than padding,
        in [1, n_frames]. A block without an entry has no padding.

    rows : mapping of str to array of shape (n_samples,), int, default=None
        For blocks that hold more rows than the bundle, or in another order (a store on disk): which row of the block
        each row of the bundle is. ``lengths`` are those of the bundle's rows.

    problems : DataFrame, default=None
        What was wrong with which row, as in `problems`.

    Attributes
    ----------
    names : tuple of str
        Names of the blocks.

    shape : tuple (n_samples, n_features)
        ``n_features`` counts every number of a row.

    problems : DataFrame
        One record for each row and block with something wrong: columns ``position`` (of the row in this bundle),
        ``sound_id`` (of any kind), ``audio`` (the path), ``block``, ``reason``, ``silent`` (whether the sound became
        silence) and ``detail``. Slices keep the records of their rows, by their new positions.

    Raises
    ------
    DataFormatError
        If there is no block, blocks differ in their number of rows, or lengths, rows or problems do not fit.

    Notes
    -----
    Rows that are read from a memory map do not stay in this process's memory: after each read its pages are given back
    to the operating system, which keeps them cached where there is room.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import FeatureBundle
    >>> bundle = FeatureBundle({"audio": np.eye(4), "text": np.ones((4, 2))})
    >>> bundle
    FeatureBundle(4 rows: audio 4, text 2)
    >>> bundle[[2, 0]]["audio"]
    array([[0., 0., 1., 0.],
           [1., 0., 0., 0.]])
    >>> np.asarray(bundle).shape
    (4, 6)
    """

    ndim = 2

    def __init__(self, blocks, *, lengths=None, rows=None, problems=None):
        blocks = {str(name): _as_block(name, block) for name, block in dict(blocks).items()}
        if not blocks:
            raise DataFormatError("A FeatureBundle needs at least one block.")
        self._places = {name: _as_places(name, values, blocks) for name, values in (rows or {}).items()}
        counts = {name: len(self._places.get(name, block)) for name, block in blocks.items()}
        if len(set(counts.values())) > 1:
            raise DataFormatError(f"Blocks must have the same number of rows; got {counts}.")
        self._blocks = blocks
        self._n_base = next(iter(counts.values()))
        self._lengths = {
            name: _as_lengths(name, values, blocks, self._n_base) for name, values in (lengths or {}).items()
        }
        self._problems = check_problems(problems, self._n_base)
        self._rows = None

    @property
    def problems(self):
        """What was wrong with which row, a DataFrame."""
        return problems_of_rows(self._problems, self._rows)

    @property
    def names(self):
        """Names of the blocks, a tuple."""
        return tuple(self._blocks)

    @property
    def shape(self):
        """(number of rows, number of values in a row)."""
        return len(self), sum(int(np.prod(block.shape[1:])) for block in self._blocks.values())

    def block_shape(self, name):
        """Shape of one block without reading it.

        Parameters
        ----------
        name : str
            The block.

        Returns
        -------
        shape : tuple of int
        """
        return (len(self), *self._base(name).shape[1:])

    def __len__(self):
        return self._n_base if self._rows is None else len(self._rows)

    def __contains__(self, name):
        return name in self._blocks

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.take(name=key)
        if isinstance(key, tuple):
            if len(key) != 2 or (key[1] is not Ellipsis and key[1] != slice(None)):
                raise IndexError("A FeatureBundle is indexed by rows or by the name of a block.")
            key = key[0]
        if isinstance(key, (int, np.integer)):
            row = self._positions()[[key]]
            return {name: self._read(name, row)[0] for name in self._blocks}
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.dtype == bool and len(key) != len(self):
                raise IndexError(f"A mask of {len(key)} values cannot select from {len(self)} rows.")
            if key.size == 0:
                key = key.astype(np.intp)
        return self._with(_rows=self._positions()[key])

    def take(self, name, rows=None):
        """Read rows of one block.

        Parameters
        ----------
        name : str
            Name of the block.

        rows : array of int, default=None
            Positions in this bundle; None reads all.

        Returns
        -------
        values : ndarray of shape (n_rows, ...)
            The block itself where nothing was sliced, else a copy.
        """
        return self._read(name, _compose(self._rows, rows))

    def lengths(self, name, rows=None):
        """Count the frames that are sound, for each row of a block; same arguments as `take`.

        Returns
        -------
        lengths : ndarray of shape (n_rows,), int
            The whole number of frames where nothing is padded.
        """
        selected = _compose(self._rows, rows)
        if name in self._lengths:
            return self._lengths[name] if selected is None else self._lengths[name][selected]
        n_rows = self._n_base if selected is None else len(selected)
        return np.full(n_rows, self._base(name).shape[1], dtype=np.int64)

    def select(self, names):
        """Return a bundle of the same rows with just these blocks.

        Parameters
        ----------
        names : str or list of str
            Blocks.

        Returns
        -------
        bundle : FeatureBundle
        """
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise DataFormatError("A FeatureBundle needs at least one block.")
        parts = {
            "_blocks": {name: self._base(name) for name in names},
            "_lengths": {name: self._lengths[name] for name in names if name in self._lengths},
            "_places": {name: self._places[name] for name in names if name in self._places},
        }
        return self._with(**parts)

    def with_block(self, name, block, *, lengths=None):
        """Return a bundle of the same rows with one block more, or another block of that name.

        Parameters
        ----------
        name : str
            Name of the block.

        block : array of shape (n_samples, ...)
            Its rows, one for each row of this bundle.

        lengths : array of shape (n_samples,), int, default=None
            For frames: how many of the first ones of each row are sound.

        Returns
        -------
        bundle : FeatureBundle
            The other blocks are not read.
        """
        kept = [key for key in self.names if key != name]
        rows = {key: self._place(key) for key in kept}
        all_lengths = {key: self.lengths(key) for key in kept if key in self._lengths}
        if lengths is not None:
            all_lengths[name] = lengths
        return FeatureBundle(
            {key: block if key == name else self._blocks[key] for key in (*kept, name)},
            lengths=all_lengths,
            rows={key: places for key, places in rows.items() if places is not None},
            problems=self.problems,
        )

    def to_array(self):
        """Put all blocks side by side.

        Returns
        -------
        array : ndarray of shape (n_samples, n_features)
            Frames are flattened.
        """
        return np.hstack([self[name].reshape(len(self), -1) for name in self.names])

    def __array__(self, dtype=None, copy=None):
        framed = [name for name, block in self._blocks.items() if block.ndim > 2]
        if framed:
            raise TypeError(
                f"This bundle has framed blocks {framed}, which do not fit in one table. Choose blocks with "
                "BlockSelector([...]) or bundle.select([...]) before an estimator that takes plain arrays."
            )
        return self.to_array().astype(dtype or np.result_type(*self._blocks.values()), copy=False)

    def _base(self, name):
        if name not in self._blocks:
            raise KeyError(f"This bundle has no block {name!r}; it has {list(self._blocks)}.")
        return self._blocks[name]

    def _positions(self):
        return np.arange(self._n_base) if self._rows is None else self._rows

    def _place(self, name):
        """Which rows of the array of a block the rows of this bundle are; None: the same."""
        if name not in self._places:
            return self._rows
        return self._places[name] if self._rows is None else self._places[name][self._rows]

    def _read(self, name, rows):
        """Read rows of the unsliced bundle from a block."""
        return take_rows(self._base(name), _compose(self._places.get(name), rows))

    def _with(self, **changes):
        changed = object.__new__(FeatureBundle)
        changed.__dict__.update(self.__dict__, **changes)
        return changed

    def __getstate__(self):
        state = self.__dict__.copy()
        state["_blocks"] = {name: pack_block(block) for name, block in self._blocks.items()}
        return state

    def __setstate__(self, state):
        self.__dict__.update({"_problems": None, **state})
        self._blocks = {name: unpack_block(block) for name, block in state["_blocks"].items()}

    def __repr__(self):
        parts = (f"{name} {'x'.join(map(str, block.shape[1:])) or 1}" for name, block in self._blocks.items())
        return f"FeatureBundle({len(self)} rows: {', '.join(parts)})"


def _as_block(name, block):
    block = block if isinstance(block, np.ndarray) else np.asarray(block)
    if block.ndim < 2:
        raise DataFormatError(f"Block {name!r} must have rows and columns; got shape {block.shape}.")
    return block


def _as_lengths(name, values, blocks, n_rows):
    if name not in blocks:
        raise DataFormatError(f"Lengths are given for {name!r}, but the blocks are {list(blocks)}.")
    values = np.asarray(values, dtype=np.int64)
    shape = (n_rows, *blocks[name].shape[1:])
    if values.shape != shape[:1]:
        raise DataFormatError(f"Lengths of {name!r} must have shape {shape[:1]}; got {values.shape}.")
    if len(values) and (values.min() < 1 or values.max() > shape[1]):
        raise DataFormatError(f"Lengths of {name!r} must lie in [1, {shape[1]}].")
    return values


def _as_places(name, values, blocks):
    if name not in blocks:
        raise DataFormatError(f"Rows are given for {name!r}, but the blocks are {list(blocks)}.")
    values, n_rows = np.asarray(values, dtype=np.int64), len(blocks[name])
    if values.ndim != 1 or (len(values) and (values.min() < 0 or values.max() >= n_rows)):
        raise DataFormatError(f"Rows of {name!r} must be one list of numbers in [0, {n_rows}).")
    return values


def _compose(outer, inner):
    """Rows `inner` of the rows `outer`; None stands for all."""
    if outer is None:
        return None if inner is None else np.asarray(inner)
    return outer if inner is None else outer[np.asarray(inner)]
