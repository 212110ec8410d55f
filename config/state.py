"""Where the state database is, and whether it can be one, as far as the file tells."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from config.tree import Findings

MOUNTS = Path("/proc/mounts")  #: what is mounted, on Linux
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|glusterfs|lustre|gpfs|fuse\.(sshfs|s3fs|.*nfs)"
)
_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"
_FORMS = "write sqlite:///FILE or postgresql://USER@HOST/NAME"
_PASSWORD = re.compile(r"//[^/@:]*:(?P<password>.+)@|[?&]password=(?P<option>[^&]*)")


def resolved(url: str, folder: Path) -> str:
    """The URL with a relative SQLite path counted from the configuration file's folder."""
    if not url.startswith(_SQLITE):
        return url
    return _SQLITE + str((folder / url.removeprefix(_SQLITE)).resolve())


def check_state(findings: Findings, url: str, folder: Path) -> None:
    if url.startswith(_POSTGRES):
        _check_postgres(findings, url)
    elif url.startswith(_SQLITE):
        _check_sqlite(findings, url, folder)
    else:
        findings.refuse(("state",), "is not the URL of a state database", _FORMS)


def check_epoch_file(findings: Findings, name: str | None, state: str, folder: Path) -> None:
    """The witness of a state must not be put back together with it."""
    if name is None:
        return
    file = (folder / name).resolve()
    if not file.parent.is_dir():
        findings.refuse(("epoch_file",), "the folder of the epoch file does not exist", "create it")
    elif file.exists() and not file.is_file():
        findings.refuse(("epoch_file",), "the epoch file is no file", "name the file itself")
    elif not all(os.access(one, os.W_OK) for one in (file.parent, file) if one.exists()):
        what = "the epoch file or its folder cannot be written"
        findings.refuse(("epoch_file",), what, "check owner and mode of both")
    elif resolved(state, folder) == _SQLITE + str(file):
        findings.refuse(("epoch_file",), "is the state file itself", "name another one")
    elif Path(resolved(state, folder).removeprefix(_SQLITE)).parent == file.parent:
        what = "lies beside the state: who puts that folder back puts back both"
        findings.warn(("epoch_file",), what, "keep it on another volume")


def _check_sqlite(findings: Findings, url: str, folder: Path) -> None:
    name = url.removeprefix(_SQLITE)
    file = Path(resolved(url, folder).removeprefix(_SQLITE))
    if name in ("", ":memory:"):
        findings.refuse(("state",), "the state must outlive the process", "name a file")
    elif not file.parent.is_dir():
        findings.refuse(("state",), "the folder of the state file does not exist", "create it")
    elif file.exists() and not file.is_file():
        findings.refuse(("state",), "the state file is no file", "name the file itself")
    elif not all(os.access(one, os.W_OK) for one in (file.parent, file) if one.exists()):
        # SQLite keeps its journal beside the file
        what = "the state file or its folder cannot be written"
        findings.refuse(("state",), what, "check owner and mode of both")
    elif sort := _network(file.parent):
        what = f"the state file stands on a network file system ({sort}), whose locks may not hold"
        findings.warn(("state",), what, "put it on a disk of this machine, or use PostgreSQL")


def _network(folder: Path) -> str:
    """The network file system that a folder is on; empty for a disk, or where nobody tells."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    deepest, found = -1, ""
    for _device, point, sort, *_ in (line.split(" ") for line in lines):
        place = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), point))
        if folder.is_relative_to(place) and len(place.parts) >= deepest:
            deepest, found = len(place.parts), sort  # a later mount covers an earlier one
    return found if _NETWORK.fullmatch(found) else ""


def _check_postgres(findings: Findings, url: str) -> None:
    written = _PASSWORD.search(str(findings.tree.root.get("state", "")))
    if written and "${" not in (written["password"] or written["option"]):
        what, remedy = "a secret must not stand in the file", "use ${VARIABLE} for the password"
        findings.refuse(("state",), what, remedy)
    if not _is_whole(url):
        remedy = f"{_FORMS}; a password's special characters are percent-encoded, @ as %40"
        findings.refuse(("state",), "this URL cannot be read", remedy)
    if find_spec("psycopg") is None:
        what = "the PostgreSQL driver is not installed"
        findings.refuse(("state",), what, "pip install 'crm-sync[postgres]'")


def _is_whole(url: str) -> bool:
    """Whether every reader takes the same part of it for the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.netloc.count("@") <= 1 and "#" not in url and port != 0
    return plain and bool(parts.path.strip("/")) and "@" not in parts.path
