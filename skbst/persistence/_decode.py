"""From a JSON tree and named arrays back to a model."""

import pathlib

import numpy as np
from scipy import sparse

from skbst.exceptions import UnsafeModelError
from skbst.persistence._registry import class_of_name, function_of_name
from skbst.persistence._tables import decode_column, decode_frame
from skbst.persistence._trust import trusted_state

__all__ = ["Decoder"]

# written out without references, a model of some kilobytes could be longer than any memory
_MOST_REPEATED = 100_000_000
# a range takes no memory before somebody walks it; no model here has a long one
_LONGEST_RANGE = 100_000_000
# What may be built beyond the arrays of the files, in bytes: so much at least, and so many times the files' own size.
# The systems of skbst need less than one time; the rest is room for models of scikit-learn.
_LEAST_BUDGET = 64 << 20
_BUDGET_PER_BYTE = 8


class Decoder:
    """Builds objects from JSON values.

    Parts are built in the order of the file, and a reference is to a part that is complete: no object can hold itself.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What the JSON tree refers to.
    """

    def __init__(self, arrays):
        self.arrays = arrays
        self._budget = _LEAST_BUDGET + _BUDGET_PER_BYTE * sum(array.nbytes for array in arrays.values())
        self._copies = {}
        self._shared = {}
        self._n_values = 0
        self._n_repeated = 0

    def decode(self, value):
        """Return the object of a JSON value; UnsafeModelError for anything that this format does not have."""
        self._n_values += 1
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$" not in value:
            return {key: self.decode(item) for key, item in value.items()}
        build = self._KINDS.get(str(value["$"]))
        if build is None:
            raise UnsafeModelError(f"The model holds a {value['$']!r}, which this format does not have.")
        try:
            return build(self, value)
        except (UnsafeModelError, RecursionError):
            raise
        except Exception as error:  # whatever numpy, pandas or an estimator makes of a damaged part
            raise UnsafeModelError(f"A {value['$']!r} of the model is damaged: {error!r}.") from error

    def _keep(self, value):
        before = self._n_values
        made = self.decode(value["value"])
        number = value["id"]
        if type(number) is not int or number in self._shared:
            raise UnsafeModelError(f"A shared part of the model needs an integer of its own as id; got {number!r}.")
        self._shared[number] = made, self._n_values - before
        return made

    def _same(self, value):
        number = value["id"]
        if type(number) is not int or number not in self._shared:
            raise UnsafeModelError(f"The model refers to part {number!r}, which must stand before the reference.")
        made, n_values = self._shared[number]
        self._n_values += n_values
        self._n_repeated += n_values
        if self._n_repeated > _MOST_REPEATED:
            raise UnsafeModelError(f"The references of the model repeat more than {_MOST_REPEATED:,} values.")
        return made

    def _spend(self, n_bytes):
        """Count memory that the files themselves do not hold, before it is taken."""
        self._budget -= n_bytes
        if self._budget < 0:
            raise UnsafeModelError("The model would take far more memory than its files are large. It was not loaded.")

    def _items(self, value):
        return [self.decode(item) for item in value["items"]]

    def _array(self, value):
        if value["key"] not in self.arrays:
            raise UnsafeModelError(f"The array {value['key']!r} is missing from the model's files.")
        array = self.arrays[value["key"]]
        if "copy" not in value:
            return array
        name = value["key"], int(value["copy"])
        if name not in self._copies:
            self._spend(array.nbytes)
            self._copies[name] = array.copy()
        return self._copies[name]

    def _object_array(self, value):
        array = np.empty(len(value["items"]), dtype=object)
        array[:] = self._items(value)
        return array.reshape(value["shape"])

    def _scalar(self, value):
        plain = self.decode(value["value"])
        if not isinstance(plain, (bool, int, float, str)):
            raise ValueError(f"a scalar made of a {type(plain).__name__}")
        return _plain_dtype(value["dtype"]).type(plain)

    def _csr(self, value):
        parts = tuple(self.decode(value[name]) for name in ("data", "indices", "indptr"))
        shape = tuple(value["shape"])
        build = sparse.csr_matrix if value["matrix"] else sparse.csr_array
        self._spend(8 * sum(shape))  # another format holds a number for each row or column
        matrix = build(parts, shape=shape)
        # positions outside of the matrix would be written to memory that is not its own
        matrix.check_format(full_check=True)
        return matrix.asformat(value["format"])

    def _masked_array(self, value):
        data, mask = self.decode(value["data"]), self.decode(value["mask"])
        if not isinstance(data, np.ndarray) or np.shape(mask) != data.shape:
            raise ValueError("a masked array without a mask of its shape")
        return np.ma.MaskedArray(data, mask)

    def _range(self, value):
        numbers = range(*value["items"])
        if len(numbers) > _LONGEST_RANGE:
            raise ValueError(f"a range of {len(numbers):,} numbers")
        return numbers

    def _frame(self, value):
        return decode_frame(value, self.decode)

    def _series(self, value):
        return decode_column(value, self.decode)

    def _random_state(self, value):
        position, has_gauss, cached = value["rest"]
        state = np.random.RandomState()
        state.set_state((value["name"], self.decode(value["keys"]), int(position), int(has_gauss), cached))
        return state

    def _object(self, value):
        cls = class_of_name(value["class"])
        state = {key: self.decode(item) for key, item in _state_items(value["state"], self)}
        if not issubclass(cls, dict):
            state = trusted_state(state)
        if issubclass(cls, dict):
            return cls(**state)
        instance = cls.__new__(cls)
        if hasattr(instance, "__setstate__"):
            instance.__setstate__(state)
        else:
            instance.__dict__.update(state)
        return instance

    _KINDS = {  # noqa: RUF012
        "shared": _keep,
        "same": _same,
        "array": _array,
        "object-array": _object_array,
        "scalar": _scalar,
        "csr": _csr,
        "frame": _frame,
        "series": _series,
        "index": _series,
        "random-state": _random_state,
        "object": _object,
        "function": lambda self, value: function_of_name(value["name"]),
        "masked-array": _masked_array,
        "float": lambda self, value: float(value["value"]),
        "tuple": lambda self, value: tuple(self._items(value)),
        "set": lambda self, value: set(self._items(value)),
        "frozenset": lambda self, value: frozenset(self._items(value)),
        "dict": lambda self, value: {self.decode(key): self.decode(item) for key, item in value["items"]},
        "path": lambda self, value: pathlib.Path(value["value"]),
        "dtype": lambda self, value: _plain_dtype(value["dtype"]),
        "type": lambda self, value: _plain_dtype(value["dtype"]).type,
        "slice": lambda self, value: slice(*value["items"]),
        "range": _range,
    }


def _plain_dtype(text):
    dtype = np.dtype(text)
    if dtype.kind not in "?biufcSUmM" or dtype.itemsize > 1024:
        raise UnsafeModelError(f"The model holds the data type {text!r}, which this format does not have.")
    return dtype


def _state_items(state, decoder):
    if not isinstance(state, dict) or state.get("$", "dict") != "dict":
        raise UnsafeModelError("The state of an object must be a dictionary.")
    if "$" in state:
        return [(decoder.decode(key), item) for key, item in state["items"]]
    return state.items()
