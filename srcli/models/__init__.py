"""The networks. A new architecture is one new file and one entry in a union here."""

from typing import Annotated

from pydantic import Field

from srcli.models.dcgan import DcganCritic, DcganGenerator
from srcli.models.mlp import MlpCritic, MlpGenerator
from srcli.models.resnet import ResnetGenerator

GeneratorSettings = Annotated[
    DcganGenerator | ResnetGenerator | MlpGenerator, Field(discriminator="architecture")
]
CriticSettings = Annotated[DcganCritic | MlpCritic, Field(discriminator="architecture")]
