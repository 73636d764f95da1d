"""Scenes: random sizes that all differ, and values that are the program's own."""

import numpy as np
import pytest

from engine.answers.scene import own_scene, random_scenes
from engine.experiment.reader import load_experiment, read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.toml_text import read_toml
from tests.engine.answers.letters import LETTERS


def lines() -> Program:
    return compile_program(read_experiment(read_toml(LETTERS), "letters"))


@pytest.mark.parametrize("name", ["regression", "classification-bce", "classification-relu"])
def test_sizes_all_differ_from_each_other_and_from_the_file(name: str) -> None:
    program = compile_program(load_experiment(name))
    own = set(own_scene(program, program.initial(), 0).letters.values())
    scenes = random_scenes(program, 0)
    assert len(scenes) == 3
    for one in scenes:
        sizes = [one.letters[letter] for letter in "nhK"]
        assert len(set(sizes)) == 3
        assert not own & set(sizes)


def test_sizes_of_lines_are_chosen_where_they_are_letters() -> None:
    # n, h and K are all 2 in the file: there every product of matrices conforms.
    for one in random_scenes(lines(), 0):
        assert len({one.letters[letter] for letter in "nhK"}) == 3
        assert one.value("W1").shape == (one.letters["h"], one.letters["n"])


def test_a_sample_is_alone_in_its_batch() -> None:
    program = compile_program(load_experiment("regression"))
    scene = own_scene(program, program.initial(), 2)
    z = scene.value("identity1.out") - scene.value("y")
    assert scene.value("loss").item() == pytest.approx(float(np.sum(z**2)))
    assert np.allclose(scene.jacobian("loss", "identity1.out"), 2 * z.T)
    assert np.array_equal(scene.value("x"), program.initial()["x"][2][:, None])


def test_gradients_agree_with_differences() -> None:
    program = compile_program(load_experiment("classification-bce"))
    (scene, *_) = random_scenes(program, 0)
    weight, step = scene.tensors["linear1.weight"], 1e-6
    moved = weight.copy()
    moved[0, 1] += step
    x, y = scene.tensors["x"], scene.tensors["y"]
    values = {p.name: scene.tensors[p.name] for p in program.parameters} | {"linear1.weight": moved}
    there = own_scene(scene.program, {**scene.tensors, **values, "x": x, "y": y}, 0)
    slope = (there.tensors["loss"] - scene.tensors["loss"]) / step
    assert scene.gradient("loss", "linear1.weight")[0, 1] == pytest.approx(float(slope), rel=1e-4)
