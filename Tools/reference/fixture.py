"""What every fixture shares: exact inputs, float64 expectations, a birth certificate.

A fixture is a safetensors file. Inputs are drawn as float32 and stored so, hence both sides compute from identical
numbers; expectations are computed in float64 by PyTorch. The one metadata entry, `fovea.fixture`, is JSON that
says which script, versions and seed made the file.

Same versions, same bytes: numpy's PCG64 draws (its stream does not depend on the machine's vector width), PyTorch
runs on one thread, and the metadata has one key (safetensors does not order several).
"""

import json
import pathlib
import zlib

import numpy
import safetensors
import safetensors.torch
import torch

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
METADATA_KEY = "fovea.fixture"

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def release(module):
    """The version without the build's suffix: 2.15.0+cu132 and 2.15.0+cpu make the same fixtures."""
    return module.__version__.split("+")[0]


def versions():
    return {"torch": release(torch), "numpy": release(numpy), "safetensors": release(safetensors)}


def seed_of(name):
    """A seed that depends on nothing but the fixture's name, so that adding a case leaves all others as they were."""
    return zlib.crc32(name.encode())


class Draw:
    """Random float32 tensors from one seed."""

    def __init__(self, seed):
        self.generator = numpy.random.Generator(numpy.random.PCG64(seed))

    def normal(self, *shape, mean=0.0, deviation=1.0):
        values = self.generator.standard_normal(shape, dtype=numpy.float32)
        values = numpy.float32(mean) + numpy.float32(deviation) * values
        return torch.from_numpy(numpy.asarray(values, dtype=numpy.float32))

    def away_from_zero(self, *shape):
        """Both signs, absolute values from 0.5: for divisors."""
        values = self.normal(*shape)
        return torch.where(values < 0, values - 0.5, values + 0.5)


def write(path, tensors, certificate):
    """Writes `tensors` (a dictionary) with `certificate` as the metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    text = json.dumps(certificate, sort_keys=True, separators=(",", ":"))
    safetensors.torch.save_file(tensors, str(path), metadata={METADATA_KEY: text})
    path.chmod(0o644)
