"""Secrets that stand in files of their own, as containers mount them."""

from pathlib import Path

from connectors.errors import SetupError

LARGEST = 64 * 1024  #: bytes


def read_secret(path: Path) -> str:
    """The one line of a secret file, read now, so that a rotated secret is noticed.

    One line break at the end is not part of it. Raises SetupError.
    """
    try:
        if path.exists() and not path.is_file():
            raise SetupError(f"the secret file {path} is no file", remedy="name the file itself")
        with path.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise SetupError(
            f"the secret file {path} cannot be read: {error.strerror}",
            remedy="check its path and mode",
        ) from error
    if len(raw) > LARGEST:
        raise SetupError(f"the secret file {path} is larger than {LARGEST} bytes")
    try:
        text = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise SetupError(f"the secret file {path} is not UTF-8") from error
    if not text.strip():
        raise SetupError(f"the secret file {path} is empty", remedy="put the secret into it")
    if "\n" in text or "\r" in text or "\0" in text:
        raise SetupError(
            f"the secret file {path} has several lines", remedy="put the secret alone into it"
        )
    return text
