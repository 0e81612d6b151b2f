"""Every golden message of the wire is read and written again to the byte."""

import unittest
from pathlib import Path

from lockstep.schema import Message, Schemas, WireError

GOLDEN = Path(__file__).resolve().parents[3] / "wire" / "testdata"


def frame_of(file: Path) -> bytes:
    digits = "".join(line.split("#")[0].strip() for line in file.read_text().splitlines())
    return bytes.fromhex(digits)


class Golden(unittest.TestCase):
    tables = Schemas.load()

    def test_every_message(self) -> None:
        files = sorted(GOLDEN.glob("*.hex"))
        self.assertEqual({f.stem for f in files}, set(self.tables.names), "one file for each message")
        for file in files:
            with self.subTest(file.stem):
                b = frame_of(file)[6:]
                m = self.tables.decode(b)
                self.assertEqual(m.name, file.stem)
                self.assertEqual(m.encode(), b)
                # The first line of the file says what is in it, in words.
                first = file.read_text().splitlines()[0]
                for name, value in m.values.items():
                    if isinstance(value, int) and not m.template.block.fields[name].values and f" {name}=" in first:
                        said = first.split(f" {name}=")[1].split(" ")[0]
                        if said.lstrip("-").isdigit():
                            self.assertEqual(int(said), value, name)

    def test_what_does_not_fit(self) -> None:
        order = frame_of(GOLDEN / "NewOrder.hex")[6:]
        quote = frame_of(GOLDEN / "MassQuote.hex")[6:]
        for b in (order[:-1], order + b"\0", order[:5], quote[:40], quote[:-1], b""):
            with self.assertRaises(WireError):
                self.tables.decode(b)
        for values in ({"side": "Left"}, {"price": 1 << 63}, {"colour": 1}, {"qty": None}):
            with self.assertRaises(WireError):
                self.tables.message("NewOrder", **values).encode()

    def test_names_and_none(self) -> None:
        m: Message = self.tables.decode(self.tables.message("NewOrder", side="Sell", price=None, flags="postOnly|reduceOnly").encode())
        self.assertEqual((m.text("side"), m.optional("price"), m["flags"]), ("Sell", None, 5))

    def test_longer_blocks(self) -> None:
        b = bytearray(frame_of(GOLDEN / "Cancel.hex")[6:])
        b[0] += 8
        self.assertEqual(self.tables.decode(bytes(b) + bytes(8)).name, "Cancel")


if __name__ == "__main__":
    unittest.main()
