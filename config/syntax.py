"""Reads and parses the file. What the parser says is put in our words: its own quote values."""

import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import ScalarNode

from config.faults import ConfigError, Fault

LARGEST = 1024 * 1024  #: bytes of a configuration file
MOST_ALIASES = 50
_PLACES = (
    "name one with --config or CRM_SYNC_CONFIG, put it at ./crm-sync.yaml or "
    "/etc/crm-sync/crm-sync.yaml, or let crm-sync init write one"
)
#: how ruamel.yaml begins to tell what it met -> what is wrong, and what would be right
_SENTENCES = (
    (r"found character '\\t'", "a tab stands here", "YAML indents with spaces"),
    (r"found character ", "a value cannot begin with this character", "put it in quotes"),
    (r"found undefined alias", "a value that begins with * means an anchor", "put it in quotes"),
    (r"found unexpected end of stream", "a quote is not closed", ""),
    (
        r"mapping values are not allowed",
        "a colon stands where no key can",
        "indent keys of one level alike, and put a value that holds a colon in quotes",
    ),
    (r"could not find expected ':'", "a line has no colon", "write key: value"),
    (r"expected ',' or '[\]}]'", "a bracket or brace is not closed, or a comma is missing", ""),
    (
        r"expected <block end>",
        "the indentation fits no line above",
        "indent keys of one level alike",
    ),
    (
        r"found unknown escape character",
        "in double quotes a backslash begins an escape",
        "use single quotes",
    ),
    (r"found a number", "this number would lose its sign or zeros", "put it in quotes"),
    (r"but found another document", "a second document begins here", "a configuration is one"),
)


class _Constructor(RoundTripConstructor):
    """Takes no number whose text means more than its value, as a phone's or a postcode's does."""

    def construct_yaml_int(self, node: ScalarNode) -> int:
        if not re.fullmatch(r"0|-?[1-9]\d*", node.value):
            raise ConstructorError(None, None, "found a number", node.start_mark)
        return int(node.value)


_Constructor.add_constructor("tag:yaml.org,2002:int", _Constructor.construct_yaml_int)


def parse(path: Path) -> CommentedMap:
    """The file as a tree that knows its lines. Raises ConfigError."""
    file = str(path)
    text = _text(path)
    try:
        reader = YAML(typ="rt", pure=True)
        reader.Constructor = _Constructor
        root = reader.load(text)
    except MarkedYAMLError as error:
        raise ConfigError(file, [_told(error)]) from None
    except YAMLError as error:
        raise ConfigError(file, [Fault(1, 1, "is no YAML document")]) from error
    except RecursionError as error:
        raise ConfigError(file, [Fault(1, 1, "is nested too deeply")]) from error
    if not isinstance(root, CommentedMap):
        remedy = "crm-sync init writes a file to start from"
        raise ConfigError(file, [Fault(1, 1, "the file configures nothing", remedy)])
    if _aliases(text) > MOST_ALIASES:
        raise ConfigError(file, [Fault(1, 1, f"has more than {MOST_ALIASES} aliases")])
    return root


def _aliases(text: str) -> int:
    if text.count("*") <= MOST_ALIASES:
        return 0
    events = YAML(typ="rt", pure=True).parse(text)
    return sum(isinstance(event, AliasEvent) for event in events)


def _told(error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or ""
    twice = re.match(r'found duplicate key "(.*?)" with value', problem, re.DOTALL)
    if twice:
        return Fault(line, column, f"the key {twice[1]} stands here twice", "keep one of them")
    for begins, what, remedy in _SENTENCES:
        if re.match(begins, problem):
            return Fault(line, column, what, remedy)
    return Fault(line, column, "is not valid YAML from here on")


def _text(path: Path) -> str:
    """The file's text. A link may point within its own folder only, as mounted ones do:
    else it would be unclear from where the file's relative paths count."""
    file = str(path)
    try:
        if path.is_dir():
            raise ConfigError(file, [Fault(0, 0, "is a folder", "name the file in it")])
        if not path.exists():
            raise ConfigError(file, [Fault(0, 0, "there is no such file", _PLACES)])
        if not path.is_file():
            raise ConfigError(file, [Fault(0, 0, "is neither a file nor a link to one")])
        if not path.resolve().is_relative_to(path.parent.resolve()):
            what, remedy = "is a link out of its folder", "name the file that it points to"
            raise ConfigError(file, [Fault(0, 0, what, remedy)])
        with path.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(file, [Fault(0, 0, f"cannot be read: {error.strerror}")]) from error
    if len(raw) > LARGEST:
        raise ConfigError(file, [Fault(0, 0, f"is larger than {LARGEST} bytes")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(file, [Fault(0, 0, "is not UTF-8", "save it as UTF-8")]) from error
    if "\0" in text:
        raise ConfigError(file, [Fault(0, 0, "holds a NUL character")])
    return text
