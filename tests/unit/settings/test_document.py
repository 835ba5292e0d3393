"""What a YAML file says, on which line it says it, and one good problem for each file that says nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from controller.core.errors import ConfigError
from controller.settings.document import LARGEST_FILE, Document, Secret, Tree, load
from controller.settings.problems import Problems


def read(path: Path, content: str | bytes) -> Document | None:
    """The document. Raises ConfigError with what is wrong with it."""
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    problems = Problems()
    document = load(path, problems)
    problems.raise_if_any()
    return document


def told(path: Path, content: str | bytes) -> list[str]:
    try:
        read(path, content)
    except ConfigError as error:
        return [f"{problem.line}: {problem.wrong}; {problem.right}" for problem in error.problems]
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


# --- scalars of YAML 1.2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, value",
    [
        ("18:30", "18:30"),
        ("1:30:00", "1:30:00"),
        ("on", "on"),
        ("Off", "Off"),
        ("yes", "yes"),
        ("no", "no"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("none", "none"),
        ("10", 10),
        ("010", 10),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("2026-05-01", "2026-05-01"),
        ("10.0.0.5", "10.0.0.5"),
        ("'10'", "10"),
        ('"true"', "true"),
        ("60s", "60s"),
        ("{a: 1}", {"a": 1}),
        ("[1, on]", [1, "on"]),
        ("!env NAME", Secret("env", "NAME")),
        ("!file keys/mine.pem", Secret("file", "keys/mine.pem")),
        ("低谷", "低谷"),
        ('"a\\nb"', "a\nb"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(path: Path, text: str, value: Tree) -> None:
    document = read(path, f"key: {text}\n")
    assert document is not None
    assert document.get(("key",)) == value
    assert type(document.get(("key",))) is type(value)


def test_a_byte_order_mark_is_no_part_of_the_text(path: Path) -> None:
    document = read(path, b"\xef\xbb\xbfkey: 1\n")
    assert document is not None
    assert document.tree == {"key": 1}


def test_windows_line_ends_are_line_ends(path: Path) -> None:
    document = read(path, b"one: 1\r\ntwo: 2\r\n")
    assert document is not None
    assert document.tree == {"one": 1, "two": 2}
    assert document.line(("two",)) == 2


# --- lines --------------------------------------------------------------------------------------------------------


def test_every_key_and_item_knows_its_line(path: Path) -> None:
    document = read(path, "# first\na:\n  - x: 1\n    y: {z: 2,\n        w: 3}\n  -\n    - 4\n")
    assert document is not None
    assert [document.line(where) for where in [("a",), ("a", 0), ("a", 0, "y"), ("a", 0, "y", "w"), ("a", 1, 0)]] == [
        2,
        3,
        4,
        5,
        7,
    ]


def test_what_is_not_there_is_on_the_line_of_what_encloses_it(path: Path) -> None:
    document = read(path, "a:\n  b:\n    c: 1\n")
    assert document is not None
    assert document.line(("a", "b", "missing", "deeper")) == 2
    assert document.get(("a", "b", "missing", "deeper")) is None


# --- files that cannot be right ---------------------------------------------------------------------------------------

BEGINS = "docs/configuration.md shows one"

UNREADABLE: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": (b"", [f"1: the file is empty (0 bytes); write it, or restore it from a backup; {BEGINS}"]),
    "only comments": ("# nothing\n\n", [f"1: the file says nothing; write it; {BEGINS}"]),
    "binary": (b"\x7fELF\x02\0\0\0", ["1: is a binary file; a text file in UTF-8 belongs here"]),
    "UTF-16": ("key: 1".encode("utf-16"), ["1: is UTF-16 text; save it as UTF-8"]),
    "GBK": ("a: 1\nb: 车库\n".encode("gbk"), ["2: is not UTF-8 text (byte 0xb3); save the file as UTF-8"]),
    "a control character": ("a: 1\nb: \x1b[31m\n", ["2: contains the control character \\x1b; remove it"]),
    "an escaped control character": ('a: "\\u0007"\n', ["1: '\\x07' contains a control character; remove it"]),
    "half a character": ('a: "\\ud800"\n', ["1: '\\ud800' contains a control character; remove it"]),
    "too large": (
        b"a" * (LARGEST_FILE + 1),
        [f"1: is {LARGEST_FILE + 1} bytes long; a configuration file has at most {LARGEST_FILE} bytes"],
    ),
    "tabs": (
        "a:\n  b: 1\n\tc: 2\n\td: 3\n",
        ["3: a tab indents this line (and in 1 more lines); indent with spaces"],
    ),
    "a quotation mark": (
        'a: 1\nb: "two\nc: 3\n',
        ["2: a quotation mark is opened here and never closed; close the quotation mark"],
    ),
    "a brace": (
        "a: {b: 1, c: 2\nd: 3\n",
        ["1: a brace { is opened here and not closed properly; separate entries by commas, close with }"],
    ),
    "a bracket": (
        "a: [1, 2\nb: 3\n",
        ["1: a bracket [ is opened here and not closed properly; separate items by commas, close with ]"],
    ),
    "a colon too many": (
        "a: b: c\n",
        [
            "1: a colon stands where none can be; "
            "check the indentation, and put texts that contain ': ' in quotation marks"
        ],
    ),
    "indentation": (
        "a:\n  b: 1\n c: 2\n",
        ["3: the indentation does not fit the lines above; indent keys of one level equally"],
    ),
    "a line without colon": ("a: 1\nb\nc: 2\n", ["3: a line without 'key: value' stands here; write 'key: value'"]),
    "a percent sign": ("a: %\n", ["1: this character cannot begin a value; put the text in quotation marks"]),
    "two documents": ("a: 1\n---\nb: 2\n", ["2: a second YAML document begins here; keep one document in the file"]),
    "a key twice": (
        "a: 1\nb: {x: 1, x: 2}\na: 3\n",
        [
            "2: the key 'x' stands here a second time; keep one; line 2 has it",
            "3: the key 'a' stands here a second time; keep one; line 1 has it",
        ],
    ),
    "an anchor and its alias": (
        "a: &x [1]\nb: *x\n",
        [
            "1: '&x' is an anchor or alias; write the value out where it is used",
            "2: '*x' is an anchor or alias; write the value out where it is used",
        ],
    ),
    "a tag": (
        "a: !!python/object:os.system x\n",
        ["1: the tag tag:yaml.org,2002:python/object:os.system is unknown; only !env NAME and !file PATH can be used"],
    ),
    "a key that is a mapping": ("{{ name }}: 1\n", ["1: a key is itself a list or mapping; a key is a single word"]),
    "a number that is none": ("a: .nan\n", ["1: .nan is no finite number; write a finite number"]),
    "a number without end": ("a: 1e999\n", ["1: 1e999 is no finite number; write a finite number"]),
    "a number of many digits": ("a: " + "9" * 19, [f"1: {'9' * 19} has too many digits; at most 18 can be right"]),
    "deep nesting": ("a: " + "[" * 900_000, ["1: is nested too deeply; at most 32 levels can be right"]),
    "deep closed nesting": ("a: " + "[" * 500 + "]" * 500, ["1: is nested too deeply; at most 32 levels can be right"]),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_one_good_problem_for(name: str, path: Path) -> None:
    content, expected = UNREADABLE[name]
    assert told(path, content) == expected


def test_a_billion_laughs_stay_one_line_each(path: Path) -> None:
    laughs = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 40))
    assert len(told(path, "l0: &l0 ha\n" + laughs)) == 79


def test_no_file(path: Path) -> None:
    problems = Problems()
    assert load(path, problems) is None
    with pytest.raises(ConfigError, match=r"file.yaml:1: the file is missing; create it"):
        problems.raise_if_any()


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_file(kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path)
    problems = Problems()
    assert load(path, problems) is None
    with pytest.raises(ConfigError, match=r"is a folder; |is no ordinary file; |cannot be read \(Too many"):
        problems.raise_if_any()


def test_a_file_that_is_wrong_everywhere_is_told_briefly(path: Path) -> None:
    found = told(path, "".join(f"a{n}: &x 1\n" for n in range(500)))
    assert len(found) == 101
    assert found[-1] == "100: 400 further problems are not listed; mend these first"
