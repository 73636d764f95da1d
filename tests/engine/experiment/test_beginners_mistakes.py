"""Files as beginners write them: every mistake has its line, what is meant, and what to write."""

import pytest

from engine.errors import GradstepError
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program

CSV = """size,rooms,price,kind
50,2,250000.5,flat
70,3,320000.25,flat
90,4,400500.75,house
120,5,510000.1,house
"""
LINEAR = '[[layers]]\ntype = "linear"\nout = 1\n'
INLINE = "[data]\nx = [[1.0], [2.0]]\ny = [[1.0], [2.0]]\n"
MSE = '[loss]\ntype = "mse"\n'
PRICES = '[data]\ncsv = "p.csv"\ninputs = ["size"]\ntargets = ["price"]\n'


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What is said of a file, line by line, without the list of all that is allowed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_text(CSV)

    def write(text):
        (tmp_path / "e.toml").write_text(text)
        with pytest.raises(GradstepError) as caught:
            compile_program(load_experiment("e.toml"))
        lines = str(caught.value).splitlines()
        return [line.partition(" allowed: ")[0].strip() for line in lines[len(lines) > 1 :]]

    return write


def test_names_of_other_libraries(said):
    layer = '[[layers]]\ntype = "dense"\nunits = 4\nactivation = "relu"\nin_features = 2\n'
    data = '[data]\nfile = "p.csv"\nfeatures = ["size"]\nlabel = "price"\n'
    loss = '[loss]\nfunction = "mean_squared_error"\n'
    text = data + layer + loss + '[optimizer]\ntype = "sgd"\nlearning_rate = 0.1\n'
    nothing = "unknown field; leave it out: the number of inputs is that of the outputs before"
    below = "unknown field; an activation is a layer of its own: below it [[layers]] with type ="
    assert said(text) == [
        "e.toml:2: data.file: unknown field; did you mean 'csv'?",
        'e.toml:3: data.features: names columns of a table: write inputs = ["size"] beside a csv',
        "e.toml:4: data.label: unknown field; did you mean 'targets'?",
        "e.toml:6: layers[0].type (layer 1): unknown type 'dense'; did you mean 'linear'?",
        "e.toml:7: layers[0].units (layer 1): unknown field; did you mean 'out'?",
        f'e.toml:8: layers[0].activation (layer 1): {below} "relu"',
        f"e.toml:9: layers[0].in_features (layer 1): {nothing}",
        "e.toml:10: loss.type: unknown type 'mean_squared_error'; did you mean 'mse'?",
        "e.toml:11: loss.function: unknown field; did you mean 'type'?",
        "e.toml:14: optimizer.learning_rate: unknown field; did you mean 'lr'?",
    ]  # fmt: skip


def test_fields_in_the_wrong_table(said):
    training = "[training]\nlr = 0.1\nbatch_size = 2\n"
    text = "epochs = 3\nlearning_rate = 0.1\n" + INLINE + "seed = 1\n" + LINEAR + MSE + training
    assert said(text) == [
        "e.toml:1: epochs: unknown field; epochs belongs in [training]",
        "e.toml:2: learning_rate: unknown field; did you mean 'lr'? it belongs in [optimizer]",
        "e.toml:6: data.seed: unknown field; seed belongs above the first [table] of the file",
        "e.toml:13: training.lr: unknown field; lr belongs in [optimizer]",
        "e.toml:14: training.batch_size: unknown field; batch_size belongs in [data]",
    ]


def test_x_and_y_beside_a_csv_name_columns(said):
    text = '[data]\ncsv = "p.csv"\nx = ["size", "rooms"]\ny = "price"\n' + LINEAR + MSE
    assert said(text) == [
        'e.toml:3: data.x: names columns of a table: write inputs = ["size", "rooms"] beside a csv',
        'e.toml:4: data.y: names columns of a table: write targets = ["price"] beside a csv',
    ]


def test_values_in_quotes_or_without_brackets(said):
    layer = '[[layers]]\ntype = "linear"\nout = "1"\nbias = "True"\n'
    text = (
        INLINE + layer + MSE + '[optimizer]\ntype = "sgd"\nlr = "0,1"\n[training]\nepochs = 2.0\n'
    )
    assert said(text + 'skip = "update"\n') == [
        "e.toml:6: layers[0].out (layer 1): must be a whole number, not '1': "
        "write 1, without quotes",
        "e.toml:7: layers[0].bias (layer 1): must be true or false, or a list, not 'True': "
        "write true, without quotes",
        "e.toml:12: optimizer.lr: must be a number, not '0,1': write 0.1, without quotes",
        "e.toml:14: training.epochs: must be a whole number, not 2.0: write 2",
        "e.toml:15: training.skip: must be a list, not 'update'; "
        "allowed in it: zero_grad, forward, loss, backward, update: "
        'write ["update"], in brackets',
    ]


def test_prices_with_cross_entropy(said):
    loss = '[loss]\ntype = "cross_entropy"\n'
    assert said(PRICES + LINEAR + loss) == [
        "e.toml:4: data.targets: column 'price' has numbers such as '250000.5', "
        "4 different ones, and the loss takes classes: "
        'the loss type = "mse" predicts numbers; one_hot = true makes classes of them'
    ]
    whole = PRICES.replace("price", "rooms")
    assert said(whole + LINEAR + loss) == [
        "e.toml:4: data.targets: class 3 needs 4 outputs, but linear1.out has shape (N, 1); "
        "cross_entropy predicts one of the classes here, 2, 3, 4, 5 …; amounts take mse"
    ]


def test_names_of_classes_with_mse(said):
    assert said(PRICES.replace("price", "kind") + LINEAR + MSE) == [
        "e.toml:4: data.targets: p.csv: line 2, column 'kind': 'flat' is not a number, and 3 more "
        "(4 in all); one_hot = true turns labels into columns; "
        "the loss cross_entropy takes them as they are"
    ]
    text = '[data]\nx = [["1.0"], [2.0]]\ny = ["flat", "house"]\n' + LINEAR + MSE
    assert said(text) == [
        "e.toml:2: data.x[0][0]: must be a number, not '1.0': write 1.0, without quotes",
        "e.toml:3: data.y[0]: must be a number, or a list, not 'flat': "
        "classes are whole numbers from 0",
    ]


def test_columns_that_are_not_there(said):
    assert said(PRICES.replace("size", "Size").replace("price", "prise") + LINEAR + MSE) == [
        "e.toml:3: data.inputs: p.csv: no column 'Size'; did you mean 'size'?",
        "e.toml:4: data.targets: p.csv: no column 'prise'; did you mean 'price'?",
    ]


def test_layers_are_counted_as_people_do(said):
    wide = '[[layers]]\ntype = "linear"\nout = 3\n'
    text = INLINE + wide + LINEAR.replace("\nout", "\nweight = [[1.0, 2.0]]\nout") + MSE
    assert said(text) == [
        "e.toml:9: layers[1].weight (layer 2): linear2 has weight (1, 2), which takes 2 inputs, "
        "but linear1.out has shape (N, 3)"
    ]
    assert said(INLINE + wide + LINEAR + 'name = "linear1"\n' + MSE) == [
        "e.toml:10: layers[1].name (layer 2): 'linear1' is already the name of layer 1"
    ]


def test_tables_that_are_none(said):
    text = 'loss = "mse"\nlayers = ["linear"]\n[data]\nx = [[1.0]]\ny = [[1.0]]\n'
    table = "must be a table with a type, not"
    assert said(text) == [
        f"e.toml:1: loss: {table} 'mse': write [loss], and below it type = \"mse\"",
        f"e.toml:2: layers[0] (layer 1): {table} 'linear': "
        'write [[layers]], and below it type = "linear"',
    ]
    assert said(INLINE + LINEAR.replace("[[layers]]", "[layers]") + MSE) == [
        "e.toml:4: layers: must be a list of at least one table; [layers] is a single table: "
        "write [[layers]] above each layer"
    ]
    assert said(INLINE + LINEAR + "[loss]\ntype = 'adam'\n") == [
        "e.toml:8: loss.type: unknown type 'adam'; adam is a type for [optimizer]; "
        "allowed here: mse, l1, huber, smooth_l1, gaussian_nll, bce, bce_with_logits, hinge, "
        "cross_entropy, nll, multi_margin, kl_div, cosine"
    ]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("type = linear", 'text stands in quotes, type = "linear"'),
        ("shuffle = True", "write shuffle = true"),
        ("[data]", ""),
        ("a = = 1", ""),
    ],
)
def test_what_is_no_toml(said, line, remedy):
    (found,) = said(f"[data]\n{line}\n")
    assert found.startswith("e.toml:2: not valid TOML: ")
    assert found.endswith(f"): {remedy}" if remedy else ")")


def test_two_single_tables_of_layers(said):
    layer = LINEAR.replace("[[layers]]", "[layers]")
    (found,) = said(INLINE + layer + layer)
    assert found.startswith("e.toml:7: not valid TOML: Cannot declare ('layers',) twice")
    assert found.endswith("write [[layers]], in two brackets, above each layer")


def test_a_line_of_the_network_has_the_line_of_the_file(said):
    lines = '[network]\nlines = """\nz = x @ W.T\nyhat = z @ Q\n"""\n'
    text = INLINE + "[parameters]\nW = { shape = [1, 1] }\n" + lines + MSE
    (found,) = said(text)
    assert found.startswith("e.toml:9: network.lines: line 2, column 12: unknown name Q")
