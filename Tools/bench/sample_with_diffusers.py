"""What `fovea sample --count 16 --steps 18` does, with torch and diffusers: the same network, schedule and steps, to an
HDF5 file (by numpy where h5py is not there). Usage: sample_with_diffusers.py SNAPSHOT FOLDER THREADS"""

import math
import sys

import numpy
import torch
from diffusers import UNet2DModel
from safetensors.torch import load_file

from reference_model import CONFIGURATION

snapshot, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
weights = {name: value for name, value in load_file(snapshot).items() if not name.startswith("cohort_embedding.")}
configuration = {**CONFIGURATION, "num_class_embeds": None}
model = UNet2DModel(**configuration)
model.load_state_dict(weights)
model = model.to(memory_format=torch.channels_last).eval()

# Karras et al. 2022, equation 5 and table 1.
steps, low, high, rho, data = 18, 0.002, 80.0, 7.0, 0.5
sigmas = [
    (high ** (1 / rho) + i / (steps - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho for i in range(steps)
] + [0.0]


@torch.no_grad()
def denoised(x, sigma):
    skip, out = data**2 / (sigma**2 + data**2), sigma * data / math.hypot(sigma, data)
    raw = model(x / math.hypot(sigma, data), torch.full((len(x),), 25 * math.log(sigma))).sample
    return skip * x + out * raw


x = torch.randn(16, 3, 64, 64).to(memory_format=torch.channels_last) * sigmas[0]
for sigma, following in zip(sigmas, sigmas[1:]):
    slope = (x - denoised(x, sigma)) / sigma
    euler = x + (following - sigma) * slope
    if following > 0:
        slope = (slope + (euler - denoised(euler, following)) / following) / 2
        euler = x + (following - sigma) * slope
    x = euler
pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
numpy.save(f"{folder}/samples.npy", pixels)
