"""From a fitted model to a JSON tree and named arrays."""

import hashlib
import math
import pathlib
import types

import numpy as np
import pandas as pd
from scipy import sparse

from skbst.exceptions import UnsafeModelError
from skbst.persistence._registry import name_of_class, name_of_function
from skbst.persistence._tables import encode_column, encode_frame
from skbst.persistence._trust import FOLDERS

__all__ = ["Encoder"]

# what can be changed in place: one that is held twice must come back as one
_CHANGEABLE = {"dict", "frame", "csr", "masked-array", "object", "object-array", "random-state", "series", "set"}

# long doubles have another width on another machine, and safetensors has none
_OF_THIS_MACHINE = "gG"


class Encoder:
    """Turns objects into JSON values; arrays are collected in ``arrays`` under short keys.

    What is met again, and could be changed in place, is marked where it first stands, ``{"$": "shared", "id": 0,
    "value": ...}``, and named where it stands again, ``{"$": "same", "id": 0}``.

    Attributes
    ----------
    arrays : dict of str to ndarray
        What the JSON tree refers to.
    """

    def __init__(self):
        self.arrays = {}
        self._made = {}
        self._numbers = {}
        self._names = {}
        self._contents = {}
        self._alive = []
        self._path = []

    def encode(self, value):
        """Return the JSON value of `value`; UnsafeModelError names the place of what cannot be stored."""
        return self._marked(self._value(value))

    def _value(self, value):
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int) and not isinstance(value, np.generic):
            return value
        if isinstance(value, float) and not isinstance(value, np.generic):
            return value if math.isfinite(value) else {"$": "float", "value": repr(value)}
        if id(value) in self._made:
            first = id(self._made[id(value)][0])
            return {"$": "same", "id": self._numbers.setdefault(first, len(self._numbers))}
        encode = next((encode for kind, encode in self._KINDS if isinstance(value, kind)), Encoder._object)
        encoded = encode(self, value)
        if isinstance(encoded, list) or encoded.get("$", "dict") in _CHANGEABLE:
            # the value is kept: an id is that of one object only while it lives
            self._made[id(value)] = encoded, value
        return encoded

    def _marked(self, tree):
        """Copy a JSON value, with a mark around each part that is the same as a later one."""
        if isinstance(tree, list):
            copy = [self._marked(item) for item in tree]
        elif isinstance(tree, dict):
            copy = {key: self._marked(item) for key, item in tree.items()}
        else:
            return tree
        number = self._numbers.get(id(tree))
        return copy if number is None else {"$": "shared", "id": number, "value": copy}

    def _inside(self, name, value):
        if len(self._path) > 60:
            raise UnsafeModelError(f"The model is nested too deeply or refers to itself at {'.'.join(self._path[:6])}.")
        self._path.append(str(name))
        encoded = self._value(value)
        self._path.pop()
        return encoded

    def _sequence(self, value):
        items = [self._inside(i, item) for i, item in enumerate(value)]
        if type(value) is list:
            return items
        if type(value) in (tuple, set, frozenset):
            return {"$": type(value).__name__, "items": items}
        raise self._refusal(value)

    def _mapping(self, value):
        if type(value) is not dict:
            return self._object(value)
        if all(type(key) is str and key != "$" for key in value):
            return {key: self._inside(key, item) for key, item in value.items()}
        return {"$": "dict", "items": [[self._value(key), self._inside(key, item)] for key, item in value.items()]}

    def _array(self, value):
        if value.dtype.names is not None or value.dtype.char in _OF_THIS_MACHINE:
            raise self._refusal(value)
        if value.dtype == object:
            items = [self._inside(i, item) for i, item in enumerate(value.ravel().tolist())]
            return {"$": "object-array", "shape": list(value.shape), "items": items}
        if isinstance(value, np.matrix):
            raise self._refusal(value)
        if isinstance(value, np.ma.MaskedArray):
            parts = {"data": value.data, "mask": np.ma.getmaskarray(value)}
            return {"$": "masked-array", **{name: self._inside(name, part) for name, part in parts.items()}}
        return {"$": "array", **self._store(np.asarray(value))}

    def _store(self, array):
        """Name an array; one that is held twice, or has the content of another, is stored once."""
        if id(array) not in self._names:
            whole = np.ascontiguousarray(array).reshape(array.shape)
            content = whole.dtype.str, whole.shape, hashlib.sha256(whole.reshape(-1).view(np.uint8)).digest()
            self._alive.append(array)
            if content in self._contents:
                # equal and not the same: whoever changes one in place must not change the other
                self._names[id(array)] = {"key": self._contents[content], "copy": len(self._alive)}
            else:
                self._contents[content] = key = f"{len(self.arrays)}:{'.'.join(self._path)}"
                self.arrays[key] = whole
                self._names[id(array)] = {"key": key}
        return self._names[id(array)]

    def _scalar(self, value):
        if value.dtype.char in _OF_THIS_MACHINE:
            raise self._refusal(value)
        return {"$": "scalar", "dtype": value.dtype.str, "value": self._value(value.item())}

    def _sparse(self, value):
        rows = sparse.csr_array(value)
        parts = {name: self._inside(name, getattr(rows, name)) for name in ("data", "indices", "indptr")}
        matrix = isinstance(value, sparse.spmatrix)
        return {"$": "csr", "shape": list(rows.shape), "format": value.format, "matrix": matrix, **parts}

    def _frame(self, value):
        return encode_frame(value, self._inside)

    def _series(self, value):
        return encode_column(value, self._inside)

    def _random_state(self, value):
        name, keys, *rest = value.get_state()
        return {"$": "random-state", "name": name, "keys": self._inside("keys", keys), "rest": [float(x) for x in rest]}

    def _type(self, value):
        if issubclass(value, np.generic):
            return {"$": "type", "dtype": np.dtype(value).str}
        raise self._refusal(value)

    def _object(self, value):
        cls = type(value)
        if name_of_function(value) is not None:
            return {"$": "function", "name": name_of_function(value)}
        if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc)):
            raise self._refusal(value)
        name = name_of_class(cls)
        # a Bunch that has been through pickle has no state beside its items
        state = dict(value) if isinstance(value, dict) else value.__getstate__()
        if not isinstance(state, dict):
            raise self._refusal(value)
        if not isinstance(value, dict):
            state = {key: None if key in FOLDERS else item for key, item in state.items()}
        return {"$": "object", "class": name, "state": self._mapping(state)}

    def _refusal(self, value):
        place = ".".join(self._path) or "the model"
        return UnsafeModelError(
            f"{place} is a {type(value).__module__}.{type(value).__qualname__}, which the safe format cannot store. "
            "Use joblib.dump for this model."
        )

    _KINDS = (
        ((sparse.sparray, sparse.spmatrix), _sparse),
        (np.ndarray, _array),
        (np.generic, _scalar),
        ((list, tuple, set, frozenset), _sequence),
        (dict, _mapping),
        (pd.DataFrame, _frame),
        ((pd.Series, pd.Index), _series),
        (np.random.RandomState, _random_state),
        (pathlib.PurePath, lambda self, value: {"$": "path", "value": str(value)}),
        (np.dtype, lambda self, value: {"$": "dtype", "dtype": value.str}),
        (slice, lambda self, value: {"$": "slice", "items": [value.start, value.stop, value.step]}),
        (range, lambda self, value: {"$": "range", "items": [value.start, value.stop, value.step]}),
        (type, _type),
    )
