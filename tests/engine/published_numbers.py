"""The numbers that the experiments of ``published/`` have in their sources, as printed there.

A string's digits are its precision. Where an array was printed without its trailing zeros, as
NumPy does, they are written out. Where a source went on calculating with rounded numbers, or is
wrong, that is said beside the number.

A name with a minus is printed with the other sign (textbooks' error terms δ are −∂E/∂z); a name
that begins with Δ is what the update added.
"""

from typing import Any

# The one weight after each update.
MOMENTUM = (
    *("0.3", "0.825", "1.47375", "2.1365625", "2.7126093750000004", "3.1241601562500003"),
    *("3.3259318359375003", "3.308636572265625", "3.096775349121094", "2.7415839459228515"),
    *("2.310674091156006", "1.8762541081924438", "1.5038380072963713", "1.2430878153954503"),
)

# w1 and w2 after each update.
ADAM = (
    ("-4.80000020", "-1.80000002"),
    ("-4.60025478", "-1.60082451"),
    ("-4.40094848", "-1.40317262"),
    ("-4.20227764", "-1.20787822"),
    ("-4.00445033", "-1.01592745"),
    ("-3.80768638", "-0.82847307"),
    ("-3.61221732", "-0.64684159"),
    ("-3.41828623", "-0.47252765"),
    ("-3.22614739", "-0.30716934"),
    ("-3.03606592", "-0.15249855"),
    ("-2.84831706", "-0.01026326"),
    ("-2.66318543", "0.11787552"),
    ("-2.48096400", "0.23046161"),
    ("-2.30195279", "0.32635870"),
    ("-2.12645742", "0.40484195"),
    ("-1.95478732", "0.46564961"),
    ("-1.78725370", "0.50898799"),
    ("-1.62416726", "0.53549442"),
    ("-1.46583566", "0.54617144"),
    ("-1.31256067", "0.54230812"),
    ("-1.16463526", "0.52540206"),
    ("-1.02234036", "0.49709060"),
    ("-0.88594163", "0.45909510"),
    ("-0.75568617", "0.41317781"),
    ("-0.63179919", "0.36110890"),
    ("-0.51448089", "0.30464048"),
    ("-0.40390346", "0.24548409"),
    ("-0.30020842", "0.18528918"),
    ("-0.20350426", "0.12562074"),
    ("-0.11386457", "0.06793529"),
)

# Activations, loss and gradients of the first iteration; weights after its update.
PRINTED: dict[str, dict[str, Any]] = {
    "mazur_2015": {
        "linear1.out": [["0.3775", None]],
        "sigmoid1.out": [["0.593269992", "0.596884378"]],
        "linear2.out": [["1.105905967", None]],
        "sigmoid2.out": [["0.75136507", "0.772928465"]],
        "loss": "0.298371109",
        "sigmoid2.out.grad": [["0.74136507", None]],
        "linear2.out.grad": [["0.138498562", None]],
        "linear2.weight.grad": [["0.082167041", None], [None, None]],
        "sigmoid1.out.grad": [["0.036350306", None]],
        "linear1.weight.grad": [["0.000438568", None], [None, None]],
        "linear2.weight": [["0.35891648", "0.408666186"], ["0.511301270", "0.561370121"]],
        "linear1.weight": [["0.149780716", "0.19956143"], ["0.24975114", "0.29950229"]],
    },
    "han_kamber": {
        "linear1.out": [["-0.7", "0.1"]],
        "sigmoid1.out": [["0.332", "0.525"]],
        "linear2.out": [["-0.105"]],
        "sigmoid2.out": [["0.474"]],
        "-linear2.out.grad": [["0.1311"]],
        "-linear1.out.grad": [["-0.0087", "-0.0065"]],
        "linear2.weight": [["-0.261", "-0.138"]],
        "linear1.weight": [["0.192", "0.4", "-0.508"], ["-0.306", "0.1", "0.194"]],
        "linear2.bias": ["0.218"],
        "linear1.bias": ["-0.408", "0.194"],
    },
    "udacity_walkthrough": {
        "linear1.out": [["-0.02"]],
        "sigmoid1.out": [["0.495"]],
        "sigmoid2.out": [["0.512"]],
        "-linear2.out.grad": [["0.122"]],
        "-linear1.out.grad": [["0.003"]],
        "Δlinear2.weight": [["0.0302"]],
        "Δlinear1.weight": [["0.00015", "0.00045"]],
    },
    "udacity_exercise": {
        "Δlinear2.weight": [["0.00804047", "0.00555918"]],
        "Δlinear1.weight": [
            ["1.77005547e-04", "3.54011093e-05", "-7.08022187e-05"],
            ["-5.11178506e-04", "-1.02235701e-04", "2.04471402e-04"],
        ],
    },
    "udacity_bike_sharing": {
        "yhat": [["0.09998924"]],
        "linear2.weight": [["0.37275328", "-0.03172939"]],
        "linear1.weight": [
            ["0.10562014", "0.39775194", "-0.29887597"],
            ["-0.20185996", "0.50074398", "0.19962801"],
        ],
    },
    "cs231n_neuron": {
        "linear1.out": [["1.00"]],
        "sigmoid1.out": [["0.73"]],
        "sigmoid1.out.grad": [["1.00"]],
        "linear1.out.grad": [["0.20"]],
        "linear1.weight.grad": [["-0.20", "-0.39"]],
        "linear1.bias.grad": ["0.20"],
        "x.grad": [["0.39", "-0.59"]],
    },
    "micrograd_neuron": {
        "linear1.out": [["0.8814"]],
        "tanh1.out": [["0.7071"]],
        "tanh1.out.grad": [["1.0000"]],
        "linear1.out.grad": [["0.5000"]],
        "linear1.weight.grad": [["1.0000", "0.0000"]],
        "linear1.bias.grad": ["0.5000"],
        "x.grad": [["-1.5000", "0.5000"]],
    },
    "cs231n_two_layer": {
        "linear1.out": [["2.28", "-0.68"]],
        "relu1.out": [["2.28", "0"]],
        "linear2.out": [["0.4332", "-0.228", "0.228"]],
        "loss": "1.0513754685043635",
        "linear2.out.grad": [["0.429052723714", "0.221490524653", "-0.650543248367"]],
        "linear2.weight.grad": [
            ["0.978240210068", "0"],
            ["0.504998396209", "0"],
            ["-1.483238606277", "0"],
        ],
        "linear2.bias.grad": ["0.429052723714", "0.221490524653", "-0.650543248367"],
        "relu1.out.grad": [["-0.005683359796", "-0.036817689655"]],
        "linear1.out.grad": [["-0.005683359796", "0"]],
        "linear1.weight.grad": [["-0.09093376", "0.03410016"], ["0", "0"]],
        "linear1.bias.grad": ["-0.00568336", "0"],
    },
    "nn_timeline_bce": {
        "linear1.out": [["0.1", "0.3"]],
        "sigmoid1.out": [["0.525", "0.5744"]],
        "linear2.out": [["0.6072"]],
        "sigmoid2.out": [["0.6473"]],
        "loss": "0.4350",
        "linear2.out.grad": [["-0.3527"]],
        "linear2.weight.grad": [["-0.1852", "-0.2026"]],
    },
    "dlbook_numerical": {
        "linear1.out": [["4.3", "5.3"]],
        "sigmoid1.out": [["0.98661308", "0.99503320"]],
        "linear2.out": [["2.08615904", "1.38879379"]],
        "sigmoid2.out": [["0.88955061", "0.80039961"]],
        "sigmoid2.out.grad": [["0.78955061", "0.75039961"]],
        "linear2.out.grad": [["0.0775736", "0.1198839"]],
        "linear1.out.grad": [["0.00198391", "0.00040429"]],
        "linear2.weight.grad": [["0.0765", "0.0772"], ["0.1183", "0.1193"]],
        "linear1.weight.grad": [["0.0020", "0.0079", "0.0099"], ["0.0004", "0.0016", "0.0020"]],
        "linear2.bias.grad": ["0.0776", "0.1199"],
        "linear1.bias.grad": ["0.0020", "0.0004"],
        # Errata: above these outputs of the program the book goes on with rounded numbers by hand,
        # to 0.1999 for w12 = 0.19999596 and to 0.499995 for the second bias of b1.
        "linear2.weight": [["0.69923465", "0.89922812"], ["0.79881721", "0.09880712"]],
        "linear1.weight": [
            ["0.09998016", "0.29992064", "0.49990080"],
            ["0.19999596", "0.39998383", "0.59997979"],
        ],
        "linear2.bias": ["0.49922426", "0.49880116"],
        "linear1.bias": ["0.49998016", "0.49999596"],
    },
    "schiendorfer_2020": {
        "linear1.out": [["16.0", "-4.0"]],
        "sigmoid1.out": [["0.9999998874648379", "0.01798620996209156"]],
        "linear2.out": [["1.0044964399553609", "-1.9640273550054927"]],
        "sigmoid2.out": [["0.7319417133694889", "0.12303185591001443"]],
        "loss": "0.08699208259994781",
        "sigmoid2.out.grad": [["-0.5361165732610222", "0.24606371182002887"]],
        "linear2.out.grad": [["-0.10518770232556676", "0.026549048699963138"]],
        "linear2.weight.grad": [
            ["-0.10518769048825163", "-0.0018919280994576303"],
            ["0.02654904571226164", "0.0004775167642113309"],
        ],
        "sigmoid1.out.grad": [["-0.15828579972549303", "0.026801171818534586"]],
        "linear1.out.grad": [["-1.7812716122177433e-08", "0.0004733812240027136"]],
        "linear1.weight.grad": [
            ["-5.34381483665323e-08", "-1.7812716122177433e-08"],
            ["0.0014201436720081408", "0.0004733812240027136"],
        ],
        "x.grad": [["-0.0014202505483048738", "0.0023669417454458123"]],
    },
    "schiendorfer_2020_batch": {
        "sigmoid2.out": [["0.73194171", "0.12303186"], [None, None]],
        "loss": "0.41724411",
        # Erratum: the article prints 1.06837185, 0.07134767, -2.01725687 and 2.01595986, which are
        # not this update's: the outputs that follow there are those of the notebook's weights.
        "linear2.weight": [["1.05259373", "0.11257513"], ["-2.01327451", "2.01227682"]],
        "linear1.weight": [["6.00000016", "-2.00000053"], ["-3.00071007", "4.99976331"]],
    },
    "hmkcode_2019": {
        "linear1.out": [["0.85", "0.48"]],
        "linear2.out": [["0.191"]],
        "loss": "0.327",
        "linear2.out.grad": [["-0.809"]],
        "Δlinear2.weight": [["0.034", "0.019"]],
        "Δlinear1.weight": [["0.011", "0.017"], ["0.012", "0.018"]],
        "linear2.weight": [["0.17", "0.17"]],
        "linear1.weight": [["0.12", "0.23"], ["0.13", "0.10"]],
    },
    "nnfs_neuron": {
        "linear1.out": [["6.0"]],
        "relu1.out": [["6.0"]],
        "relu1.out.grad": [["1.0"]],
        "linear1.out.grad": [["1.0"]],
        "linear1.weight.grad": [["1.0", "-2.0", "3.0"]],
        "linear1.bias.grad": ["1.0"],
        "x.grad": [["-3.0", "-1.0", "2.0"]],
        "linear1.weight": [["-3.001", "-0.998", "1.997"]],
        "linear1.bias": ["0.999"],
    },
    "nnfs_layer": {
        "linear1.out": [
            ["4.800", "1.210", "2.385"],
            ["8.900", "-1.810", "0.200"],
            ["1.410", "1.051", "0.026"],
        ],
        "relu1.out": [
            ["4.800", "1.210", "2.385"],
            ["8.900", "0", "0.200"],
            ["1.410", "1.051", "0.026"],
        ],
        "linear1.out.grad": [
            ["4.800", "1.210", "2.385"],
            ["8.900", "0", "0.200"],
            ["1.410", "1.051", "0.026"],
        ],
        "x.grad": [
            ["0.94490", "2.09495", "-1.67995", "6.26995"],
            ["1.72800", "7.06600", "-4.41600", "9.07400"],
            ["0.80074", "0.16457", "-0.42732", "0.90712"],
        ],
        "linear1.weight.grad": [
            ["20.4850", "57.9070", "10.1530", "28.6720"],
            ["-0.3665", "5.2577", "7.0983", "2.1842"],
            ["2.7460", "5.8402", "7.0408", "6.3417"],
        ],
        "linear1.bias.grad": ["15.110", "2.261", "2.611"],
        "linear1.weight": [
            ["0.1795150", "0.7420930", "-0.5101530", "0.9713280"],
            ["0.5003665", "-0.9152577", "0.2529017", "-0.5021842"],
            ["-0.2627460", "-0.2758402", "0.1629592", "0.8636583"],
        ],
        "linear1.bias": ["1.984890", "2.997739", "0.497389"],
    },
    "ustc_homework": {
        "relu1.out": [["2", "13", "0", "0"]],
        "linear2.out": [["15", "-13"]],
        "linear2.out.grad": [["1.0000", "-1.0000"]],
        "linear2.weight.grad": [["2", "13", "0", "0"], ["-2", "-13", "0", "0"]],
        "linear2.bias.grad": ["1", "-1"],
        "relu1.out.grad": [["2.0000", "2.0000", "2.0000", "2.0000"]],
        "linear1.out.grad": [["2", "2", "0", "0"]],
        "linear1.weight.grad": [["6", "28"], ["6", "28"], ["0", "0"], ["0", "0"]],
        "linear1.bias.grad": ["2", "2", "0", "0"],
        "linear2.weight": [
            ["0.8000", "-0.3000", "1.0000", "1.0000"],
            ["-0.8000", "0.3000", "-1.0000", "-1.0000"],
        ],
        "linear2.bias": ["-0.1000", "2.1000"],
        # Erratum: by hand the two weights -1, whose gradient is 0, become -0.1; PyTorch keeps them.
        "linear1.weight": [
            ["0.4000", "-2.8000"],
            ["-0.6000", "-1.8000"],
            ["-1.0000", "0.0000"],
            ["0.0000", "-1.0000"],
        ],
        "linear1.bias": ["-1.2000", "-1.2000", "-1.0000", "-1.0000"],
    },
    "unfold_momentum": {"linear1.weight": [[MOMENTUM[0]]]},
    "unfold_adagrad": {},  # prints the weight after a thousand updates alone
    "aio_adam": {"linear1.weight": [list(ADAM[0])]},
}

# Units of the last digit, where half a unit is too strict.
UNITS: dict[tuple[str, str], float] = {
    # 0.474 (1 − 0.474)² = 0.1311 with the rounded output; unrounded it is 0.13117.
    ("han_kamber", "-linear2.out.grad"): 1.0,
    # 0.5 · 0.003 · 0.3 = 0.00045 with the rounded error term; unrounded it is 0.000457.
    ("udacity_walkthrough", "Δlinear1.weight"): 1.0,
    # 2.28 times the twelve rounded digits of ∂ℓ/∂scores.
    ("cs231n_two_layer", "linear2.weight.grad"): 2.0,
    # A double in full: its last bit depends on the order of the sums in the softmax.
    ("cs231n_two_layer", "loss"): 10.0,
    # Whole numbers: forward they are exact, backward the source rounds 1 − e⁻²⁸ to 1.
    ("ustc_homework", "relu1.out"): 0.0,
    ("ustc_homework", "linear2.out"): 0.0,
    ("ustc_homework", "linear2.weight.grad"): 1e-10,
    ("ustc_homework", "linear2.bias.grad"): 1e-10,
    ("ustc_homework", "linear1.out.grad"): 1e-10,
    ("ustc_homework", "linear1.weight.grad"): 1e-10,
    ("ustc_homework", "linear1.bias.grad"): 1e-10,
}

# Python prints a float so that it reads back the same: here even one digit is all of them.
UNITS |= {("nnfs_neuron", tensor): 1e-9 for tensor in PRINTED["nnfs_neuron"]}
UNITS |= {("dlbook_numerical", "linear1.out"): 1e-9, ("schiendorfer_2020", "linear1.out"): 1e-9}
