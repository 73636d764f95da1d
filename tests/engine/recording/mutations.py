"""Recordings as strangers might send them: each seed damages a sound one in its own way."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

NASTY = [
    "\x1b[2J\x1b]0;owned\x07",
    "[bold red]x[/]",
    "[@click=app.quit]x[/]",
    "\u202egnp.exe\u2066",
    "\x9b31m",
    "a\r\nb\tc\x00d",
    "NaN",
    "",
    "x" * 100_000,
    "[" * 5000,
    "9" * 400,
    "\ud7ff\ue000￾",
    "'; DROP TABLE run; --",
    "__import__('os').system('true')",
    "../../../../etc/passwd",
]
NUMBERS = [-1, 0, 1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63), 10**9, 1.5, float("inf")]
STRUCTURE = [
    "CREATE VIEW spy AS SELECT * FROM run",
    "CREATE TRIGGER spy AFTER INSERT ON run BEGIN DELETE FROM run; END",
    "CREATE INDEX spy ON loss (value)",
    "CREATE TABLE more (x)",
    "DROP TABLE loss",
    "DROP TABLE run",
    "ALTER TABLE run ADD COLUMN spy",
    "ALTER TABLE bookmark RENAME TO mark",
    "PRAGMA user_version = 2",
    "PRAGMA user_version = 0",
    "PRAGMA application_id = 7",
    "PRAGMA journal_mode = WAL",
]


def mutate(source: Path, target: Path, seed: int) -> None:
    """A damaged copy."""
    chance = random.Random(seed)
    data = source.read_bytes()
    kinds: list[Callable[[], None]] = [
        lambda: target.write_bytes(flipped(data, chance)),
        lambda: target.write_bytes(data[: chance.randrange(len(data))]),
        lambda: target.write_bytes(overwritten(data, chance)),
        lambda: in_database(data, target, chance, cells),
        lambda: in_database(data, target, chance, cells),
        lambda: in_database(data, target, chance, rows),
        lambda: in_database(data, target, chance, lies),
        lambda: in_database(data, target, chance, structure),
    ]
    chance.choice(kinds)()


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Some flipped bits; often near the beginning, where SQLite keeps its own affairs."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 3, 30])):
        end = chance.choice([100, 4096, len(out)])
        out[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(out)


def overwritten(data: bytes, chance: random.Random) -> bytes:
    """A stretch of noise."""
    start = chance.randrange(len(data))
    noise = chance.randbytes(chance.choice([8, 100, 4096]))
    return data[:start] + noise + data[start + len(noise) :]


def in_database(
    data: bytes,
    target: Path,
    chance: random.Random,
    change: Callable[[sqlite3.Connection, random.Random], None],
) -> None:
    """A change made with SQLite itself."""
    target.write_bytes(data)
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        for _ in range(chance.choice([1, 1, 2, 5])):
            try:
                change(connection, chance)
            except (sqlite3.Error, OverflowError):
                continue
    finally:
        connection.close()


def tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in rows]


def place(connection: sqlite3.Connection, chance: random.Random) -> tuple[str, str, str]:
    """A table, a column and the words that choose one of its rows."""
    table = chance.choice(tables(connection))
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    keys = [row[1] for row in columns if row[5]]
    key = ", ".join(keys)
    offset = chance.randrange(max(1, count))
    where = f"({key}) = (SELECT {key} FROM {table} LIMIT 1 OFFSET {offset})"
    return table, chance.choice(columns)[1], where


def cells(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Another value in one cell: of another type, too large, or with something hidden in it."""
    table, column, where = place(connection, chance)
    value = chance.choice(
        [
            chance.choice(NASTY),
            chance.choice(NUMBERS),
            chance.randbytes(chance.choice([0, 8, 16, 1000])),
            None,
        ]
    )
    everywhere = chance.random() < 0.2
    connection.execute(
        f"UPDATE {table} SET {column} = ?" + ("" if everywhere else f" WHERE {where}"), (value,)
    )


def rows(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Rows that are gone."""
    table, _, where = place(connection, chance)
    connection.execute(
        f"DELETE FROM {table}" + (f" WHERE {where}" if chance.random() < 0.8 else "")
    )


def lies(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Texts that parse and say something else: shapes, sizes, references, experiments."""
    old, new = chance.choice(
        [
            ('"out":3', f'"out":{chance.choice([0, 1, 4, 10**6, 10**9, 2**40])}'),
            ('"epochs":', '"epochs":9999999'),
            ('"shape":[7', f'"shape":[{chance.choice([0, 1, 8, 10**9, 2**40])}'),
            ('"<f8"', chance.choice(['"<f4"', '"<c16"', '"O"', '"<U99"', '"<i8"', '"V8"'])),
            ('"reference":', '"reference":9'),
            ("tanh", chance.choice(["softmax", "nothing", "\x1b[31m"])),
            ('"lr":0.1', chance.choice(['"lr":1e999', '"lr":-1', '"lr":"NaN"'])),
            ("sgd", "adam"),
            ('"batch_size":3', f'"batch_size":{chance.choice([1, 2**40, 0])}'),
        ]
    )
    column = chance.choice(["experiment", "data", "labels", "environment"])
    connection.execute(f"UPDATE run SET {column} = replace({column}, ?, ?)", (old, new))
    if chance.random() < 0.7:  # and make the digest fit, as a forger would
        from engine.recording.canonical import parse
        from engine.recording.digests import root_digest

        row = connection.execute("SELECT experiment, labels, data FROM run").fetchone()
        about = parse(row[2], "data")
        x, y = (bytes.fromhex(about[name]["digest"]) for name in ("x", "y"))
        root = root_digest(row[0], row[1], x, y)
        connection.execute("UPDATE run SET root = ?", (root,))


def structure(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Another schema."""
    connection.execute(chance.choice(STRUCTURE))
