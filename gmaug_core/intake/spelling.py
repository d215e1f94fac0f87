"""Names in letters that nobody wrote down: of a zip without the UTF-8 flag, or of an old disk."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

from gmaug_core.data.tables import text_of

UTF_8_FLAG = 0x800
UNICODE_PATH = 0x7075  # extra field: the name in UTF-8, with a checksum of the other one
KANA = ("HIRAGANA", "KATAKANA")
OLD = "cp437"  # what zipfile reads without the flag
WINDOWS = "cp1252"
PAIRS = (("gb2312", ("CJK",)), ("shift_jis", (*KANA, "CJK")))  # of high bytes
LETTERS = ((OLD, ("LATIN",)), *PAIRS, (WINDOWS, ("LATIN",)))


def entry_name(info: zipfile.ZipInfo) -> tuple[str, str]:
    """The name of a zip entry, and the letters it was read in where nobody wrote them down, else ''."""
    given = info.orig_filename
    if info.flag_bits & UTF_8_FLAG or given.isascii():
        return given, ""
    try:
        raw = given.encode(OLD)
    except UnicodeEncodeError:
        return given, ""
    return (told, "") if (told := _unicode_path(info.extra, raw)) else readable(raw)


def readable(raw: bytes) -> tuple[str, str]:
    """The text of a name, and the letters it was read in; '' for UTF-8.

    UTF-8 first; then DOS where that gives Latin letters; then pairs of high bytes as GBK; then Shift-JIS;
    then Windows' Latin letters. What is none of them stays DOS.
    """
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        pass
    return _guessed(raw, LETTERS) or (raw.decode(OLD), OLD)


def table_text(data: bytes) -> tuple[str, str]:
    """The text of a table, and the letters it was read in where nobody wrote them down, else ''. Raises
    InputError where it is no text.

    What is neither UTF-8 nor marked is pairs of high bytes if all of them are, else Windows' Latin letters.
    """
    text = text_of(data)
    if text.isascii() or text.encode(WINDOWS, "ignore") != data:
        return text, ""
    return _guessed(data, PAIRS) or (text, WINDOWS)


def _guessed(raw: bytes, ways: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[str, str] | None:
    """The text in the first encoding that gives letters of its own scripts alone, and what it is called."""
    for encoding, letters in ways:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        scripts = [unicodedata.name(c, "") for c in text if not c.isascii()]
        kana = any(script.startswith(KANA) for script in scripts) or encoding != "shift_jis"
        if kana and all(script.startswith(letters) for script in scripts):
            return text, "GBK" if encoding == "gb2312" else encoding
    return None


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in the extra field of Info-ZIP, '' where there is none or it is of another name."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if (
            kind == UNICODE_PATH
            and len(field) > 5
            and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw)
        ):
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return ""
    return ""
