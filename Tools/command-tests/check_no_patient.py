"""check_no_patient.py DATA FILE...: nothing of DATA's photographs, digests and patients is in the files, of HDF5 files
not in their decompressed data either."""

import base64
import pathlib
import sys

import h5py

data, *files = sys.argv[1:]


def haystacks(path):
    """The file's bytes and, of an HDF5 file, the bytes of each data set."""
    raw = pathlib.Path(path).read_bytes()
    yield raw
    if h5py.is_hdf5(path):
        parts = []
        with h5py.File(path) as file:
            file.visititems(lambda _, node: parts.append(node[()]) if isinstance(node, h5py.Dataset) else None)
        assert parts, f"{path} shows no data set: nothing was looked at"
        for part in parts:
            yield part if isinstance(part, bytes) else part.tobytes()


with h5py.File(data) as file:
    digests, patients, images = file["digest"][:], file["patient"][:], file["images"][:]
needles = set()
for digest in digests:
    raw = digest.tobytes()
    needles |= {raw, raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw).rstrip(b"=")}
needles |= {bytes(patient).rstrip(b"\0") for patient in patients}
side = images.shape[1]
needles |= {image[row].tobytes() for image in images for row in (side // 3, side // 2, 2 * side // 3)}


def found(path):
    return sum(needle in haystack for haystack in haystacks(path) for needle in needles)


assert found(data) >= len(images), f"{data} itself does not show: this check finds nothing"
for path in files:
    count = found(path)
    assert count == 0, f"{path} holds {count} photographs, digests or patients of {data}"
