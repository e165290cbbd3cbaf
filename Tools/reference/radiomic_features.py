"""Radiomic features of small pictures by pyradiomics, for the tests of Evaluation.

    radiomic_features.py > Tests/EvaluationTests/Fixtures/radiomics.json

Needs numpy, PyWavelets, SimpleITK and pyradiomics. The release 3.1.0 of pyradiomics does not build for newer versions
of Python; pyradiomics-bhklab 3.1.4 is the same code with wheels.
"""

import json
import logging
import sys
from importlib.metadata import version

import numpy as np
import SimpleITK as sitk
from radiomics import firstorder, glcm, glrlm, glszm, imageoperations, ngtdm

random = np.random.default_rng(41)
logging.getLogger("radiomics").setLevel(logging.ERROR)
FAMILIES = {
    "firstOrder": firstorder.RadiomicsFirstOrder,
    "cooccurrence": glcm.RadiomicsGLCM,
    "runs": glrlm.RadiomicsGLRLM,
    "zones": glszm.RadiomicsGLSZM,
    "tones": ngtdm.RadiomicsNGTDM,
}
# The second eigenvalue of a matrix, and what is twice or exactly another feature.
LEFT_OUT = {"MCC", "SumAverage", "TotalEnergy"}


def pictures(plane, inside):
    """As pyradiomics takes them: of one slice."""
    mask = sitk.GetImageFromArray(inside[None].astype(np.uint8))
    return sitk.GetImageFromArray(plane[None].astype(float)), mask


def texture(plane, inside, width):
    settings = {"binWidth": width, "force2D": True, "force2Ddimension": 0}
    features = {}
    for family, Features in FAMILIES.items():
        found = Features(*pictures(plane, inside), **settings)
        found.enableAllFeatures()
        values = {name: float(value) for name, value in found.execute().items() if name not in LEFT_OUT}
        features[family] = values
    return {
        "width": plane.shape[1],
        "plane": plane.ravel().tolist(),
        "inside": inside.ravel().tolist(),
        "binWidth": width,
        "features": features,
    }


def wavelet(plane):
    settings = {"wavelet": "coif1", "level": 1, "start_level": 0, "force2D": True, "force2Ddimension": 0}
    bands = imageoperations.getWaveletImage(*pictures(plane, np.ones_like(plane)), **settings)
    bands = {name.removeprefix("wavelet-"): sitk.GetArrayFromImage(band)[0] for band, name, _ in bands}
    return {
        "width": plane.shape[1],
        "plane": plane.ravel().tolist(),
        "bands": {name: band.ravel().tolist() for name, band in bands.items()},
    }


def disc(height, width):
    y, x = np.mgrid[:height, :width]
    return (y - height / 2 + 0.5) ** 2 / height**2 + (x - width / 2 + 0.5) ** 2 / width**2 < 0.24


smooth = np.round(120 + 60 * np.sin(np.arange(12)[:, None] / 3) + 20 * np.cos(np.arange(10) / 2), 3)
rough = np.round(random.normal(100, 40, size=(11, 13)), 3)
packages = "pyradiomics-bhklab", "PyWavelets", "numpy", "SimpleITK"
json.dump(
    {
        "made": ", ".join(f"{name} {version(name)}" for name in packages) + f", Python {sys.version.split()[0]}",
        "textures": [
            texture(smooth, disc(12, 10), 16),
            texture(rough, disc(11, 13), 8),
            # Below 0, as the bands of a wavelet are; and a region of two parts.
            texture(rough - 110, (np.arange(13) % 6 != 5) & disc(11, 13), 25),
            texture(np.full((6, 6), 77.0), np.ones((6, 6), bool), 8),
        ],
        "wavelets": [wavelet(smooth[:, :8]), wavelet(rough[:10, :12])],
    },
    sys.stdout,
    indent=1,
)
print()
