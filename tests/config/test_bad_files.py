"""Bad configuration files, row by row: each is refused with its place, its reason and a remedy."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import config
from config import ConfigError
from tests.config.files import CANARY, SMALL, changed, faults, load

TWO = "two: person}"
BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
URL = "https://xyz.api.infobip.com"


def row(name: str, text: str | bytes, *expected: str) -> Any:
    return pytest.param(text, expected, id=name)


def side(details: str) -> str:
    return changed(TWO, f"two: {{object: person, {details}}}}}")


def sync(line: str) -> str:
    return changed(TWO, f"{TWO}\n    {line}")


SYNTAX = [
    row("1 empty", b"", "1:1: the file configures nothing; crm-sync init"),
    row("1 comments only", "# a\n", "configures nothing; crm-sync init"),
    row("1 a list", "- 1\n", "configures nothing"),
    row("2 tab", "a:\n\tb: 1\n", "2:1: a tab stands here; YAML indents with spaces"),
    row("2 unclosed quote", f"a: '{CANARY}\n", "a quote is not closed"),
    row("2 two documents", "a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
    row("2 colon in a value", f"a: {CANARY}: b\n", "1:\\d+: a colon .*; .*quotes"),
    row("2 reserved character", f"a: @{CANARY}\n", "1:4: .*cannot begin with this.*; .*quotes"),
    row("2 star", f"a: *{CANARY}\n", "1:4: .*begins with \\*.*; put it in quotes"),
    row("2 no colon", f"a: 1\n{CANARY}\nb: 2\n", "a line has no colon"),
    row("2 indentation", "a:\n  b: 1\n c: 2\n", "the indentation fits no line above"),
    row("2 escape", f'a: "C:\\{CANARY}"\n', "in double quotes a backslash .*; .*single quotes"),
    row("2 block scalar", f"a: >{CANARY}\n b\n", "1:\\d+: is not valid YAML from here on"),
    row(
        "3 duplicate key",
        f"instances:\n  sales: {{client_secret: {CANARY}}}\n  sales: {{client_secret: {CANARY}}}\n",
        "3:3: the key sales stands here twice; keep one",
    ),
    row("6 alias bomb", BOMB, "has more than 50 aliases"),
    row(
        "6 nodes", f"a: &a [{'x, ' * 1500}]\nb: [{'*a, ' * 9}]\n", "nested too deeply or too large"
    ),
    row("7 alias of itself", SMALL.replace("{one: p", "&a {one: *a, x: p"), "one: has no value"),
    row("8 object tag", "a: !!python/object/apply:os.system [x]\n", "1:4: tags are not allowed"),
    row("8 binary tag", "a: !!binary aGk=\n", "1:4: tags are not allowed"),
    row("9 nesting", "[" * 100_000, "nested too deeply"),
    row("9 50 MB", b"x: " + b"y" * 1_100_000, "0:0: is larger than"),
    row("10 UTF-16", "a: 1".encode("utf-16"), "is not UTF-8; save it as UTF-8"),
    row("10 latin-1", "a: ü".encode("latin-1"), "is not UTF-8"),
    row("10 NUL", b"a: \x00", "NUL"),
    row("10 NUL as an escape", 'a: "x\\0y"\n', "1:4: holds a NUL"),
]
VALUES = [
    row("4 misspelt key", changed("every", "evry"), "unknown key evry; did you mean every"),
    row(
        "4 only what is valid there",
        sync("guard: {deletes: {count: 1, share: 0.1}}"),
        r"15:13: syncs.leads.guard: unknown key deletes; did you mean delete\?",
    ),
    row("4 no key near", sync("colour: red"), "unknown key colour; there are: approve_deletes"),
    row(
        "4 conversions of a stranger",
        sync("conversion_from: [tow]"),
        r"15:23: conversion_from names no side here; did you mean two\?",
    ),
    row(
        "4 conversions where nobody keeps customers",
        side("converts: convert"),
        "14:48: no sync of kind customer keeps what a lead becomes in two; give",
    ),
    row(
        "4 conversions of customers",
        changed("kind: lead", "kind: customer").replace(TWO, f"{TWO}\n    conversion_from: [two]"),
        "15:5: conversion_from is said of leads: they alone are .*; write it in the sync of kind",
    ),
    row("5 number", side("region: 777"), "region: must be text; put it in quotes"),
    row("5 octal", side("region: 0777"), "14:\\d+: this number would lose .*quotes"),
    row("5 zeros", side("on_create: {zip: 007}"), "14:\\d+: this number would lose .*quotes"),
    row("5 plus", side("on_create: {tel: +385911}"), "14:\\d+: this number would lose .*quotes"),
    row("rule on creation", side("on_create: {note: {rule: surname}}"), "names surname, which is"),
    row("5 fraction", side("on_create: {note: 1.10}"), "14:\\d+: .*note: must be"),
    row("5 date", sync("cron: 2024-01-01"), "a date is read as text; put it in quotes"),
    row("5 key", SMALL + "1: x\n", "15:1: a key must be text; put it in quotes"),
    row("11 missing variable", changed("${KEY}", "${NONE}"), "5:14: .*variable NONE is not set"),
    row("11 no variable at all", changed("${KEY}", "${}"), "5:14: a variable is written"),
    row("13 nested", changed("${KEY}", "${${KEY}}"), "5:14: a variable is written"),
    row("13 default", changed("${KEY}", "${KEY:-x}"), "5:14: a variable is written"),
    row("14 inline", changed("${KEY}", CANARY), "5:5: a secret must not stand in the file"),
    row(
        "14 in the state URL",
        f"state: postgresql://a:{CANARY}@db/x\n{SMALL}",
        "1:1: a secret must not stand in the file",
    ),
    row("19 zero", changed("1m", "0s"), "13:5: .*must be from 10s to 7d"),
    row("19 huge", changed("1m", "999999d"), "must be from 10s to 7d"),
    row("19 no unit", changed("1m", "5"), "write a number and a unit"),
    row("19 words", changed("1m", "5 minutes"), "write a number and a unit"),
    row("19 ISO", changed("1m", "PT5M"), "write a number and a unit"),
    row("19 negative", changed("1m", "-5m"), "write a number and a unit"),
    row("19 four fields", changed("every: 1m", "cron: '* * * *'"), "13:5: .*five fields"),
    row("19 minute 99", changed("every: 1m", "cron: '99 * * * *'"), "the minute .* is 0 to 59"),
    row("19 step 0", changed("every: 1m", "cron: '*/0 * * * *'"), "the minute of a cron line"),
    row("19 30 Feb", changed("every: 1m", "cron: '0 0 30 2 *'"), "no year has such a day"),
    row("19 weekday", changed("every: 1m", "cron: '0 0 * * 1-5'"), "weekdays are named"),
    row("19 neither", changed("    every: 1m\n", ""), "11:3: says not when it runs"),
    row("19 both", sync("cron: '0 * * * *'"), "15:5: every and cron exclude each other"),
    row("20 time zone", sync("timezone: Mars/Base"), "unknown key timezone"),
    row("region", SMALL + "region: XX\n", "15:1: region: must be a country's two capital"),
    row("empty value", SMALL + "state:\n", "15:1: state: has no value; give one, or leave"),
    row("not keys", sync("guard: {delete: 5}"), "must be keys with values.*; its keys are: count"),
    row(
        "one side",
        changed(", two: person", ""),
        "14:5: syncs.leads.sides: needs at least 2",
    ),
    row("no policy", side("creates: perhaps"), "creates: must be"),
]
NAMES = [
    row(f"16 {name[:12]!r}", changed("  two:", f"  {name}:"), "6:3: .*a name is 1 to 63 lower-case")
    for name in ("a/b", "..", "a b", "a" * 300, "\U0001f600", "Two")
]
ADDRESSES = [
    row(f"17 {url}", changed(URL, url), f"4:5: instances.one.base_url: {expected}")
    for url, expected in (
        ("htps://x", "must start with https://"),
        ("http://xyz.api.infobip.com", "must start with https://"),
        (f"https://user:{CANARY}@xyz.api.infobip.com", "expected https://HOST, without user"),
        (f"{URL}/people", "expected https://HOST"),
        (f"{URL}?a=b", "expected https://HOST"),
        (f"{URL}:0", "expected https://HOST"),
        (f"{URL}:99999", "expected https://HOST"),
        (f"{URL}.", "expected https://HOST"),
        ("https://xüz.api.infobip.com", "expected https://HOST"),
        ("https://10.0.0.1", ".*add it to allow_host"),
        ("https://api.infobip.com", "this host is shared"),
        ("https://169.254.169.254", ".*add it to allow_host"),
    )
]
MAPPINGS = [
    row("21 unknown field", side("fields: {phnoe: x}"), "did you mean phone"),
    row(
        "21 one native twice", side("fields: {first_name: lastName}"), "stands in the native field"
    ),
    row("21 in an address", side("fields: {job_title: city}"), "job_title stands in"),
    row("21 in a set", side("fields: {job_title: emails}"), "stands in the native field of"),
    row(
        "21 required but unmapped",
        side("fields: {last_name: null}, required: [last_name]"),
        "14:\\d+: a required field must be mapped here",
    ),
    row("22 and 23 transforms", side("fields: {phone: {field: x, regex: x}}"), "unknown key"),
    row("24 side missing", sync("prefer: [one]"), "15:5: prefer lacks two; name every side"),
    row("24 side twice", sync("prefer: [one, two, one]"), "15:5: prefer names a side twice"),
    row("24 no side", sync("prefer: [one, tow]"), r"15:19: .*no side here; did you mean two\?"),
    row("24 rule", sync("policy: newst"), r"must be prefer, newest, .*; did you mean newest\?"),
    row(
        "24 nothing to match by",
        side("fields: {email: null, email2: null, phone: null, mobile: null, last_name: null}"),
        "nothing by which records are recognised",
    ),
    row("25 kind", changed("kind: lead", "kind: company"), "leads match leads"),
    row(
        "26 guard 100 %",
        sync("guard: {delete: {count: 1, share: 1}}"),
        "must be at most 0.5",
    ),
    row(
        "26 guard out of reach",
        sync("guard: {delete: {count: 9999999, share: 0}}"),
        "at most 100000",
    ),
    row("consent", sync("fields: {email_opt_out: {policy: newest}}"), "consent has a policy"),
    row(
        "placeholders of a language",
        sync("fields: {language: {placeholders: {words: [no]}}}"),
        "no language stands for nothing",
    ),
    row("no match rule", sync("match: [key, emial_name]"), "there is no such match rule; did you"),
    row(
        "match rule twice", sync("match: [key, email_name, email_name]"), "names a match rule twice"
    ),
    row(
        "match without key", sync("match: [email_name]"), "carries our key is always ours; name key"
    ),
    row("nothing matches", sync("match: []"), "carries our key is always ours; name key"),
    row("unknown instance", changed(TWO, "tow: person}"), r"14:26: .*tow; did you mean two\?"),
    row("connector", changed(": infobip", ": infobop"), r"3:5: .*; did you mean infobip\?"),
    row("one object twice", changed(TWO, "two: [person, person]}"), "names one object twice"),
    row(
        "mapped twice differently",
        side("fields: {phone: null}")
        + "  customers:\n    kind: customer\n    every: 1m\n"
        + "    sides: {one: person, two: {object: person, fields: {mobile: null}}}\n",
        "18:\\d+: person is mapped differently in sync leads",
    ),
]
STATES = [
    row(f"27 {url}", f"state: '{url}'\n{SMALL}", f"1:1: {expected}")
    for url, expected in (
        ("mystate.db", "is not the URL of a state database; write sqlite:///FILE"),
        (f"mysql://x:{CANARY}@h/y", "is not the URL"),
        ("sqlite:///nowhere/x.db", "the folder of the state file does not exist"),
        ("sqlite:///:memory:", "the state must outlive the process"),
        ("sqlite:///.", "the state file is no file"),
        ("postgresql://h:99999/x", "this URL cannot be read"),
        ("postgresql://h", "this URL cannot be read"),
    )
]


@pytest.mark.parametrize(
    ("text", "expected"), SYNTAX + VALUES + NAMES + ADDRESSES + MAPPINGS + STATES
)
def test_a_bad_file_is_refused(
    tmp_path: Path, text: str | bytes, expected: tuple[str, ...]
) -> None:
    told = faults(tmp_path, text)
    for one in expected:
        assert any(re.search(one, line) for line in told), told


@pytest.mark.parametrize("password", ["p@ss", "p/ss", "p#ss", "p?ss"])
def test_27_a_password_must_be_encoded(tmp_path: Path, password: str) -> None:
    text = "state: postgresql://u:${PASSWORD}@db/x\n" + SMALL
    (told,) = faults(tmp_path, text, PASSWORD=f"canary-{password}")
    assert "percent-encoded" in told
    assert load(tmp_path, text, PASSWORD="p%40ss").state_url.endswith("p%40ss@db/x")


def test_27_the_postgres_driver_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (told,) = faults(tmp_path, "state: postgresql://u@db/x\n" + SMALL)
    assert "1:1: the PostgreSQL driver is not installed; pip install 'crm-sync[postgres]'" in told


@pytest.mark.parametrize("name", ["NO", "on", "22:22", "é"])
def test_5_text_stays_text_in_yaml_1_2(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, side(f"on_create: {{note: {name}}}"))
    assert loaded.sources[1].mapping["on_create"] == {"note": name}


def test_10_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + SMALL.encode())


@pytest.mark.parametrize("value", ["a'b", "a\nb", "admin: true #", "${KEY}", "[", "$$"])
def test_12_and_13_a_variable_is_one_scalar_expanded_once(tmp_path: Path, value: str) -> None:
    loaded = load(tmp_path, SMALL, KEY=value)
    assert loaded.instances["one"].settings.api_key.get_secret_value() == value


def test_11_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert (
        "5:14: the environment variable KEY is not set, or empty"
        in faults(tmp_path, SMALL, KEY="")[0]
    )


def test_12_a_variable_that_is_no_text_is_named(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, changed("api_key: ${KEY}", "api_key: ${BYTES}"), BYTES="a\udcff")
    assert told.startswith("5:14: the environment variable BYTES is not UTF-8")


def test_13_two_dollars_are_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, side("on_create: {note: '$${KEY}'}"))
    assert loaded.sources[1].mapping["on_create"] == {"note": "${KEY}"}


SECRET = changed("api_key: ${KEY}", "api_key_file: secret")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "has several lines"),
        (b"x" * 70_000, "larger than"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_15_a_secret_file_that_cannot_serve(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    (told,) = faults(tmp_path, SECRET)
    assert re.match(f"5:5: .*{expected}", told)


def test_15_a_secret_file_that_is_none(tmp_path: Path) -> None:
    assert "5:5: the secret file" in faults(tmp_path, SECRET)[0]
    (tmp_path / "secret").mkdir()
    assert "is no file" in faults(tmp_path, SECRET)[0]


def test_15_a_secret_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"the-key\n")
    secret.chmod(0o644)
    loaded = load(tmp_path, SECRET)
    assert [warning.line for warning in loaded.warnings] == [5]
    assert loaded.instances["one"].settings.key() == "the-key"
    secret.chmod(0o600)
    assert load(tmp_path, SECRET).warnings == ()


def test_a_ca_file_is_told_at_its_line(tmp_path: Path) -> None:
    text = changed("    api_key: ${KEY}\n", "    api_key: ${KEY}\n    ca_file: ca.pem\n")
    assert faults(tmp_path, text)[0].startswith("6:5: cannot be read: No such file")
    (tmp_path / "ca.pem").write_text("none")
    assert faults(tmp_path, text)[0].startswith("6:5: holds no certificate; name a PEM file")


def test_30_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, expected in (
        (tmp_path, "is a folder; name the file in it"),
        (tmp_path / "none.yaml", "there is no such file; .*crm-sync init"),
        (tmp_path / "pipe", "is neither a file nor a link"),
        (Path("/dev/null"), "is neither a file nor a link"),
    ):
        with pytest.raises(ConfigError, match=expected):
            config.load(path, {})


def test_30_a_link_may_point_within_its_folder_only(tmp_path: Path) -> None:
    mounted, elsewhere = tmp_path / "mounted", tmp_path / "elsewhere"
    for folder in (mounted / "..data", elsewhere):
        folder.mkdir(parents=True)
        (folder / "real.yaml").write_text(SMALL)
    link = mounted / "crm-sync.yaml"
    link.symlink_to(mounted / "..data" / "real.yaml")
    assert config.load(link, {"KEY": "k"})
    link.unlink()
    link.symlink_to(elsewhere / "real.yaml")
    with pytest.raises(ConfigError, match="is a link out of its folder"):
        config.load(link, {"KEY": "k"})


def test_a_merge_key_is_read(tmp_path: Path) -> None:
    text = changed("  two:\n    connector: infobip\n", "  two:\n    <<: *one\n").replace(
        "  one:\n", "  one: &one\n"
    )
    assert load(tmp_path, text).instances["two"].settings.host == "abc.api.infobip.com"


def test_a_plugin_of_nobody_is_told_without_its_value(tmp_path: Path) -> None:
    text = changed("connector: infobip", "connector: ${SECRET}")
    assert "no such connector" in faults(tmp_path, text, SECRET=CANARY)[0]
