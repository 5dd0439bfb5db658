"""Files to raw tables, as they came. The only place in ingest that reads the disk."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl

from modules.datastore import DataError

_HEAD_BYTES = 65_536
_SEPARATORS = (",", ";", "\t", "|")
_SUFFIXES = (".csv", ".csv.gz", ".txt", ".tsv", ".parquet")
_TEXTLIKE = (pl.Categorical, pl.Enum)


def read_raw(path: Path) -> pl.DataFrame:
    """One CSV (plain or gzip; comma, semicolon, tab or bar) or Parquet file, with `source_file` and `source_row`.

    CSV columns stay text, so that what cannot be read as a number is counted, not guessed away.
    Raises DataError for what is missing, a folder, empty, binary, without header or without rows.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist", "check the path")
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.name.endswith(_SUFFIXES))
        some = f"it holds {', '.join(inside[:8])}" if inside else "it holds no CSV or Parquet file"
        raise DataError(f"{path} is a folder; {some}", "name the files themselves")
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", "check its permissions") from error
    if not head:
        raise DataError(f"{path} is empty (0 bytes)", "give a file with a header and rows")
    table = _parquet(path) if head.startswith(b"PAR1") else _csv(path, head)
    table = table.rename({c: c.strip() for c in table.columns}) if any(c != c.strip() for c in table.columns) else table
    if table.height == 0:
        raise DataError(f"{path} has a header ({', '.join(table.columns)[:200]}) and no rows", "give a file with rows")
    taken = [c for c in table.columns if c.startswith("source_")]
    if taken:
        raise DataError(f"{path} has columns named {', '.join(taken)}", "rename them: source_* is kept for provenance")
    numbered = table.with_row_index("source_row").with_columns(
        pl.col("source_row").cast(pl.Int64), pl.lit(path.name).alias("source_file")
    )
    kept = numbered.filter(~pl.all_horizontal(pl.col(c).is_null() for c in table.columns))
    if kept.height == 0:
        raise DataError(f"{path} has {table.height} rows and every cell is empty", "give a file with values")
    return kept


def _parquet(path: Path) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path} starts like Parquet and cannot be read ({_first_line(error)})", "write it again"
        ) from error
    columns = []
    for name, dtype in table.schema.items():
        if isinstance(dtype, pl.Decimal):
            columns.append(pl.col(name).cast(pl.Float64))
        elif isinstance(dtype, _TEXTLIKE):
            columns.append(pl.col(name).cast(pl.String))
        elif dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Time) or isinstance(dtype, pl.Duration):
            continue
        else:
            columns.append(pl.col(name))
    return table.select(columns)


def _csv(path: Path, head: bytes) -> pl.DataFrame:
    zipped = head.startswith(b"\x1f\x8b")
    if zipped:
        try:
            with gzip.open(path) as handle:
                head = handle.read(_HEAD_BYTES)
        except (OSError, EOFError) as error:
            raise DataError(f"{path} is gzip and cannot be unpacked ({error})", "write it again") from error
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16 text", "save it as UTF-8")
    if b"\x00" in head:
        raise DataError(f"{path} is binary, neither CSV nor Parquet", "export it as CSV or Parquet")
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    try:
        header = next((line for line in lines if line.strip()), b"").decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})", "save it as UTF-8") from error
    separator = max(_SEPARATORS, key=header.count)
    _check_header(path, header, separator)
    try:
        return pl.read_csv(path, separator=separator, infer_schema=False, try_parse_dates=False, glob=False)
    except (OSError, pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as CSV ({_first_line(error)})", "check its rows against its header"
        ) from error


def _check_header(path: Path, header: str, separator: str) -> None:
    names = [cell.strip().strip('"') for cell in header.split(separator)]
    if len(names) < 2:
        raise DataError(
            f"{path} has one column ({header[:80]!r})", "give at least a time and a price, separated by , ; tab or |"
        )
    twice = sorted({n for n in names if n and names.count(n) > 1})
    if twice:
        raise DataError(f"{path} names columns twice: {', '.join(twice[:5])}", "give each column a name of its own")
    if all(_is_number(n) for n in names[1:]):
        raise DataError(f"{path} starts with values ({header[:80]!r}), not with a header", "add a line of column names")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
