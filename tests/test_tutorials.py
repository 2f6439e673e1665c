"""The code that the tutorials show."""

import re
from pathlib import Path
from typing import Any

import test_objectives
from pydantic import TypeAdapter

from srcli import objectives

TUTORIALS = Path(__file__).parents[1] / "docs" / "tutorials"


def test_the_tutorials_objective_is_one_by_its_own_test() -> None:
    text = (TUTORIALS / "add-an-objective.md").read_text(encoding="utf-8")
    its_class, its_union, its_test = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    module: dict[str, Any] = dict(vars(objectives))
    exec(its_class + its_union, module)
    objective = TypeAdapter(module["Objective"]).validate_python({"name": "lsgan"})
    assert type(objective) is module["Lsgan"]
    names: dict[str, Any] = {**vars(test_objectives), "Lsgan": module["Lsgan"]}
    exec(its_test, names)
    names["test_least_squares_draw_scores_to_one_and_zero"]()
