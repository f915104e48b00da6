"""Rows of a Parquet manifest."""

from skbst._optional import require
from skbst._tables import as_text, id_text
from skbst.exceptions import DataFormatError

__all__ = ["parquet_rows"]


def parquet_rows(path):
    """Header and rows of a Parquet file, as `iterate_rows` gives those of a CSV file."""
    parquet = require("pyarrow.parquet", extra="library", needed_by="a Parquet manifest", instead="Or write it as CSV.")
    arrow = require("pyarrow", extra="library", needed_by="a Parquet manifest")
    try:
        file = parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise DataFormatError(f"{path}: not a Parquet file ({error}). Write the manifest anew.") from error
    with file:
        ids = _range_index(file.schema_arrow)
        header = ([] if ids is None else ["sound_id"]) + list(file.schema_arrow.names)
        _refuse_types(path, file.schema_arrow, arrow)
        yield 0, header
        row = 0
        try:
            for batch in file.iter_batches(batch_size=1024):
                columns = [
                    [id_text(cell) if name == "sound_id" else as_text(cell) for cell in column.to_pylist()]
                    for name, column in zip(file.schema_arrow.names, batch.columns)
                ]
                for cells in zip(*columns):
                    row += 1
                    yield row, ([] if ids is None else [str(ids[row - 1])]) + list(cells)
        except (arrow.ArrowInvalid, OSError) as error:
            raise DataFormatError(
                f"{path}, row {row + 1}: cannot be read ({error}). Write the manifest anew."
            ) from error
    if not row:
        raise DataFormatError(f"{path}: the table has a header but no rows.")


def _range_index(schema):
    """The index "sound_id" of a pandas table where it counts its rows: it is no column of the file then, else None."""
    for index in (schema.pandas_metadata or {}).get("index_columns", []):
        if isinstance(index, dict) and index.get("kind") == "range" and index.get("name") == "sound_id":
            return range(index["start"], index["stop"], index["step"])
    return None


def _refuse_types(path, schema, arrow):
    """Refuse sounds inside the table, and whatever else is no path or name."""
    for name, kind in zip(schema.names, schema.types):
        if name not in ("sound_id", "audio"):
            continue
        kind = kind.value_type if arrow.types.is_dictionary(kind) else kind
        if arrow.types.is_nested(kind) or arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind):
            raise DataFormatError(
                f"{path}, column {name!r}: expected text, got {kind}. Sounds are given by their paths."
            )
