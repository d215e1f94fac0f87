"""Tables as people save them: comma, semicolon or tab, UTF-8, UTF-16 or cp1252, `sep=` lines."""

from __future__ import annotations

import codecs
import csv
import io

from gmaug_core.errors import InputError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def text_of(data: bytes) -> str:
    """The text of a file: by its mark, else UTF-8, else what Windows writes (cp1252). Raises InputError where
    it is no text."""
    encodings = [name for mark, name in _MARKS if data.startswith(mark)] or ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise InputError("this is no text", expected="a table in UTF-8, UTF-16 or Windows-1252")


def rows_of(text: str) -> list[list[str]]:
    """The filled rows, cells trimmed, without lines of comment (#) before the first. Raises InputError where
    a cell is broken."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n ")
    head, _, rest = text.partition("\n")
    while head.startswith("#") and not any(mark in head for mark in ",;\t|"):
        text, (head, _, rest) = rest, rest.partition("\n")
    delimiter = None
    if head.lower().replace('"', "").startswith("sep="):
        delimiter = head.replace('"', "")[4:5] or "\t"
        text, head = rest, rest.partition("\n")[0]
    delimiter = delimiter or max(",;\t|", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"this is no table: {error}", expected="one row a line") from error
    cells = [[cell.strip() for cell in row] for row in rows]
    return [row for row in cells if any(row)]


def column_key(name: str) -> str:
    """A column's name as compared: 'Super class' and 'super-class' are 'super_class'."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())
