"""The tables of a recording. Iterations count from 1 and events from 0, as in a trace."""

APPLICATION_ID = 0x47524450  # "GRDP", so that `file` and SQLite tools know whose file it is
USER_VERSION = 1  # of what experiments are recorded in
CAPTURE_VERSION = 2  # of a file with captures, which needs the tables of both
EXTENSION = ".gradstep"

PACK = 1024  # losses, little-endian float64, in a row of the table of packs

# A file is refused whose statements are not these to the letter: any change is a new version.
TABLES = {
    "run": """CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  gradstep TEXT NOT NULL,
  name TEXT NOT NULL,
  experiment TEXT NOT NULL,
  labels TEXT NOT NULL,
  data TEXT NOT NULL,
  root BLOB NOT NULL,
  environment TEXT NOT NULL,
  store TEXT NOT NULL,
  ops INTEGER NOT NULL,
  width INTEGER NOT NULL,
  spacing INTEGER NOT NULL,
  status TEXT NOT NULL,
  note TEXT NOT NULL
)""",
    "op": """CREATE TABLE op (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  phase TEXT NOT NULL,
  name TEXT NOT NULL,
  layer TEXT,
  formula TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "slot": """CREATE TABLE slot (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  op INTEGER NOT NULL,
  tensor TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "tensor": """CREATE TABLE tensor (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  dtype TEXT NOT NULL,
  shape TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "branch": """CREATE TABLE branch (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  name TEXT NOT NULL,
  parent TEXT,
  fork INTEGER NOT NULL,
  events INTEGER NOT NULL,
  journal BLOB NOT NULL
)""",
    "block": """CREATE TABLE block (
  branch INTEGER NOT NULL,
  iteration INTEGER NOT NULL,
  digests BLOB NOT NULL,
  refs TEXT NOT NULL,
  link BLOB NOT NULL,
  PRIMARY KEY (branch, iteration)
) WITHOUT ROWID""",
    "loss": """CREATE TABLE loss (
  branch INTEGER NOT NULL,
  iteration INTEGER NOT NULL,
  event INTEGER NOT NULL,
  value REAL,
  gradient REAL,
  gradient_of TEXT,
  PRIMARY KEY (branch, iteration)
) WITHOUT ROWID""",
    "metric": """CREATE TABLE metric (
  branch INTEGER NOT NULL,
  iteration INTEGER NOT NULL,
  name TEXT NOT NULL,
  value REAL,
  PRIMARY KEY (branch, iteration, name)
) WITHOUT ROWID""",
    "keyframe": """CREATE TABLE keyframe (
  branch INTEGER NOT NULL,
  iteration INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  digests BLOB NOT NULL,
  refs TEXT NOT NULL,
  PRIMARY KEY (branch, iteration)
) WITHOUT ROWID""",
    "content": """CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
)""",
    "edit": """CREATE TABLE edit (
  branch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  event INTEGER NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (branch, number)
) WITHOUT ROWID""",
    "bookmark": """CREATE TABLE bookmark (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  event INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "stop": """CREATE TABLE stop (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "watch": """CREATE TABLE watch (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  expression TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
}

# What came to version 1 later: files without it are as good, and are told so.
LATER = {
    # The losses once more, PACK of them a row: a row each takes a second to read of a long run.
    "pack": """CREATE TABLE pack (
  branch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  losses BLOB NOT NULL,
  PRIMARY KEY (branch, number)
) WITHOUT ROWID""",
    # What was looked at, from an event on.
    "view": """CREATE TABLE view (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  event INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "closing": """CREATE TABLE closing (
  run INTEGER PRIMARY KEY,
  digests TEXT NOT NULL
)""",
}

# A PyTorch script that was captured has these, and no row in those above but contents and marks.
# ``run`` counts the processes of the command; iterations and events count from 0 here.
CAPTURES = {
    "capture_run": """CREATE TABLE capture_run (
  id INTEGER PRIMARY KEY,
  gradstep TEXT NOT NULL,
  name TEXT NOT NULL,
  rank INTEGER NOT NULL,
  world INTEGER NOT NULL,
  command TEXT NOT NULL,
  process TEXT NOT NULL,
  root BLOB NOT NULL,
  status TEXT NOT NULL,
  ending TEXT NOT NULL,
  note TEXT NOT NULL,
  events INTEGER NOT NULL
)""",
    "capture_tensor": """CREATE TABLE capture_tensor (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  dtype TEXT NOT NULL,
  shape TEXT NOT NULL,
  module TEXT,
  gradient_of TEXT,
  slot_of TEXT,
  leaf INTEGER NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "capture_op": """CREATE TABLE capture_op (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  phase TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  reads BLOB NOT NULL,
  writes BLOB NOT NULL,
  module TEXT,
  file TEXT,
  line INTEGER NOT NULL,
  views TEXT NOT NULL,
  forward INTEGER,
  adds INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "capture_shape": """CREATE TABLE capture_shape (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  ops BLOB NOT NULL,
  loss_ops BLOB NOT NULL,
  loss INTEGER,
  sure INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "capture_block": """CREATE TABLE capture_block (
  run INTEGER NOT NULL,
  iteration INTEGER NOT NULL,
  shape INTEGER NOT NULL,
  given BLOB NOT NULL,
  degrees BLOB NOT NULL,
  digests BLOB NOT NULL,
  refs BLOB NOT NULL,
  statistics BLOB NOT NULL,
  fingerprints BLOB NOT NULL,
  facts TEXT NOT NULL,
  loss REAL,
  odd INTEGER,
  link BLOB NOT NULL,
  PRIMARY KEY (run, iteration)
) WITHOUT ROWID""",
    "capture_later": """CREATE TABLE capture_later (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  event INTEGER NOT NULL,
  write INTEGER NOT NULL,
  digest BLOB NOT NULL,
  reference INTEGER NOT NULL,
  link BLOB NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID""",
    "capture_whole": """CREATE TABLE capture_whole (
  run INTEGER NOT NULL,
  tensor INTEGER NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (run, tensor, event)
) WITHOUT ROWID""",
    "capture_source": """CREATE TABLE capture_source (
  number INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  text TEXT NOT NULL
)""",
    "capture_log": """CREATE TABLE capture_log (
  number INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  event INTEGER NOT NULL,
  stream TEXT NOT NULL,
  text TEXT NOT NULL
)""",
    "capture_closing": """CREATE TABLE capture_closing (
  run INTEGER PRIMARY KEY,
  digests TEXT NOT NULL
)""",
}
