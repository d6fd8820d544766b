"""Stata files. Before Stata 14 a file did not say its encoding; Chinese ones hold GBK, which is read back as such."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache

import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.encoding import is_common_chinese
from analysis_py.ingest.files import FoundFile, damaged

_CHUNK = 20_000


@lru_cache(maxsize=65536)
def mend_text(text: str) -> str:
    """Text that was decoded as Latin-1 for want of better, in the encoding it was written in (UTF-8 or GBK)."""
    if text.isascii():
        return text
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    for codec in ("utf-8", "gb18030"):
        try:
            decoded = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        if codec == "utf-8" or is_common_chinese(decoded):
            return decoded
    return text


def read_labels(found: FoundFile) -> tuple[str, ...]:
    """The description of each variable ('' where it has none), in file order. Raises ``CP-FILE-CORRUPT``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with found.open() as handle, pd.read_stata(handle, iterator=True) as reader:
                return tuple(mend_text(str(label)) for label in reader.variable_labels().values())
    except CarbonpanelError:
        raise
    except Exception as error:  # pandas raises many kinds on damaged bytes
        raise damaged(found.path, error) from error


def _has_usable_labels(found: FoundFile) -> bool:
    """Whether coded values can be shown by their labels: no two codes of a column may share one."""
    with found.open() as handle, pd.read_stata(handle, iterator=True) as reader:
        return all(len(set(table.values())) == len(table) for table in reader.value_labels().values())


def iterate_stata(found: FoundFile, *, labels: bool) -> Iterator[pd.DataFrame]:
    """The file in frames of up to 20,000 rows, columns float64, int64 or text; with ``labels`` coded values as text.

    Dates stay the numbers they are stored as. Raises ``CP-FILE-CORRUPT``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with (
                found.open() as handle,
                pd.read_stata(
                    handle,
                    convert_dates=False,
                    convert_categoricals=labels and _has_usable_labels(found),
                    preserve_dtypes=False,
                    chunksize=_CHUNK,
                ) as reader,
            ):
                for frame in reader:
                    frame.columns = pd.Index([mend_text(str(name)) for name in frame.columns])
                    for name in frame.columns:
                        column = frame[name]
                        if isinstance(column.dtype, pd.CategoricalDtype):
                            column = column.astype(object)
                        if not pd.api.types.is_numeric_dtype(column.dtype):
                            mended = [mend_text(value) if isinstance(value, str) else value for value in column]
                            frame[name] = pd.Series(mended, index=frame.index, dtype=object if labels else "str")
                    yield frame
    except CarbonpanelError:
        raise
    except Exception as error:  # pandas raises many kinds on damaged bytes
        raise damaged(found.path, error) from error
