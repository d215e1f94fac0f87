"""Names in letters that nobody wrote down: of a zip without the UTF-8 flag, or of an old disk."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib

UTF_8_FLAG = 0x800
UNICODE_PATH = 0x7075  # extra field: the name in UTF-8, with a checksum of the other one
KANA = ("HIRAGANA", "KATAKANA")
OLD = "cp437"  # what zipfile reads without the flag


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
    for encoding, letters in (
        (OLD, ("LATIN",)),
        ("gb2312", ("CJK",)),
        ("shift_jis", (*KANA, "CJK")),
        ("cp1252", ("LATIN",)),
    ):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        scripts = [unicodedata.name(c, "") for c in text if not c.isascii()]
        kana = any(script.startswith(KANA) for script in scripts) or encoding != "shift_jis"
        if kana and all(script.startswith(letters) for script in scripts):
            return text, "GBK" if encoding == "gb2312" else encoding
    return raw.decode(OLD), OLD


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
