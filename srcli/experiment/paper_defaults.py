"""Settings that depend on others, for experiments that leave them out: as the paper has them."""

from collections.abc import Mapping
from typing import Any, get_args

from srcli.data.task import PAPER
from srcli.models import CriticSettings
from srcli.objectives import Objective


def with_paper_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with a critic and an optimiser as the paper has them, where they are left out.

    A critic without an architecture has the generator's, or the dcgan one where that has no critic; one
    without a normalisation has the objective's. An optimiser without a name is the objective's, with what is
    given changed; one with a name is taken as it stands. Stored faces and windows follow from the label's
    size. What is no mapping is left to the validation.
    """
    objective = _objective_named(_mapping(values.get("objective")).get("name"))
    filled = dict(values)
    critic, optimizer = values.get("critic", {}), values.get("optimizer", {})
    if isinstance(critic, Mapping):
        filled["critic"] = _critic(critic, _mapping(values.get("generator")).get("architecture"), objective)
    if isinstance(optimizer, Mapping) and "name" not in optimizer and objective.paper_optimizer:
        filled["optimizer"] = {**objective.paper_optimizer, **optimizer}
    label_size = _mapping(values.get("task")).get("label_size")
    if isinstance(label_size, int):
        # As 72 to 64 in the paper; presets that give no label size keep the schema's defaults.
        filled["task"] = {"face_size": label_size * PAPER.face_size // PAPER.label_size, **values["task"]}
        if isinstance(augmentation := values.get("augmentation", {}), Mapping):
            filled["augmentation"] = {"windows": [label_size, label_size], **augmentation}
    return filled


def _critic(given: Mapping[str, Any], generator: object, objective: Any) -> dict[str, Any]:
    critics = {_tag(kind, "architecture") for kind in _kinds(CriticSettings)}
    usual = generator if generator in critics else "dcgan"
    critic = {"architecture": usual if objective.has_critic else "none", **given}
    if critic["architecture"] != "none" and not objective.allows_batch_norm_critic:
        critic.setdefault("normalization", "layer")
    return critic


def _objective_named(name: object) -> Any:
    """The objective's class; any for a name that is none, which alone should be told of."""
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
