"""Makes Tests/Fixtures/pictures: small files of kinds that Fovea itself cannot write.

    python3 Tools/reference/picture_fixtures.py

Made with Pillow 13.0 and Python 3.11; the tests state the values that are written here.
"""

import struct
import zlib
from pathlib import Path

from PIL import Image

OUT = Path(__file__).resolve().parents[2] / "Tests/Fixtures/pictures"


def png(width, height, bits, kind, rows, interlace=0):
    """A PNG written by hand: rows of bytes, no filter."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    raw = b"".join(b"\0" + row for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlace))
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    orange = Image.new("RGB", (32, 24), (200, 100, 50))
    orange.convert("CMYK").save(OUT / "cmyk.jpg", quality=90)
    orange.save(OUT / "progressive.jpg", quality=95, progressive=True)
    orange.save(OUT / "subsampled.jpg", quality=95, subsampling="4:2:0")
    orange.save(OUT / "rgb.jpg", quality=95, keep_rgb=True)
    Image.new("L", (32, 24), 77).save(OUT / "grey.jpg", quality=95)
    # 16 bit: 0x20F0 is 33 when scaled to 8 bits and 32 when cut off.
    (OUT / "grey16.png").write_bytes(png(4, 2, 16, 0, [struct.pack(">4H", 0, 0x20F0, 0xFFFF, 257)] * 2))
    (OUT / "rgb16.png").write_bytes(png(1, 1, 16, 2, [struct.pack(">3H", 0xFFFF, 0x20F0, 0)]))
    (OUT / "grey1.png").write_bytes(png(8, 1, 1, 0, [bytes([0b10100000])]))
    Image.frombytes("LA", (2, 1), bytes([200, 255, 200, 128])).save(OUT / "grey-alpha.png")
    Image.frombytes("RGBA", (3, 1), bytes([200, 100, 50, 255, 200, 100, 50, 128, 255, 255, 255, 0])).save(
        OUT / "rgba.png"
    )
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 210, 220])
    palette.putdata([0, 1])
    palette.save(OUT / "palette.png", transparency=1)
    # JPEG 2000: red is 16 times the column, green 20 times the row, blue 80.
    ramp = Image.frombytes(
        "RGB", (16, 12), bytes(v for y in range(12) for x in range(16) for v in (16 * x, 20 * y, 80))
    )
    ramp.save(OUT / "ramp.jp2", irreversible=False, mct=1, num_resolutions=2)
    ramp.save(OUT / "ramp.j2k", irreversible=False, mct=0, num_resolutions=2)
    # 16 bit grey: 4096 times the column.
    grey = Image.frombytes("I;16", (16, 12), struct.pack("<192H", *(4096 * x for y in range(12) for x in range(16))))
    grey.save(OUT / "grey16.jp2", irreversible=False, num_resolutions=2)
    for compression in ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]:
        orange.save(OUT / f"{compression}.tif", compression=compression)
    orange.convert("CMYK").save(OUT / "cmyk.tif")
    orange.convert("F").save(OUT / "float.tif")
    orange.save(OUT / "rgb.webp", quality=95)
    # Half transparent, with a turn of 90 degrees in EXIF.
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGBA", (32, 24), (200, 100, 50, 128)).save(OUT / "turned.webp", lossless=True, exif=exif)
    orange.save(OUT / "animation.webp", save_all=True, append_images=[Image.new("RGB", (32, 24))])


if __name__ == "__main__":
    main()
