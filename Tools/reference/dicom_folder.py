"""Makes a folder of 300 DICOM files with the habits of four makers of cameras, to try `fovea import` on.

    fovea phantom --count 300 --size 256 --seed 7 --out p.h5
    Tools/python/phantom_photographs.py p.h5 photographs
    python3 -m venv venv && venv/bin/pip install -r Tools/reference/dicom-requirements.txt
    venv/bin/python Tools/reference/dicom_folder.py photographs OUT

Nobody's photographs: the pictures are phantoms, the patients invented. Beside the 300 files lies what archives hold,
too: a DICOMDIR, an OCT volume, a PDF report, a file whose pictures are encrypted, and a synthetic picture.
`expected.csv` names for each file the maker and what an import has to find.

The habits are those of public reports: JPEG called YBR_FULL_422 and Japanese names (Topcon); uncompressed secondary
captures with the laterality of the series alone and without suffix (Canon); UIDs as names and JPEG 2000 whose header
says RGB although its codestream is transformed (Zeiss); several frames in one file, RLE and lossless JPEG, in one study
with OCT volumes (Heidelberg).
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from dicom_fixtures import (
    BASELINE,
    EXPLICIT,
    IMPLICIT,
    JPEG2000_LOSSLESS,
    OP8,
    encapsulated,
    jpeg,
    jpeg2000,
    saved,
    with_pixels,
)

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4"


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def described(file, number, maker, model, eye, name="INVENTED^PATIENT"):
    """Fills in what every maker writes: a patient has both eyes, each in a file of its own."""
    patient = number // 2
    uid = generate_uid(entropy_srcs=[maker, str(number)])
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = uid
    file.StudyInstanceUID = generate_uid(entropy_srcs=[maker, str(patient)])
    file.SeriesInstanceUID = generate_uid(entropy_srcs=[maker, str(number), "series"])
    file.Manufacturer, file.ManufacturerModelName = maker, model
    file.PatientName, file.PatientID = name, f"{maker[:2].upper()}{patient:05d}"
    file.PatientSex = "FMO"[patient % 3] if patient % 5 else ""
    file.PatientBirthDate = f"{1935 + patient % 60}0615"
    file.StudyDate, file.StudyTime = "20240314", "101112"
    file.AccessionNumber, file.StudyID, file.SeriesNumber, file.InstanceNumber = "A1", "1", 1, number + 1
    file.ReferringPhysicianName = "INVENTED^DOCTOR"
    if file.SOPClassUID == OP8:
        ophthalmic(file)
    return uid


def ophthalmic(file):
    """The rest of what the standard asks of an ophthalmic photograph, most of it empty, as cameras write it."""
    file.PatientOrientation = ["L", "F"]
    file.NumberOfFrames = file.get("NumberOfFrames", 1)
    file.FrameTime, file.FrameIncrementPointer = "1", 0x00181063
    file.ContentDate, file.ContentTime, file.AcquisitionDateTime = "20240314", "101112", "20240314101112"
    file.BurnedInAnnotation = "NO"
    file.SynchronizationFrameOfReferenceUID = generate_uid(entropy_srcs=["clock"])
    file.SynchronizationTrigger, file.AcquisitionTimeSynchronized = "NO TRIGGER", "N"
    for name in ("HorizontalFieldOfView", "EmmetropicMagnification", "IntraOcularPressure", "PupilDilated"):
        setattr(file, name, None)
    file.DetectorType = "CCD"
    file.AcquisitionDeviceTypeCodeSequence = [code("409898007", "SCT", "Fundus Camera")]
    file.PatientEyeMovementCommanded = None
    for name in ("RefractiveState", "IlluminationTypeCode", "LightPathFilterTypeStackCode"):
        setattr(file, name + "Sequence", [])
    file.ImagePathFilterTypeStackCodeSequence, file.LensesCodeSequence = [], []


def topcon(number, rgb, eye):
    file = encapsulated([jpeg(rgb, subsampling="4:2:2")], rgb.shape, "YBR_FULL_422", BASELINE)
    file.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    described(file, number, "TOPCON", "TRC-NW8F plus", eye, "Yamada^Tarou=山田^太郎=やまだ^たろう")
    file.ImageLaterality = eye
    file.PatientAge = f"{30 + number % 50:03d}Y"
    file.LossyImageCompression, file.LossyImageCompressionRatio = "01", "10"
    file.LossyImageCompressionMethod = "ISO_10918_1"
    file.AnatomicRegionSequence = [code("T-AA610", "SRT", "Retina")]
    file.RelativeImagePositionCodeSequence = [code("111900", "DCM", "Macula centered")]
    return file, f"topcon/{file.PatientID}/IMG{number:04d}.dcm"


def canon(number, rgb, eye):
    implicit = number % 2 == 0
    file = with_pixels(
        rgb,
        "RGB",
        planar=number % 3 == 0,
        syntax=IMPLICIT if implicit else EXPLICIT,
        sop_class=SECONDARY_CAPTURE if implicit else VL_PHOTOGRAPHIC,
    )
    described(file, number, "Canon", "CR-2 AF", eye)
    file.Modality = "OT" if implicit else "XC"
    file.ConversionType = "DI"
    file.Laterality = eye
    return file, f"canon/DICOM/IM{number:06d}"


def zeiss(number, rgb, eye):
    called = "RGB" if number % 3 == 0 else "YBR_RCT"
    file = encapsulated([jpeg2000(rgb, True)], rgb.shape, called, JPEG2000_LOSSLESS, fragments=1 + number % 2)
    uid = described(file, number, "Carl Zeiss Meditec", "VISUCAM 500", eye)
    file.ImageLaterality = eye
    file.IssuerOfPatientID = "CLINIC"
    file.AnatomicRegionSequence = [code("81016008", "SCT", "Optic nerve head")] if number % 4 == 0 else []
    return file, f"zeiss/{uid}"


def heidelberg(number, rgb, eye):
    """Every tenth file holds two frames: the photograph and a second one, shifted and darker."""
    frames = np.stack([rgb, (np.roll(rgb, 9, axis=1) * 0.8).astype(np.uint8)]) if number % 10 == 0 else None
    file = with_pixels(rgb if frames is None else frames, "RGB", frames=None if frames is None else 2)
    described(file, number, "Heidelberg Engineering", "SPECTRALIS", eye)
    file.ImageLaterality = eye
    file.PatientAge = f"{20 + number % 60:03d}Y"
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "a.dcm"), Path(folder, "b.dcm")
        before.write_bytes(saved(file))
        tool = ["dcmcrle"] if number % 2 else ["dcmcjpeg", "+e1", "+un"]
        subprocess.run([*tool, before, after], check=True)
        return pydicom.dcmread(after), f"heidelberg/{file.PatientID}_{number}.dicom"


def written(out, name, file):
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved(file))


def others(out, rgb):
    """What lies beside photographs in an archive."""
    oct_volume = with_pixels(rgb[:, :, 0].copy(), "MONOCHROME2", sop_class="1.2.840.10008.5.1.4.1.1.77.1.5.4")
    oct_volume.Modality = "OPT"
    written(out, "heidelberg/volume.dcm", oct_volume)
    report = with_pixels(rgb, "RGB", sop_class="1.2.840.10008.5.1.4.1.1.104.1")
    del report.PixelData
    written(out, "zeiss/report.dcm", report)
    encrypted = encapsulated([bytes(range(7, 255)) * 40], rgb.shape, "YBR_RCT", JPEG2000_LOSSLESS)
    described(encrypted, 9000, "Carl Zeiss Meditec", "CIRRUS", "R")
    written(out, "zeiss/encrypted.dcm", encrypted)
    synthetic = with_pixels(rgb, "RGB")
    described(synthetic, 9002, "INVENTED", "GENERATOR", "R")
    synthetic.add_new(0x0008001C, "CS", "YES")
    written(out, "topcon/synthetic.dcm", synthetic)
    dictionary = with_pixels(rgb, "RGB", sop_class="1.2.840.10008.1.3.10")
    del dictionary.PixelData
    written(out, "canon/DICOMDIR", dictionary)


def main(source, out):
    makers = [topcon, canon, zeiss, heidelberg]
    out = Path(out)
    with open(Path(source, "labels.csv"), newline="") as table:
        names = [row["photograph"] for row in csv.DictReader(table)][:300]
    out.mkdir(parents=True)
    with open(out.parent / "expected.csv", "w", newline="") as expected:
        rows = csv.writer(expected)
        rows.writerow(["file", "maker", "patient", "eye", "frames"])
        for index, name in enumerate(names):
            rgb = np.asarray(Image.open(Path(source, name)).convert("RGB"))
            maker, number = makers[index % 4], index // 4
            eye = "RL"[number % 2]
            file, path = maker(number, rgb, eye)
            written(out, path, file)
            rows.writerow([path, maker.__name__, file.PatientID, eye, file.get("NumberOfFrames", 1)])
    others(out, rgb)


if __name__ == "__main__":
    main(*sys.argv[1:])
