"""Reads Fovea's sample sets (synthetic fundus photographs with their cohorts and provenance) and data sets.

    import fovea_samples

    with fovea_samples.open("samples.h5") as samples:
        severe = samples.filter(dr_icdr=["3", "4"])
        print(len(severe), severe[0].shape, severe.provenance(0)["seed"])

docs/python.md has a tour, docs/formats.md every field of the files. PyTorch and pandas are imported where they are
asked for and not before.
"""

from .errors import SampleSetError
from .photographs import PhotographSet
from .sample_set import SampleSet, Terms, open
from .together import RealAndSynthetic

__all__ = [
    "FoveaDataset",
    "PhotographSet",
    "RealAndSynthetic",
    "SampleSet",
    "SampleSetError",
    "Terms",
    "open",
    "torch_dataset",
]


def torch_dataset(samples, attributes=("dr_icdr",), transform=None):
    """A `torch.utils.data.Dataset` of a sample set, of one split of a data set, of a split of `RealAndSynthetic`, or of
    the path of a sample set; see `FoveaDataset`.

    Raises ImportError where PyTorch is absent.
    """
    return __getattr__("FoveaDataset")(samples, attributes, transform)


def __getattr__(name):
    if name != "FoveaDataset":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .torch_data import FoveaDataset
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            "fovea_samples: a torch dataset needs PyTorch, which is not installed (pip install torch)"
        ) from error
    return FoveaDataset
