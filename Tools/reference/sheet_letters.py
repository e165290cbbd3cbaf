"""Draws the letters of contact sheets, Sources/Pictures/SheetLetters.swift, from DejaVu Sans Mono.

The font is that of Debian's fonts-dejavu-core 2.37.

    Tools/reference/sheet_letters.py > Sources/Pictures/SheetLetters.swift

Written with Pillow 13.0. Each letter of ASCII from the space to ~ is a bitmap of WIDTH x HEIGHT: one bit a pixel,
and a byte a row.
"""

import base64

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

WIDTH, HEIGHT, SIZE = 8, 16, 13
font = PIL.ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", SIZE)
rows = bytearray()
for code in range(32, 127):
    letter = PIL.Image.new("1", (WIDTH, HEIGHT))
    drawing = PIL.ImageDraw.Draw(letter)
    drawing.fontmode = "1"
    drawing.text((0, 0), chr(code), font=font, fill=1)
    pixels = letter.load()
    rows += bytes(sum(1 << (7 - x) for x in range(WIDTH) if pixels[x, y]) for y in range(HEIGHT))
text = base64.b64encode(bytes(rows)).decode()
lines = [text[i : i + 108] for i in range(0, len(text), 108)]
bitmaps = "\\\n        ".join(lines)
print(
    f"""import Foundation

/// The letters of contact sheets, one bit a pixel. Tools/reference/sheet_letters.py draws them from DejaVu Sans Mono.
enum SheetLetters {{
    /// The width and height of a letter in pixels.
    static let width = {WIDTH}, height = {HEIGHT}

    /// Whether the pixel in column `x` of row `y` of a letter is set. What is not printable ASCII is a question mark.
    static func isSet(_ letter: Character, x: Int, y: Int) -> Bool {{
        let code = letter.asciiValue.map(Int.init).flatMap {{ (32..<127).contains($0) ? $0 : nil }} ?? 63
        return rows[(code - 32) * height + y] >> (7 - x) & 1 == 1
    }}

    /// A byte for each row of each letter from the space to `~`.
    private static let rows: [UInt8] = {{
        guard let data = Data(base64Encoded: bitmaps) else {{ fatalError("the letters are not base64") }}
        return Array(data)
    }}()

    private static let bitmaps = \"\"\"
        {bitmaps}
        \"\"\"
}}"""
)
