"""A sample set for PyTorch's DataLoader. Imports torch, so nothing here imports it before it is asked for."""

import copy
import os

import torch
import torch.utils.data

from .photographs import PhotographSet
from .sample_set import SampleSet, open
from .together import Together, require_one_split


class FoveaDataset(torch.utils.data.Dataset):
    """Pictures and labels of a sample set, of one split of a data set, or of both together (`RealAndSynthetic`).

    Item i is (picture, labels): a float32 tensor [3, height, width] from 0 to 1, or whatever `transform` makes of the
    picture as uint8 [height, width, 3]; and a dict of attribute to code (int). Codes below 0 are no classes: `filter`
    first.

    Holds a file of its own, opened once per process when the first picture is read, so DataLoader's workers may be
    forked or spawned, and the set that it came from may be closed.

    Raises SampleSetError where an attribute is none of the set's, and as `fovea_samples.open`.
    """

    def __init__(self, samples, attributes=("dr_icdr",), transform=None):
        if isinstance(samples, PhotographSet):
            require_one_split(samples)
        if isinstance(samples, (SampleSet, PhotographSet, Together)):
            self._samples = copy.deepcopy(samples)
        elif isinstance(samples, (str, os.PathLike)):
            with open(samples) as opened:
                if isinstance(opened, PhotographSet):
                    require_one_split(opened)
                self._samples = copy.deepcopy(opened)
        else:
            raise TypeError(f"expected a sample set or a path, found {type(samples).__name__}")
        attributes = [attributes] if isinstance(attributes, str) else list(attributes)
        self._labels = {attribute: self._samples.codes(attribute) for attribute in attributes}
        self._transform = transform

    def __len__(self):
        return len(self._samples)

    def __getitem__(self, i):
        image = self._samples[i]
        labels = {attribute: int(codes[i]) for attribute, codes in self._labels.items()}
        if self._transform is not None:
            return self._transform(image), labels
        return torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div_(255), labels
