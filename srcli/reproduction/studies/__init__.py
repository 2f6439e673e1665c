"""Small exact experiments that test what *Wasserstein GAN* says (Arjovsky, Chintala & Bottou 2017)."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from srcli.reproduction.studies.clipping import ClippingStudy
from srcli.reproduction.studies.distances import DistancesStudy
from srcli.reproduction.studies.exact_em import ExactEmStudy
from srcli.reproduction.studies.modes import ModesStudy
from srcli.reproduction.studies.optimality import OptimalityStudy
from srcli.reproduction.studies.study import Study

StudySettings = Annotated[
    DistancesStudy | OptimalityStudy | ExactEmStudy | ModesStudy | ClippingStudy,
    Field(discriminator="study"),
]
"""A study as a plan's YAML holds it."""

STUDIES: Mapping[str, type[Study]] = {
    "distances": DistancesStudy,
    "optimality": OptimalityStudy,
    "exact_em": ExactEmStudy,
    "modes": ModesStudy,
    "clipping": ClippingStudy,
}
"""All studies by their names in a plan, in the order of a report."""

THEORY_NOT_TESTED: Sequence[str] = (
    "Theorem 1: the EM distance is continuous in the generator's weights, and differentiable almost"
    " everywhere; this is proved for all weights, and any number of trained critics sees a few.",
    "Corollary 1: the same for generators that are feedforward networks with an integrable input.",
    "Theorem 2: convergence in KL implies it in JS, which is equivalent to that in TV, and that implies"
    " convergence in EM, which is equivalent to that in distribution; statements on limits of sequences.",
    "Theorem 3: an optimal critic exists, and the gradient of the EM distance is that of its expectation;"
    " a trained critic only comes near to it.",
    "The Kantorovich-Rubinstein duality (section 3), from which the critic's objective follows.",
)
"""What the paper proves, and no experiment can confirm."""
