"""The paper's defaults of settings that depend on other settings."""

from collections.abc import Mapping
from typing import Any, get_args

from srcli.models import CriticSettings
from srcli.objectives import Objective


def with_paper_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with a critic and an optimiser as the paper has them, where they are left out.

    An objective without a critic gets none. A critic without an architecture has the generator's, or the
    dcgan one where that has no critic; one without a normalisation has the objective's. An optimiser without
    a name is the objective's, with what is given changed; one with a name is taken as it stands. What is no
    mapping is left to the validation.
    """
    objective = _objective_named(_mapping(values.get("objective")).get("name"))
    critic = values.get("critic", {} if objective.has_critic else None)
    optimizer = values.get("optimizer", {})
    filled = {**values, "critic": critic}
    if isinstance(critic, Mapping):
        filled["critic"] = _critic(critic, _mapping(values.get("generator")).get("architecture"), objective)
    if isinstance(optimizer, Mapping) and "name" not in optimizer and objective.paper_optimizer:
        filled["optimizer"] = {**objective.paper_optimizer, **optimizer}
    return filled


def _critic(given: Mapping[str, Any], generator: object, objective: Any) -> dict[str, Any]:
    critics = {_tag(kind, "architecture") for kind in _kinds(CriticSettings)}
    critic = {"architecture": generator if generator in critics else "dcgan", **given}
    if not objective.allows_batch_norm_critic:
        critic.setdefault("normalization", "layer")
    return critic


def _objective_named(name: object) -> Any:
    """The objective's class; any for an unknown name, which alone should be reported."""
    kinds = _kinds(Objective)
    return next((kind for kind in kinds if _tag(kind, "name") == name), kinds[0])


def _kinds(union: Any) -> tuple[Any, ...]:
    """The models of an annotated union."""
    kinds: tuple[Any, ...] = get_args(get_args(union)[0])
    return kinds


def _tag(kind: Any, field: str) -> object:
    return get_args(kind.model_fields[field].annotation)[0]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
