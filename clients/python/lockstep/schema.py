"""The messages of the wire, read from the XML files that describe them.

Nothing about a message is written down here: names, offsets, types, enums, groups and data all come from wire/schema/*.xml (SBE 1.0), so
this package and the venue share the description and no code.

    tables = Schemas.load()
    order = tables.message("NewOrder", clOrdId=7, price=100, side="Buy")
    block = order.encode()                        # SBE header, block, groups, data
    same = tables.decode(block)                   # Message; same["side"] == 1, same.text("side") == "Buy"
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Mapping, Union

HEADER = struct.Struct("<HHHH")  # block length, template, schema, version
GROUP = struct.Struct("<HH")  # bytes of an entry, how many follow
DATA = struct.Struct("<H")  # bytes that follow

Value = Union[int, bytes]

_CODES = {"uint8": "B", "int8": "b", "char": "s", "uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "uint64": "Q", "int64": "q"}


class WireError(ValueError):
    """Bytes or values that are no message; the text says what is wrong and where."""


@dataclass(frozen=True)
class Field:
    """A field of a block or entry: where it stands, what it is, and the names of its values."""

    name: str
    offset: int
    code: str  # of struct; "32s" is 32 bytes
    null: int | None = None  # the value that stands for none
    values: Mapping[str, int] = field(default_factory=dict)  # of an enum; of a set the bits
    is_set: bool = False
    reserved: bool = False

    @property
    def size(self) -> int:
        return struct.calcsize("<" + self.code)

    def number(self, value: Any) -> Value:
        """The value as it is packed: names of enums and sets become numbers, None becomes null, text bytes."""
        if value is None:
            if self.null is None:
                raise WireError(f"{self.name} cannot be none")
            return self.null
        if self.code.endswith("s"):
            data = value.encode() if isinstance(value, str) else bytes(value)
            if len(data) > self.size:
                raise WireError(f"{self.name} is {len(data)} bytes, expected at most {self.size}")
            return data
        if isinstance(value, str):
            names = value.split("|") if self.is_set else [value]
            unknown = [n for n in names if n and n not in self.values]
            if unknown:
                raise WireError(f"{self.name} has no value {unknown[0]}, expected one of {', '.join(self.values) or 'numbers'}")
            return sum(self.values[n] for n in names if n)
        return int(value)


@dataclass(frozen=True)
class Layout:
    """The fields of a block or of an entry."""

    name: str
    size: int
    fields: Mapping[str, Field]

    def pack(self, values: Mapping[str, Any]) -> bytearray:
        block = bytearray(self.size)
        for name, value in values.items():
            f = self.fields.get(name)
            if f is None:
                raise WireError(f"{self.name} has no field {name}, expected one of {', '.join(self.fields)}")
            try:
                struct.pack_into("<" + f.code, block, f.offset, f.number(value))
            except struct.error as e:
                raise WireError(f"{self.name}.{name} is {value!r}: {e}") from None
        return block

    def unpack(self, block: bytes) -> dict[str, Value]:
        return {f.name: struct.unpack_from("<" + f.code, block, f.offset)[0] for f in self.fields.values()}


@dataclass(frozen=True)
class Template:
    """A message of a schema: its block, its group and its data, where it has them."""

    schema: int
    version: int
    id: int
    block: Layout
    group: Layout | None = None
    data: str | None = None

    @property
    def name(self) -> str:
        return self.block.name


@dataclass
class Message:
    """One message: the values of its fields as numbers or bytes, its entries, and its data."""

    template: Template
    values: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    data: bytes = b""

    @property
    def name(self) -> str:
        return self.template.name

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.values.get(name, otherwise)

    def text(self, name: str) -> str:
        """The name of an enum's value; its number where it has none, since values may be added."""
        f = self.template.block.fields[name]
        for text, value in f.values.items():
            if value == self.values[name]:
                return text
        return str(self.values[name])

    def optional(self, name: str) -> Any:
        """The value, or None where it is none."""
        value = self.values[name]
        return None if value == self.template.block.fields[name].null else value

    def root(self) -> bytes:
        """Header and block: what stands before groups and data."""
        block = self.template.block.pack(self.values)
        return HEADER.pack(len(block), self.template.id, self.template.schema, self.template.version) + bytes(block)

    def encode(self) -> bytes:
        out = self.root()
        t = self.template
        if t.group is not None:
            out += GROUP.pack(t.group.size, len(self.entries)) + b"".join(bytes(t.group.pack(e)) for e in self.entries)
        if t.data is not None:
            out += DATA.pack(len(self.data)) + self.data
        return out


class Schemas:
    """All messages of some schema files, by name and by number."""

    def __init__(self) -> None:
        self.names: dict[str, Template] = {}
        self.numbers: dict[tuple[int, int], Template] = {}

    @classmethod
    def load(cls, folder: Path | str | None = None) -> "Schemas":
        """Reads every XML file of a folder; without one those beside the package, or of the tree that it lies in."""
        here = Path(__file__).resolve().parent
        candidates = [Path(folder)] if folder else [here / "schema", *(p / "wire" / "schema" for p in here.parents)]
        for candidate in candidates:
            files = sorted(candidate.glob("*.xml"))
            if files:
                tables = cls()
                for file in files:
                    tables.add(file)
                return tables
        raise WireError(f"no schema in {', '.join(str(c) for c in candidates[:3])}")

    def add(self, file: Path) -> None:
        root = xml.parse(file).getroot()
        schema, version = int(root.attrib["id"]), int(root.attrib["version"])
        types = {t.attrib["name"]: t for part in root.findall("types") for t in part}
        for node in root:
            if node.tag.split("}")[-1] != "message":
                continue
            group = node.find("group")
            data = node.find("data")
            t = Template(
                schema, version, int(node.attrib["id"]), _layout(node, types),
                None if group is None else _layout(group, types), None if data is None else data.attrib["name"])
            self.names[t.name] = self.numbers[schema, t.id] = t

    def __iter__(self) -> Iterator[Template]:
        return iter(self.names.values())

    def message(self, name: str, data: bytes = b"", entries: list[dict[str, Any]] | None = None, **values: Any) -> Message:
        if name not in self.names:
            raise WireError(f"there is no message {name}")
        return Message(self.names[name], dict(values), entries or [], data)

    def decode(self, b: bytes) -> Message:
        """Reads one message: header, block, group and data, and nothing behind them. Longer blocks of newer versions are read as far as
        they are known."""
        if len(b) < HEADER.size:
            raise WireError(f"{len(b)} bytes, expected a header of {HEADER.size}")
        size, template, schema, _ = HEADER.unpack_from(b)
        t = self.numbers.get((schema, template))
        if t is None:
            raise WireError(f"there is no template {template} in schema {schema}")
        at = HEADER.size + size
        if size < t.block.size or at > len(b):
            raise WireError(f"{t.name} has a block of {size} bytes in {len(b)}, expected {t.block.size}")
        m = Message(t, t.block.unpack(b[HEADER.size:at]))
        if t.group is not None:
            entry, count = _head(GROUP, b, at, t.name)
            at += GROUP.size
            if entry < t.group.size or at + entry * count > len(b):
                raise WireError(f"{t.name} has {count} entries of {entry} bytes, expected {t.group.size} each")
            for _ in range(count):
                m.entries.append(t.group.unpack(b[at:at + entry]))
                at += entry
        if t.data is not None:
            (length,) = _head(DATA, b, at, t.name)
            at += DATA.size
            m.data = bytes(b[at:at + length])
            at += length
        if at != len(b):
            raise WireError(f"{t.name} is {at} bytes in {len(b)}")
        return m


def _head(shape: struct.Struct, b: bytes, at: int, name: str) -> tuple[int, ...]:
    if at + shape.size > len(b):
        raise WireError(f"{name} ends at {len(b)} inside its group or data")
    return shape.unpack_from(b, at)


def _layout(node: xml.Element, types: Mapping[str, xml.Element]) -> Layout:
    fields = {}
    for f in node.findall("field"):
        made = _field(f, types)
        fields[made.name] = made
    return Layout(node.attrib["name"], int(node.attrib["blockLength"]), fields)


def _field(node: xml.Element, types: Mapping[str, xml.Element]) -> Field:
    name, kind, offset = node.attrib["name"], node.attrib["type"], int(node.attrib["offset"])
    if kind in _CODES:
        return Field(name, offset, _CODES[kind], _null(node, kind, None))
    t = types[kind]
    if t.tag in ("enum", "set"):
        encoding = t.attrib["encodingType"]
        names = {v.attrib["name"]: int(v.text or 0) for v in t}
        if t.tag == "set":
            names = {n: 1 << bit for n, bit in names.items()}
        return Field(name, offset, _CODES[encoding], _null(node, encoding, None), names, t.tag == "set")
    primitive, length = t.attrib["primitiveType"], int(t.attrib.get("length", "1"))
    if length > 1 or primitive == "char":
        return Field(name, offset, f"{length}s", reserved=kind.startswith("reserved"))
    return Field(name, offset, _CODES[primitive], _null(node, primitive, t), reserved=kind.startswith("reserved"))


def _null(node: xml.Element, primitive: str, kind: xml.Element | None) -> int | None:
    """What stands for none: said by the type, or the standard's where the field is optional."""
    if kind is not None and "nullValue" in kind.attrib:
        return int(kind.attrib["nullValue"])
    presence = node.attrib.get("presence") or (kind.attrib.get("presence") if kind is not None else None)
    if presence != "optional":
        return None
    bits = 8 * struct.calcsize(_CODES[primitive])
    return -(1 << (bits - 1)) if primitive.startswith("int") else (1 << bits) - 1
