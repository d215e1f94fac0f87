"""A result as sentences, charts, a page, a folder."""
