"""The command line."""

from gmaug_core import posix

posix.required()
