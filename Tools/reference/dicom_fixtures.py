"""Makes Tests/DICOMFilesTests/Fixtures: small DICOM files of every kind that Fovea reads, with the pixels that pydicom
decodes from them.

    python3 -m venv venv && venv/bin/pip install -r Tools/reference/dicom-requirements.txt
    venv/bin/python Tools/reference/dicom_fixtures.py

It needs DCMTK's dcmcjpeg, dcmcjpls and dcmcrle (3.6.7) for what pydicom cannot write. The picture is a drawing: bars of
pure colours, a grey wedge and a black surround. No photograph and no patient is in it.
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import PIL
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import generate_uid

OUT = Path(__file__).resolve().parents[2] / "Tests/DICOMFilesTests/Fixtures"
WIDTH, HEIGHT = 40, 24

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BASELINE = "1.2.840.10008.1.2.4.50"
EXTENDED = "1.2.840.10008.1.2.4.51"
LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG2000 = "1.2.840.10008.1.2.4.91"
OP8 = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
OP16 = "1.2.840.10008.5.1.4.1.1.77.1.5.2"


def drawing(bits=8):
    """Bars of colours on black, over a grey wedge: [HEIGHT, WIDTH, 3]."""
    highest = 2**bits - 1
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    colours = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0.5, 0.2), (0.8, 0.3, 0.1), (1, 1, 1), (0.4, 0.4, 0.4)]
    for index, colour in enumerate(colours):
        picture[4:16, 4 + 4 * index : 8 + 4 * index] = np.round(np.array(colour) * highest)
    wedge = np.linspace(0, highest, WIDTH - 8).round()
    picture[16:20, 4 : WIDTH - 4] = wedge[None, :, None]
    return picture if bits > 8 else picture.astype(np.uint8)


def ybr(rgb):
    return convert_color_space(rgb, "RGB", "YBR_FULL")


def dataset(sop_class=OP8, syntax=EXPLICIT):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["fovea fixture"])
    meta.TransferSyntaxUID = syntax
    file = FileDataset(
        None,
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=syntax == IMPLICIT,
        is_little_endian=syntax != BIG,
    )
    file.SOPClassUID = sop_class
    file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID = file.SeriesInstanceUID = file.SOPInstanceUID
    file.ImageType = ["ORIGINAL", "PRIMARY"]
    file.Modality = "OP"
    file.PatientName, file.PatientID = "DRAWING", "drawing"
    return file


def with_pixels(
    pixels, interpretation, planar=0, stored=None, syntax=EXPLICIT, sop_class=OP8, signed=False, frames=None
):
    """A file of `pixels`: [rows, columns], [rows, columns, 3], or one dimension more where `frames` is given."""
    file = dataset(sop_class, syntax)
    one = pixels[0] if frames else pixels
    file.Rows, file.Columns = one.shape[:2]
    file.SamplesPerPixel = one.shape[2] if one.ndim == 3 else 1
    file.PhotometricInterpretation = interpretation
    if file.SamplesPerPixel == 3:
        file.PlanarConfiguration = planar
    file.BitsAllocated = pixels.dtype.itemsize * 8
    file.BitsStored = stored or file.BitsAllocated
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(signed)
    if frames:
        file.NumberOfFrames = frames
    if planar:
        pixels = np.moveaxis(pixels, -1, -3)
    order = ">" if syntax == BIG else "<"
    file.PixelData = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder(order)).tobytes()
    file["PixelData"].VR = "OW" if file.BitsAllocated > 8 else "OB"
    return file


def encapsulated(frames, rgb_shape, interpretation, syntax, fragments=1, table=True, samples=3, bits=8, stored=None):
    file = dataset(syntax=syntax)
    file.Rows, file.Columns = rgb_shape[:2]
    file.SamplesPerPixel = samples
    file.PhotometricInterpretation = interpretation
    if samples == 3:
        file.PlanarConfiguration = 0
    file.BitsAllocated = bits
    file.BitsStored = stored or bits
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = 0
    if len(frames) > 1:
        file.NumberOfFrames = len(frames)
    file.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
    file["PixelData"].VR = "OB"
    file["PixelData"].is_undefined_length = True
    return file


def jpeg(rgb, **options):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def without_segments(data, markers):
    """A JPEG without the segments of these markers."""
    result, position = data[:2], 2
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] not in markers:
            result += data[position:end]
        position = end
    return result + data[position:]


def jpeg2000(rgb, mct, irreversible=False):
    buffer = io.BytesIO()
    options = {"quality_mode": "rates", "quality_layers": [2]} if irreversible else {}
    Image.fromarray(rgb).save(
        buffer, "JPEG2000", no_jp2=True, mct=int(mct), irreversible=irreversible, num_resolutions=3, **options
    )
    return buffer.getvalue()


def saved(file, **options):
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True, **options)
    return buffer.getvalue()


def by_tool(file, *command):
    """What one of DCMTK's tools makes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "a.dcm"), Path(folder, "b.dcm")
        before.write_bytes(saved(file))
        subprocess.run([*command, before, after], check=True)
        return after.read_bytes()


def to8(pixels, bits):
    highest = 2**bits - 1
    return ((pixels.astype(np.int64) * 255 + highest // 2) // highest).astype(np.uint8)


def decoded(data, ybr_full=None):
    """The frames of a file as pydicom decodes them, as RGB of 8 bits: [frames, rows, columns, 3]."""
    file = pydicom.dcmread(io.BytesIO(data), force=True)
    if "TransferSyntaxUID" not in file.file_meta:
        file.file_meta.TransferSyntaxUID = IMPLICIT if file.is_implicit_VR else EXPLICIT
    options = {"raw": True} if ybr_full is not None else {}
    from pydicom.pixels import pixel_array

    pixels = pixel_array(file, **options)
    frames = pixels if int(file.get("NumberOfFrames", 1)) > 1 else pixels[None]
    result = []
    for frame in frames:
        if ybr_full:
            frame = convert_color_space(frame, "YBR_FULL", "RGB")
        if file.PhotometricInterpretation == "PALETTE COLOR":
            frame = apply_color_lut(frame, file)
            frame = to8(frame, 8 * frame.dtype.itemsize)
        elif file.SamplesPerPixel == 1:
            frame = grey(frame, file)
        elif frame.dtype.itemsize > 1:
            frame = to8(frame, file.BitsStored)
        result.append(np.ascontiguousarray(frame))
    return np.stack(result)


def grey(stored, file):
    rescaled = apply_modality_lut(stored, file).astype(np.float64)
    low, high = (
        (-(2 ** (file.BitsStored - 1)), 2 ** (file.BitsStored - 1) - 1)
        if file.PixelRepresentation
        else (0, 2**file.BitsStored - 1)
    )
    slope, intercept = float(file.get("RescaleSlope", 1)), float(file.get("RescaleIntercept", 0))
    low, high = low * slope + intercept, high * slope + intercept
    if "WindowCenter" in file:
        windowed = apply_voi_lut(apply_modality_lut(stored, file), file, prefer_lut=False).astype(np.float64)
        # pydicom spreads a window over the range of the stored values.
        part = (windowed - low) / (high - low)
    else:
        part = (rescaled - low) / (high - low)
    if file.PhotometricInterpretation == "MONOCHROME1":
        part = 1 - part
    result = np.round(np.clip(part, 0, 1) * 255).astype(np.uint8)
    if "PixelPaddingValue" in file:
        result[stored == file.PixelPaddingValue] = 0
    return np.repeat(result[:, :, None], 3, axis=2)


def grey_drawing(bits=8, dtype=np.uint8):
    return (drawing(16)[:, :, 0].astype(np.float64) * (2**bits - 1) / 65535).round().astype(dtype)


def palette_file(bits):
    levels = grey_drawing(5)
    file = with_pixels(levels, "PALETTE COLOR")
    table = np.linspace(0, 2**bits - 1, 32).round().astype(f"<u{bits // 8}")
    for name, values in (("Red", table), ("Green", table[::-1].copy()), ("Blue", np.roll(table, 7))):
        setattr(file, f"{name}PaletteColorLookupTableDescriptor", [32, 0, bits])
        setattr(file, f"{name}PaletteColorLookupTableData", values.tobytes())
    return file


def files():
    """Name, bytes of the file, and the pixels that it must give."""
    rgb = drawing()
    frames = np.stack([rgb, rgb[:, ::-1], rgb[::-1]])
    plain = with_pixels(rgb, "RGB")

    def add(name, data, ybr_full=None, truth=None):
        data = data if isinstance(data, bytes) else saved(data)
        return name, data, decoded(data, ybr_full) if truth is None else truth[None]

    for name, syntax in (("explicit", EXPLICIT), ("implicit", IMPLICIT), ("big_endian", BIG), ("deflated", DEFLATED)):
        yield add(name, with_pixels(rgb, "RGB", syntax=syntax), truth=rgb)
    yield add("planar", with_pixels(rgb, "RGB", planar=1), truth=rgb)
    yield add("ybr_full", with_pixels(ybr(rgb), "YBR_FULL"))
    halved = ybr(rgb).copy()
    halved[:, 1::2, 1:] = halved[:, ::2, 1:]
    pairs = with_pixels(rgb, "YBR_FULL_422")
    pairs.PixelData = np.stack(
        [halved[:, ::2, 0], halved[:, 1::2, 0], halved[:, ::2, 1], halved[:, ::2, 2]], axis=-1
    ).tobytes()
    yield add("ybr_full_422", pairs)
    yield add("frames", with_pixels(frames, "RGB", frames=3, sop_class="1.2.840.10008.5.1.4.1.1.7.4"))
    yield add("rgb12in16", with_pixels(drawing(12), "RGB", stored=12, sop_class=OP16))
    yield add("rgb16_planar_big", with_pixels(drawing(16), "RGB", planar=1, sop_class=OP16, syntax=BIG))
    yield add("mono1", with_pixels(grey_drawing(), "MONOCHROME1"))
    mono = with_pixels(grey_drawing(12, np.uint16), "MONOCHROME2", stored=12, sop_class=OP16)
    mono.RescaleSlope, mono.RescaleIntercept, mono.RescaleType = "2", "-100", "US"
    mono.WindowCenter, mono.WindowWidth = "3000", "5000"
    yield add("mono2_window", mono)
    signed = with_pixels((grey_drawing(10, np.uint16).astype(np.int16) - 512), "MONOCHROME2", stored=10, signed=True)
    signed.add_new(0x00280120, "SS", -512)
    yield add("mono2_signed_padding", signed)
    yield add("palette8", palette_file(8))
    yield add("palette16", palette_file(16))
    bare = saved(with_pixels(rgb, "RGB", syntax=IMPLICIT))
    start = 132 + 12 + int.from_bytes(bare[140:144], "little")
    yield add("no_preamble", bare[start:], truth=rgb)

    # Compressed without loss: the drawing itself is right.
    yield add("rle", by_tool(with_pixels(rgb, "RGB", planar=1), "dcmcrle"), truth=rgb)
    yield add("rle_frames", by_tool(with_pixels(frames, "RGB", frames=3), "dcmcrle"))
    yield add("rle16", by_tool(with_pixels(drawing(12), "RGB", stored=12, sop_class=OP16), "dcmcrle"))
    yield add("jpeg_lossless", by_tool(plain, "dcmcjpeg", "+e1"), truth=rgb)
    yield add(
        "jpeg_lossless_grey16",
        by_tool(with_pixels(grey_drawing(16, np.uint16), "MONOCHROME2", sop_class=OP16), "dcmcjpeg", "+el"),
    )
    yield add(
        "jpeg_extended12",
        by_tool(
            with_pixels(grey_drawing(12, np.uint16), "MONOCHROME2", stored=12, sop_class=OP16),
            "dcmcjpeg",
            "+ee",
            "+q",
            "95",
        ),
    )
    yield add("jpeg_ls", by_tool(plain, "dcmcjpls"), truth=rgb)
    yield add("jpeg_ls_line_frames", by_tool(with_pixels(frames, "RGB", frames=3), "dcmcjpls", "+il"))
    yield add("jpeg_ls_near", by_tool(plain, "dcmcjpls", "+en"))
    yield add("j2k_rct", encapsulated([jpeg2000(rgb, True)], rgb.shape, "YBR_RCT", JPEG2000_LOSSLESS), truth=rgb)
    yield add("j2k_rct_called_rgb", encapsulated([jpeg2000(rgb, True)], rgb.shape, "RGB", JPEG2000_LOSSLESS), truth=rgb)
    yield add("j2k_ict", encapsulated([jpeg2000(rgb, True, True)], rgb.shape, "YBR_ICT", JPEG2000))
    yield add(
        "j2k_rgb_without_mct", encapsulated([jpeg2000(rgb, False)], rgb.shape, "RGB", JPEG2000_LOSSLESS), truth=rgb
    )
    yield add(
        "j2k_ybr_full_without_mct", encapsulated([jpeg2000(ybr(rgb), False)], rgb.shape, "YBR_FULL", JPEG2000_LOSSLESS)
    )
    yield add(
        "j2k_frames_in_fragments",
        encapsulated([jpeg2000(f, True) for f in frames], rgb.shape, "YBR_RCT", JPEG2000_LOSSLESS, fragments=2),
    )
    yield add(
        "j2k_frames_without_table",
        encapsulated(
            [jpeg2000(f, True) for f in frames], rgb.shape, "YBR_RCT", JPEG2000_LOSSLESS, fragments=3, table=False
        ),
    )

    # Compressed with loss.
    full = jpeg(rgb, subsampling="4:4:4")
    half = jpeg(rgb, subsampling="4:2:2")
    own = jpeg(rgb, keep_rgb=True)
    yield add("jpeg_422", encapsulated([half], rgb.shape, "YBR_FULL_422", BASELINE), ybr_full=True)
    yield add(
        "jpeg_frames",
        encapsulated([jpeg(f, subsampling="4:4:4") for f in frames], rgb.shape, "YBR_FULL_422", BASELINE, fragments=2),
        ybr_full=True,
    )
    yield add("jpeg_jfif_called_rgb", encapsulated([full], rgb.shape, "RGB", BASELINE), ybr_full=True)
    yield add("jpeg_rgb_called_ybr", encapsulated([own], rgb.shape, "YBR_FULL_422", BASELINE), ybr_full=False)
    yield add(
        "jpeg_unmarked_called_rgb",
        encapsulated([without_segments(full, {0xE0})], rgb.shape, "RGB", BASELINE),
        ybr_full=True,
    )
    unmarked = without_segments(own, {0xE0, 0xEE}).replace(b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0")
    assert b"R\x11" not in unmarked
    unmarked = unmarked.replace(b"R\0G\0B\0", b"\1\0\2\0\3\0")
    yield add("jpeg_unmarked_rgb", encapsulated([unmarked], rgb.shape, "RGB", BASELINE), ybr_full=False)
    raw = without_segments(pydicom_fragment(by_tool(with_pixels(ybr(rgb), "RGB"), "dcmcjpeg", "+e1")), {0xEE})
    yield add("jpeg_lossless_ybr_called_rgb", encapsulated([raw], rgb.shape, "RGB", LOSSLESS), ybr_full=True)
    # Grey samples, of which the sign bit of the codestream says that they are signed numbers, as the header does.
    halves = bytearray(jpeg2000(grey_drawing(), mct=False))
    size = halves.index(b"\xff\x51")
    assert halves[size + 40] == 7, "the samples have 8 bits, without a sign"
    halves[size + 40] |= 0x80
    half = encapsulated([bytes(halves)], rgb.shape, "MONOCHROME2", JPEG2000_LOSSLESS, samples=1)
    half.PixelRepresentation = 1
    truth = np.repeat(grey_drawing()[:, :, None], 3, axis=2)
    yield add("j2k_signed", half, truth=truth)


def pydicom_fragment(data):
    file = pydicom.dcmread(io.BytesIO(data))
    return next(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=1))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    sizes, pixels = {}, b""
    for name, data, frames in files():
        (OUT / f"{name}.dcm").write_bytes(data)
        sizes[name] = {"frames": len(frames), "offset": len(pixels)}
        assert frames.shape[1:] == (HEIGHT, WIDTH, 3) and frames.dtype == np.uint8, (name, frames.shape, frames.dtype)
        pixels += frames.tobytes()
    versions = [f"{package.__name__} {package.__version__}" for package in (pydicom, PIL, np)]
    made = ", ".join([*versions, "DCMTK 3.6.7", f"Python {sys.version.split()[0]}"])
    (OUT / "expected.rgb").write_bytes(pixels)
    index = {"made": made, "width": WIDTH, "height": HEIGHT, "files": sizes}
    (OUT / "expected.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
