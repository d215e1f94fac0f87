"""Tables of a run as parquet, with their checksum: any reader of parquet reads them, ours notices damage."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gmaug_core import seals
from gmaug_core.errors import Damaged
from gmaug_core.files import write_bytes


def write(path: Path, rows: pd.DataFrame) -> None:
    """Store a table without its index, atomically."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    about = {**(table.schema.metadata or {}), seals.KEY.encode(): seals.PLACE}
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(about), file)
    write_bytes(path, seals.sealed(file.getvalue()))


def read(path: Path) -> pd.DataFrame:
    """What `write` stored, or a table of before checksums. Raises Damaged, FileNotFoundError."""
    try:
        return pd.read_parquet(io.BytesIO(seals.read(path)))
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | Damaged):
            raise
        raise seals.broken(path.name, "it is no table") from error
