"""Files that a person brings: read as what they are, or refused with file, line and value.

Belongs here: which files are read at all, YAML of fields and lists in plain values. Does not belong here: what the fields mean
(`workload`), hours of load (`load_file`).
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from pipelines.platform.text import fit_to_show

LARGEST_YAML_BYTES = 256 * 1024
DEEPEST_LEVEL = 20
LONGEST_WHOLE = 18
LONGEST_MESSAGE = 2_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,60}")
# Texts that YAML 1.1 takes for something else (NO, on, 12:30, 010, 2026-01-15) stay texts; the fields know what they expect.
_PLAIN = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
)


class WorkloadError(Exception):
    """A workload cannot be read or answered; the message names the file, the field and the value, and what was expected.

    Names and values are of whoever wrote the file: the message is fit to be shown, and of a length that is read.
    """

    def __init__(self, message: str) -> None:
        super().__init__(fit_to_show(message, LONGEST_MESSAGE))


class _Loader(yaml.SafeLoader):
    """YAML as version 1.2 reads plain values."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node)
    # Python refuses to read thousands of digits; no field takes such a number, and each says so with its name.
    return int(text) if len(text) <= LONGEST_WHOLE else float(text)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(re.sub(r"\.(?=inf|nan)", "", loader.construct_scalar(node).lower()))


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def read_bytes(path: Path, limit: int, what: str) -> bytes:
    """Content of a regular file of at most `limit` bytes. Raises WorkloadError; never waits for a pipe, never reads a device."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise WorkloadError(f"{path}: is a {_kind(found.st_mode)}, expected a file {what}")
        if found.st_size > limit:
            raise WorkloadError(f"{path}: has {found.st_size:,} bytes, expected at most {limit:,} {what}")
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise WorkloadError(f"{path}: cannot be read: {reason}") from error
    if len(content) > limit:
        raise WorkloadError(f"{path}: has more than {limit:,} bytes, expected less {what}")
    return content


def decoded(content: bytes, path: Path) -> str:
    """Text in UTF-8, or in UTF-16 with its mark, as spreadsheets save it."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise WorkloadError(
            f"{path}: line {line}: byte {content[error.start]:#04x} is no {encoding[:5].upper()}, expected text in UTF-8"
        ) from error
    if "\x00" in text:
        raise WorkloadError(f"{path}: line {text[: text.index(chr(0))].count(chr(10)) + 1}: holds a NUL byte, expected text in UTF-8")
    return text


def read_yaml(path: Path) -> dict[str, Any]:
    """Fields of a YAML file as plain values. Raises WorkloadError; its message quotes keys and never a line of the file."""
    text = decoded(read_bytes(path, LARGEST_YAML_BYTES, "with a workload in YAML"), path)
    try:
        _refuse_cunning(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None or not isinstance(node, yaml.MappingNode):
            kind = {"SequenceNode": "list", "ScalarNode": "text"}.get(type(node).__name__, "nothing")
            raise WorkloadError(f"{path}: holds {kind}, expected fields such as name, model, tokens, objective, load")
        _refuse_doubles(node, path)
        document: dict[str, Any] = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark
        where = f"line {at.line + 1}, column {at.column + 1}" if at else "some line"
        # Signs of the grammar are said, words of the file are not.
        problem = re.sub(r"'([^']*)'", lambda said: said[0] if len(said[1]) == 1 or said[1][:1] == "<" else "a text", error.problem or "")
        raise WorkloadError(f"{path}: cannot be read as YAML: {where}: {problem}") from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise WorkloadError(f"{path}: line {line}: holds the control character {error.character:#04x}, expected text") from error
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise WorkloadError(f"{path}: cannot be read as YAML: {type(error).__name__}") from error
    return document


def _refuse_cunning(text: str, path: Path) -> None:
    """Aliases, tags and deep nesting: what a workload never needs, and what small files blow up with."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise WorkloadError(f"{path}: line {line}: has the alias *{event.anchor}, expected values written out")
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
            raise WorkloadError(f"{path}: line {line}: has a tag, expected plain values")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST_LEVEL:
            raise WorkloadError(f"{path}: line {line}: is nested more than {DEEPEST_LEVEL} levels deep, expected fields of a workload")


def _refuse_doubles(node: yaml.Node, path: Path) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubles(item, path)
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise WorkloadError(f"{path}: line {line}: has a key that is no text, expected a field's name")
        if key.value in first:
            # A key of a file that is no workload may be a whole line of it.
            name = key.value if _NAME.fullmatch(key.value) else "a key"
            raise WorkloadError(f"{path}: line {line}: {name} is given a second time (first in line {first[key.value]})")
        if re.fullmatch(r"\d+", key.value) and isinstance(value, yaml.ScalarNode) and not value.value:
            raise WorkloadError(
                f"{path}: line {line}: {key.value} stands where a field is expected; write numbers without separators, such as 40e6 or 0.05"
            )
        first[key.value] = line
        _refuse_doubles(value, path)


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFSOCK: "socket"}
    return names.get(stat.S_IFMT(mode), "special file")
