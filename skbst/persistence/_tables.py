"""Tables of pandas as JSON values and arrays, each with the type that it had."""

import numpy as np
import pandas as pd

from skbst.exceptions import UnsafeModelError

__all__ = ["decode_column", "decode_frame", "encode_column", "encode_frame"]


# Parts are encoded and decoded in the order in which they stand in the file: what is shared is built where it first
# stands, and a later part may refer to it.


def encode_frame(frame, inside):
    """JSON value of a DataFrame; `inside` encodes a part under a name."""
    index = inside("index", frame.index)
    columns = [inside(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns)]
    return {"$": "frame", "index": index, "series": columns, "names": inside("columns", frame.columns)}


def decode_frame(value, decode):
    """DataFrame of a JSON value."""
    index = _index(decode(value["index"]))
    if "series" in value:
        columns = [decode(column) for column in value["series"]]
        names = _index(decode(value["names"]))
    else:  # formats 1 and 2
        pairs = [(decode(name), decode(column)) for name, column in value["columns"]]
        columns, names = [column for _, column in pairs], pd.Index([name for name, _ in pairs])
    if any(not isinstance(column, pd.Series) or len(column) != len(index) for column in columns):
        raise ValueError("a column that is no series of as many rows as the index")
    frame = pd.concat([column.set_axis(index) for column in columns], axis=1) if columns else pd.DataFrame(index=index)
    frame.columns = names
    return frame


def encode_column(column, inside):
    """JSON value of a Series or an Index."""
    kind = "index" if isinstance(column, pd.Index) else "series"
    index = None if kind == "index" else inside("index", column.index)
    encoded = {"$": kind, "index": index}
    if isinstance(column, pd.MultiIndex):
        parts = {"levels": list(column.levels), "codes": [np.asarray(codes) for codes in column.codes]}
        return {**encoded, "type": "multi", **{name: inside(name, part) for name, part in parts.items()}} | {
            "name": inside("names", tuple(column.names))
        }
    if isinstance(column, pd.RangeIndex):
        numbers = [column.start, column.stop, column.step]
        return {**encoded, "type": "range", "items": numbers, "name": inside("name", column.name)}
    return {**encoded, **_encode_values(column, inside), "name": inside("name", column.name)}


def _encode_values(column, inside):
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return {"type": "numpy", "values": inside("values", column.to_numpy())}
    if isinstance(dtype, pd.StringDtype):
        missing = "NA" if dtype.na_value is pd.NA else "nan"
        texts = column.to_numpy(dtype=object, na_value=None)
        return {"type": "text", "missing": missing, "values": inside("values", texts)}
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(column.array.codes)
        categories = inside("categories", dtype.categories)
        return {
            "type": "category",
            "values": inside("values", codes),
            "categories": categories,
            "ordered": dtype.ordered,
        }
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = column.to_numpy(dtype=f"datetime64[{dtype.unit}]")
        return {"type": "zoned", "values": inside("values", values), "zone": str(dtype.tz)}
    if hasattr(dtype, "numpy_dtype") and hasattr(column.array, "isna"):  # Int64, boolean, Float32 and their like
        missing = np.asarray(column.isna())
        values = column.array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        parts = {"values": inside("values", values), "missing": inside("missing", missing)}
        return {"type": "nullable", "dtype": str(dtype), **parts}
    raise UnsafeModelError(
        f"A column of type {dtype} cannot be stored by the safe format; convert it with astype(object) or to "
        "numbers, or use joblib.dump."
    )


def decode_column(value, decode):
    """Series or Index of a JSON value."""
    kind = value.get("type")
    index = None if value["$"] == "index" else _index(decode(value["index"]))
    if index is None and kind == "multi":
        levels, codes = decode(value["levels"]), decode(value["codes"])
        return pd.MultiIndex(levels=levels, codes=codes, names=decode(value["name"]), verify_integrity=True)
    if index is None and kind == "range":
        return pd.RangeIndex(*value["items"], name=decode(value["name"]))
    values = _decode_values(kind, _array(decode(value["values"])), value, decode)
    name = decode(value["name"])
    if index is None:
        return pd.Index(values, name=name, dtype=values.dtype)
    if len(index) != len(values):
        raise ValueError(f"{len(values)} values for {len(index)} rows")
    return pd.Series(values, index=index, name=name, dtype=values.dtype)


def _decode_values(kind, values, value, decode):
    if kind is None:  # files of format 1 and 2 took every type of pandas' own for text
        return pd.array(values, dtype="str") if value["text"] else values
    if kind == "numpy":
        return values
    if kind == "text":
        dtype = pd.StringDtype(na_value=pd.NA if value["missing"] == "NA" else np.nan)
        return pd.array(values, dtype=dtype)
    if kind == "category":
        dtype = pd.CategoricalDtype(_index(decode(value["categories"])), ordered=bool(value["ordered"]))
        return pd.Categorical.from_codes(values, dtype=dtype)
    if kind == "zoned":
        return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(str(value["zone"])).array
    if kind == "nullable":
        made = pd.array(values, dtype=str(value["dtype"]))
        made[_array(decode(value["missing"]))] = pd.NA
        return made
    raise ValueError(f"a column of type {kind!r}")


def _array(values):
    """Values that are an array: anything else, such as a range, could be much longer than its file."""
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise ValueError(f"values that are a {type(values).__name__} and no array of one dimension")
    return values


def _index(index):
    if not isinstance(index, pd.Index):
        raise ValueError(f"an index that is a {type(index).__name__}")
    return index
