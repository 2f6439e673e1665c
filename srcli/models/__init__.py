"""The networks. A new architecture is one new file and one entry in a union here."""

from typing import Annotated

from pydantic import Field

from srcli.models.compact import CompactGenerator
from srcli.models.dcgan import DcganCritic, DcganGenerator
from srcli.models.mlp import MlpCritic, MlpGenerator
from srcli.models.residual import ResidualGenerator
from srcli.models.resnet import ResnetGenerator
from srcli.models.srez import SrezCritic, SrezGenerator

GeneratorSettings = Annotated[
    DcganGenerator | ResnetGenerator | MlpGenerator | ResidualGenerator | CompactGenerator | SrezGenerator,
    Field(discriminator="architecture"),
]
CriticSettings = Annotated[DcganCritic | MlpCritic | SrezCritic, Field(discriminator="architecture")]
