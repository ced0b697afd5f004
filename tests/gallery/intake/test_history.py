"""Settings of other studios become a recipe of ours; what is malformed is as if it were not there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.intake.history import read_history
from tests.gallery.intake import files


def test_a1111():
    found = read_history({"parameters": files.A1111})
    assert found == {
        "prompt": "a (red:1.2) pear, studio light <lora:fruit:0.8>\non a table",
        "negative_prompt": "blurry, text",
        "steps": 28,
        "seed": 4294967295,
        "guidance": 6.5,
        "scheduler_label": "DPM++ 2M Karras",
        "scheduler": "dpmpp_2m_karras",
        "checkpoint": "v1-5-pruned",
        "checkpoint_hash": "6ce0161689",
        "adapters": [{"name": "fruit", "weight": 0.8}],
        "read_from": "A1111",
    }


def test_a1111_with_its_schedule_in_a_field_of_its_own():
    found = read_history({"parameters": "x\nSteps: 5, Sampler: DPM++ 2M, Schedule type: Karras, Seed: 1"})
    assert (found["scheduler"], found["prompt"]) == ("dpmpp_2m_karras", "x")


def test_comfyui_is_followed_from_the_sampler_back():
    found = read_history({"prompt": files.COMFYUI, "workflow": "{}"})
    assert found["prompt"] == "a glass bottle, purple galaxy"
    assert found["negative_prompt"] == "watermark"
    assert (found["seed"], found["steps"], found["guidance"]) == (156680208700286, 20, 8)
    assert found["scheduler"] == "euler_a"
    assert found["checkpoint"] == "sdxl_base.safetensors"
    assert found["adapters"] == [{"name": "fruit.safetensors", "weight": 0.7}]


def test_comfyui_with_a_sampler_in_parts():
    found = read_history({"prompt": files.FLUX})
    assert (found["prompt"], found["seed"], found["steps"], found["guidance"]) == ("a plum", 42, 24, 3.5)
    assert (found["checkpoint"], found["scheduler"]) == ("flux1-dev.safetensors", "euler")


def test_a_graph_in_circles_comes_to_an_end():
    node = {"class_type": "X", "inputs": {name: [str(n), 0] for n, name in enumerate("abcdefgh")}}
    graph = {str(n): node for n in range(200)}
    graph["s"] = {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 3, "positive": ["0", 0], "model": ["1", 0]}}
    assert read_history({"prompt": json.dumps(graph)})["seed"] == 5


def test_invokeai_through_the_years():
    found = read_history({"invokeai_metadata": files.INVOKEAI})
    assert (found["prompt"], found["negative_prompt"], found["seed"]) == ("a plum", "stone", 7)
    assert (found["checkpoint"], found["checkpoint_hash"]) == ("Juggernaut XL", "blake3:ab")
    assert found["adapters"] == [{"name": "fruit", "weight": 0.6}]
    found = read_history({"sd-metadata": files.INVOKEAI_OLD})
    assert (found["prompt"], found["negative_prompt"]) == ("a fig", "leaf, stem")
    assert (found["steps"], found["scheduler"], found["checkpoint"]) == (50, "euler_a", "stable-diffusion-1.5")
    found = read_history({"Dream": files.DREAM})
    assert (found["prompt"], found["negative_prompt"], found["seed"]) == ("a date, ripe", "bowl", 3021)
    assert (found["steps"], found["guidance"], found["scheduler"]) == (50, 7.5, "heun")


def test_ones_own_recipe_and_nothing_that_it_may_not_bring():
    own = {"prompt": "a pear", "seed": 3, "licence": "CC0", "rights": {"stated_by": "somebody else"}, "way": "text"}
    found = read_history({"atelier": json.dumps(own), "parameters": files.A1111})
    assert found == {"prompt": "a pear", "seed": 3, "licence": "CC0", "read_from": "Atelier"}


def test_numbers_that_no_column_takes_are_left_out():
    own = {"prompt": "x\x00y\ud800", "seed": 2**80, "steps": -4, "guidance": 1e999, "checkpoint": "m" * 900}
    found = read_history({"atelier": json.dumps(own)})
    assert found == {"prompt": "xy", "checkpoint": "m" * 120, "read_from": "Atelier"}


KEYS = ["parameters", "prompt", "invokeai_metadata", "sd-metadata", "Dream", "atelier"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("key", KEYS)
@given(st.one_of(st.text(max_size=200), ANYTHING.map(json.dumps)))
def test_nothing_that_a_file_holds_raises(key, words):
    json.dumps(read_history({key: words}))
