"""The paper's defaults for settings that depend on other settings."""

from collections.abc import Mapping
from typing import Any, get_args

from srcli.data.task import PAPER
from srcli.models import CriticSettings
from srcli.objectives import Objective


def with_paper_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fills in the paper's critic and optimiser where the settings leave them out.

    An objective without a critic gets none. The critic's architecture defaults to the generator's, or dcgan
    if that has no critic; its normalisation defaults to the objective's. An optimiser without a name is the
    objective's, with the given settings changed; one with a name is taken as is. Stored faces and windows
    follow the label's size. Values that are not mappings are left to validation.
    """
    objective = _objective_named(_mapping(values.get("objective")).get("name"))
    critic = values.get("critic", {} if objective.has_critic else None)
    optimizer = values.get("optimizer", {})
    filled = {**values, "critic": critic}
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
    critics = [_tag(kind, "architecture") for kind in _kinds(CriticSettings)]
    critic = {"architecture": generator if generator in critics else "dcgan", **given}
    if not objective.allows_batch_norm_critic:
        critic.setdefault("normalization", "layer")
    return critic


def _objective_named(name: object) -> Any:
    """The objective's class; any class for an unknown name, so that only the name is reported."""
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
