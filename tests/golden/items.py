"""The items of the corpus: what is asked of the command line, a name for each.

An item is a tuple of lines (see ``tests.golden.running``), all run in one folder of their own.
The items whose names begin with ``text/`` show no computed number: they are the portable part.
"""

Items = dict[str, tuple[str, ...]]

BUILT_INS = (
    *("regression", "bug-dead-relu", "bug-double-sigmoid", "bug-double-softmax", "bug-exploding"),
    *("bug-float32", "bug-frozen", "bug-imbalance", "bug-input-scales", "bug-large-init"),
    *("bug-log-zero", "bug-missing-value", "bug-nll-scores", "bug-no-zero-grad"),
    *("bug-oscillating", "bug-saturated", "bug-summed-loss", "bug-symmetric-init"),
    *("bug-tiny-rate", "bug-vanishing", "classification-bce", "classification-mse"),
    *("classification-relu", "deep-relu", "deep-sigmoid", "digits", "iris", "xor"),
)
FILES = ("everything.toml", "activations.toml")
COMMANDS = (
    *("run", "list", "new", "show", "trace", "train", "jacobian", "explain", "check", "diagnose"),
    *("overfit", "rates", "grade"),
    *("worksheet", "compare", "record", "replay", "info", "verify", "diff", "export"),
    *("config", "keys", "serve", "script", "capture", "lesson"),
)
FORMATS = ("text", "markdown", "latex", "json")


def text_items() -> Items:
    """Words alone: lists, help, compiled programs, refusals."""
    items: Items = {
        "text/list": ("list", "list --json", "list --lessons --json"),
        "text/keys": ("keys", "keys --markdown", "copy own-keys.toml home/config.toml", "keys"),
        "text/keys-wrong": ("copy wrong-keys.toml home/config.toml", "keys", "config"),
        "text/config": ("config --path", "config --print", "config", "config", "cat home"),
        "text/group": ("--help", "-h", "--version", "shwo", "xor", "--nothing", "a.toml", ""),
    }
    items["text/grade"] = tuple(
        f"grade regression answers.toml{form}" for form in ("", " --json", " answers.toml --csv")
    )
    items |= {f"text/help/{name}": (f"{name} --help",) for name in COMMANDS}
    items |= {f"text/show/{name}": shown(name) for name in (*BUILT_INS, *FILES)}
    items |= {f"text/refused/{name}": lines for name, lines in REFUSED.items()}
    return items


def shown(name: str) -> tuple[str, ...]:
    """A compiled program in every form."""
    forms = ("", " --json", " --layers", " --layers --json")
    return tuple(f"show {name}{form}" for form in forms)


REFUSED: Items = {
    "capture": (
        "capture",
        "capture -m",
        "capture nothing.py",
        "capture --window 5 nothing.py",
        "capture --iteration nothing.py nothing.py",
        "capture --check 0 nothing.py",
        "capture --python python -- nothing",
    ),
    "names": tuple(
        f"{command} regresion"
        for command in ("show", "trace", "train", "check", "diagnose", "worksheet", "run")
    ),
    "options": (
        "show",
        "show xor iris",
        "show xor --jsn",
        "trace xor --iterations 0",
        "trace xor --granularity ops",
        "train xor --iterations 3 --epochs 2",
        "train xor --iterations many",
        "worksheet xor --format html",
        "worksheet xor --sample 400",
        "compare xor",
        "compare xor nothing",
        "serve --port 65536",
        "export v1.gradstep",
        "info v1.gradstep --run 0",
        "script walk.txt xor --history 12parsecs",
        "diff xor xor --tolerance -1",
    ),
    "positions": tuple(
        f"check xor --at {place}"
        for place in ("i0", "i900000", "#99999999", "nowhere", "101%", "e0", "i2:backwrd", "\\'a")
    ),
    "jacobian": (
        "jacobian xor",
        "jacobian xor --of los --wrt x",
        "jacobian xor --of loss --wrt linear1.wight",
        "jacobian xor --of x --wrt loss",
        "jacobian xor --of loss --wrt x --sample 77",
        "jacobian xor --of loss --wrt x --window 3",
        "jacobian xor --of loss --wrt x --window 9:12,0:1",
        "jacobian xor --of loss --wrt x --layout sideways",
    ),
    "explain": (
        *("explain xor", "explain xor los", "explain xor z1[0]", "explain xor z1[0,99]"),
        *("explain xor z1[0,-]", "explain xor loss --at i0", "explain xor W1.grad[0,0] --at #2"),
    ),
    "experiments": tuple(
        f"show {file}"
        for file in (
            *(f"wrong-{what}.toml" for what in ("fields", "shapes", "classes", "syntax", "empty")),
            *("missing.toml", "home", "v1.gradstep", "walk.txt"),
        )
    ),
    "recordings": tuple(
        f"{command} {file}"
        for command in ("info", "verify", "replay", "export --to jsonl")
        for file in ("missing.gradstep", "walk.txt", "home")
    ),
    "terminal": ("run xor", "run xor --at nowhere", "replay v1.gradstep", "run missing.toml"),
    "new": (
        "new a.toml --from nothing",
        "new a.toml --from iris",
        "new a.toml",
        "new no-such-folder/a.toml",
        "new a.txt",
        "cat a.toml",
    ),
    "record": (
        "record xor",
        "record xor -o walk.txt",
        "record xor -o a.gradstep --store some",
        "record xor -o no-such-folder/a.gradstep",
        "record xor -o walk.txt --append",
        "record xor -o a.gradstep --limit much",
    ),
    "lesson": (
        "lesson nothing",
        "lesson v1.gradstep",
        "lesson homework-1.2",
        "script walk.txt --check",
        "export homework-1.2 --to npz -o a.npz",
    ),
    "script": (
        "script missing.txt",
        "script v1.gradstep",
        "script home",
        "script walk.txt nothing",
    ),
}


def run_items() -> Items:
    """Every built-in through every command that computes."""
    items: Items = {}
    for name in (*BUILT_INS, *FILES):
        items |= {f"run/{kind}/{name}": lines for kind, lines in computed(name).items()}
    return items


def computed(name: str) -> Items:
    """All that is computed of one experiment."""
    whole = "1" if name == "digits" else "2"
    return {
        "trace": (
            f"trace {name}",
            f"trace {name} --iterations {whole} --values --json",
            f"trace {name} --iterations 2 --values",
            f"trace {name} --iterations 2 --granularity phase --json",
            f"trace {name} --iterations 2 --granularity phase --values",
            f"trace {name} --iterations 9 --granularity iteration",
            f"trace {name} --iterations 3 --granularity iteration --json --values",
        ),
        "train": (
            f"train {name} --iterations 25",
            f"train {name} --iterations 25 --json",
            f"train {name} --epochs 1",
            f"train {name} --iterations 25 --fail-on nan",
        ),
        "jacobian": tuple(f"jacobian {name} {form}" for form in JACOBIANS),
        "explain": (
            *(f"explain {name} {number}" for number in ("z1[0,0]", "W1.grad[0,0]", "W1[0,0]")),
            *(f"explain {name} loss", f"explain {name} yhat.grad --json"),
        ),
        "worksheet": (
            *(f"worksheet {name} --format {form}" for form in FORMATS),
            f"worksheet {name} --layout gradient --sample 1",
            f"worksheet {name} --layout gradient --format json",
        ),
        "check": (f"check {name}", f"check {name} --json", f"check {name} --at i3"),
        "diagnose": (
            f"diagnose {name} --iterations 120",
            f"diagnose {name} --iterations 120 --json",
            f"diagnose {name} --iterations 2",
        ),
        "overfit": (f"overfit {name} --iterations 60", f"overfit {name} --iterations 60 --json"),
        "rates": (f"rates {name} --steps 30", f"rates {name} --steps 30 --json"),
    }


JACOBIANS = (
    "--of loss --wrt linear1.weight",
    "--of loss --wrt linear1.weight --json",
    "--of loss --wrt x --batch",
    "--of yhat --wrt linear1.out --layout gradient",
    "--of yhat --wrt linear1.out --sample 1 --json",
    "--of yhat --wrt linear1.out --batch --window 0:3,0:4",
    "--of linear2.out --wrt linear1.weight --at i2:update --window 0:2,1:5 --layout gradient",
    "--of linear1.out --wrt linear1.bias --batch --json --layout gradient",
    "--of yhat --wrt yhat",
    "--of linear1.out --wrt linear1.out --at end",
    "--of x --wrt linear1.weight",
)


def compared_items() -> Items:
    """Pairs of experiments beside each other, and runs that part."""
    pairs = (
        ("regression", "classification-mse"),
        ("classification-mse", "classification-bce"),
        ("classification-bce", "classification-relu"),
        ("deep-relu", "deep-sigmoid"),
        ("regression", "xor"),
        ("iris", "everything.toml"),
        ("xor", "xor"),
    )
    items = {
        f"compare/{a}-{b}": (
            *(f"compare {a} {b} --format {form}" for form in FORMATS),
            f"compare {a} {b} --layout gradient --sample 2",
        )
        for a, b in pairs
    }
    items["diff/experiments"] = (
        "diff regression classification-mse",
        "diff classification-mse classification-bce --json",
        "diff xor xor --iterations 5",
        "diff xor xor --iterations 5 --json",
        "diff deep-relu deep-sigmoid --tolerance 0.5 --iterations 3",
        "diff bug-oscillating regression --iterations 4",
    )
    return items


def script_items() -> Items:
    """Debugger scripts, for people and for programs."""
    experiments = ("regression", "iris", "digits", "everything.toml", "bug-exploding")
    items: Items = {}
    for script in ("walk", "stops", "edits", "looks"):
        for name in experiments:
            items[f"script/{script}/{name}"] = (
                f"script {script}.txt {name}",
                f"script {script}.txt {name} --json",
            )
    items["script/history"] = ("script walk.txt iris --history 20KiB",)
    items["script/mistakes"] = tuple(f"echo {line} | script - xor" for line in MISTAKES)
    items["script/answers"] = tuple(
        f"echo {line} | script - {name} --json"
        for name, line in (
            ("bug-exploding", "until any non-finite"),
            ("bug-log-zero", "until any inf"),
            ("bug-missing-value", "until any nan"),
            ("bug-frozen", "until unmoved"),
            ("bug-dead-relu", "until dead"),
            ("bug-vanishing", "until gradient below 1e-9"),
            ("xor", "assert loss < 0"),
            ("xor", "# nothing"),
        )
    )
    return items


MISTAKES = (
    *("sx", "5", "5 q", "3where", "s s", "2s 3", "where now", "p", "p los", "p linear1.wight"),
    *("p norm(", "p 1 +", "p loss.x", "p linear1.weight[9,9]", "p foo(loss)", "p x.T", "p x @ x"),
    *("p 'a'", "p import os", "p loss = 3", "p linear1.weight.shape", "p relu1.out", "goto"),
    *("goto i0", "goto #9999999", "goto i2:backwards", "goto i2:backward:linear9", "goto 'none"),
    *("goto 101%", "b nowhere", "b backward linear2", "b backward if", "b loss if los > 1"),
    *(
        "b linear9.backward",
        "tbreak",
        "watch",
        "watch any",
        "watch any thing",
        "watch loss crosses",
    ),
    *("watch loss crosses x", "watch gradient above", "watch gradient above x", "watch any nan on"),
    *("when", "when los", "until", "until linear1.weight", "log", "log loss", "log loss {los}"),
    *("log nowhere x", "ignore", "ignore 1", "ignore 9 2", "ignore x 2", "condition", "enable"),
    *("condition 3 loss", "enable 5", "disable x", "delete", "delete 4", "delete all", "info"),
    *("info stop", "help stp", "undisplay loss", "display los", "unmark a", "mark 9 x", "mark '"),
    *("switch other", "branch delete main", "branch a b c", "compare", "compare main other", "set"),
    *("set loss = 3", "set linear1.weight = 3", "set linear1.weight[0] = 1", "set nothing = 1"),
    *("set linear1.weight[0,0] = x y", "set linear1.bias = [1,2", "set optimizer.lr = -1"),
    *("set optimizer.lr = nan", "set x[0,0] =", "skip", "skip nothing", "skip update:nothing"),
    *("unskip update", "back", "ahead", "nc", "pc loss", "to nowhere", "to", "rf 2 3", "assert"),
    *("assert linear1.weight", "assert los", "e x", "runtil", "!", "s\x1b[31m", "p \u202e1"),
)


def recorded_items() -> Items:
    """Recordings: made, looked at, verified, exported, compared, and damaged."""
    items: Items = {
        "record/full": recording("regression", "--store full --iterations 6"),
        "record/keyframes": recording("iris", "--store keyframes --iterations 25"),
        "record/digits": recording("digits", "--iterations 3", exports=("markdown", "script")),
        "record/everything": recording("everything.toml", "--store full"),
        "record/activations": recording("activations.toml", "--store keyframes"),
        "record/exploding": recording("bug-exploding", "--iterations 40"),
        "record/limit": recording("iris", "--store full --iterations 30 --limit 100KiB"),
        "record/append": (
            "record xor -o a.gradstep --iterations 4",
            "record xor -o a.gradstep --iterations 4",
            "record regression -o a.gradstep --append --epochs 2",
            *looked_at("a.gradstep"),
            *looked_at("a.gradstep --run 1"),
            "info a.gradstep --run 7",
        ),
        "record/diff": (
            "record xor -o a.gradstep --iterations 6",
            "record xor -o b.gradstep --iterations 8 --store keyframes",
            "diff a.gradstep b.gradstep",
            "diff a.gradstep xor",
            "diff a.gradstep iris",
            "diff v1.gradstep a.gradstep --json",
            "diff v1.gradstep v1.gradstep",
        ),
        "record/first-format": (
            *looked_at("v1.gradstep"),
            *looked_at("v1.gradstep --run 1"),
            "export v1.gradstep --to jsonl --branch fast",
            "export v1.gradstep --to npz --branch fast -o fast.npz",
            "cat fast.npz",
            "export v1.gradstep --to markdown --branch nothing",
            "tables v1.gradstep",
            "record xor -o v1.gradstep --append --iterations 2",
            "info v1.gradstep",
            "tables v1.gradstep",
        ),
    }
    items["record/branches"] = ("script edits.txt v1.gradstep", "replay v1.gradstep --run 9")
    return items


EXPORTS = ("jsonl", "markdown", "script")


def recording(name: str, options: str, exports: tuple[str, ...] = EXPORTS) -> tuple[str, ...]:
    """An experiment recorded, and all that can be asked of the file."""
    made = f"record {name} -o a.gradstep {options}"
    return (made, "tables a.gradstep", *looked_at("a.gradstep", exports))


def looked_at(file: str, exports: tuple[str, ...] = EXPORTS) -> tuple[str, ...]:
    """All that can be asked of a recording."""
    return (
        *(f"{command} {file}{form}" for command in ("info", "verify") for form in ("", " --json")),
        *(f"export {file} --to {form}" for form in exports),
        f"export {file} --to npz -o made.npz",
        "cat made.npz",
    )


def fresh_items() -> Items:
    """One of each command in a process of its own, where nothing is imported yet."""
    return {
        "fresh/run": ("fresh run xor", "fresh replay v1.gradstep", "fresh serve --port 65536"),
        "fresh/screen": (
            "press s,n,b,B,escape,R,escape,q | run xor --at i3",
            "cat home",
            "press c,q | run xor",
            "press s,f,q | run xor --record a.gradstep",
            "info a.gradstep",
            "export a.gradstep --to jsonl",
            "press n,s,q | replay a.gradstep --at 50%",
            "press q | replay v1.gradstep --run 1 --follow",
            "press q | run xor --at i99999",
        ),
        "fresh/words": ("fresh list", "fresh keys", "fresh config --print", "fresh --help"),
        "fresh/new": ("fresh new a.toml --from iris", "cat a.toml", "fresh show a.toml"),
        "fresh/experiment": (
            *("fresh trace xor", "fresh train xor --iterations 5", "fresh check xor"),
            *("fresh diagnose bug-frozen", "fresh worksheet xor", "fresh compare xor regression"),
            "fresh jacobian xor --of loss --wrt x",
        ),
        "fresh/recording": (
            *("fresh info v1.gradstep", "fresh verify v1.gradstep", "fresh diff xor v1.gradstep"),
            *(f"fresh export v1.gradstep --to {form}" for form in EXPORTS),
            *("fresh record xor -o a.gradstep --epochs 1", "fresh script stops.txt xor"),
        ),
    }


def command_items() -> Items:
    """Every item of the command line, the slow ones first."""
    return {
        **recorded_items(),
        **script_items(),
        **fresh_items(),
        **run_items(),
        **compared_items(),
        **text_items(),
    }


def commands_of(items: Items) -> set[str]:
    """The commands that items run, not only ask how they are called."""
    found = set()
    for line in (line for lines in items.values() for line in lines):
        words = line.rpartition(" | ")[2].removeprefix("fresh ").split()
        if "--help" not in words:
            found.add(words[0] if words else "")
    return found
