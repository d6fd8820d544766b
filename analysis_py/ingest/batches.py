"""The rows of the raw contract as they are collected: column by column, small in memory however long the file is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa

from analysis_py.ingest.contract import PARQUET_COLUMNS

_TYPES = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64()}
_BATCH = 20_000

#: Schema of :data:`analysis_py.ingest.contract.PARQUET_COLUMNS`.
SCHEMA = pa.schema([(name, _TYPES[kind]) for name, kind in PARQUET_COLUMNS])


class CellBatches:
    """Rows of the contract, added one by one and read back in that order as tuples in the order of its columns.

    Only the last rows are Python objects; the others are Arrow batches in which texts that repeat are kept once.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []
        self._flushed = 0

    def __len__(self) -> int:
        return self._flushed + len(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for batch in self._batches:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
        yield from self._rows

    def __getitem__(self, position: int) -> tuple[Any, ...]:
        """The row at a position counting from 0."""
        if position >= self._flushed:
            return self._rows[position - self._flushed]
        batch = self._batches[position // _BATCH]
        return tuple(column[position % _BATCH].as_py() for column in batch.columns)

    def append(self, row: tuple[Any, ...]) -> None:
        """Add one row, its values in the order of the contract's columns."""
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self._batches.append(_record_batch(self._rows))
            self._flushed += _BATCH
            self._rows = []

    def table(self, without: Collection[int] = ()) -> pa.Table:
        """All rows but those at the positions ``without``, in order, with the contract's plain types."""
        left_out = sorted(without)
        pieces = []
        start = 0
        for batch in [*self._batches, *([_record_batch(self._rows)] if self._rows else [])]:
            end = start + batch.num_rows
            first, last = bisect_left(left_out, start), bisect_left(left_out, end)
            if first < last:
                gone = {position - start for position in left_out[first:last]}
                batch = batch.filter(pa.array([at not in gone for at in range(batch.num_rows)]))
            pieces.append(pa.Table.from_batches([batch]).cast(SCHEMA))
            start = end
        return pa.concat_tables(pieces) if pieces else SCHEMA.empty_table()


def _record_batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    arrays = []
    for values, field in zip(zip(*rows, strict=True), SCHEMA, strict=True):
        array = pa.array(values, field.type)
        arrays.append(array.dictionary_encode() if field.type == pa.string() else array)
    return pa.RecordBatch.from_arrays(arrays, names=SCHEMA.names)
