#!/usr/bin/python3
"""Writes the pictures of this folder again, and beside each the pixels that Pillow decodes from it.

    tests/io/files/pictures/make_files.py

Written with Pillow 9.4 (libjpeg-turbo 2.1.5, libwebp 1.2.4), cwebp 1.2.4 and ImageMagick 6.9.11 of Debian 12. The suite does
not run this script.
"""
import io
import pathlib
import struct
import subprocess

import numpy as np
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parent
GROUND = (10, 200, 60)  # of NAME.ground.ppm; without it white
HEIGHT, WIDTH = 9, 13


def rgb(height=HEIGHT, width=WIDTH):
    """Smooth in all channels, no symmetry."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    return np.stack([255 * x, 255 * y * y, 255 * (1 - x) * (1 - y)], axis=-1).astype(np.uint8)


def alpha(height=HEIGHT, width=WIDTH):
    """0 at the left, 255 at the right, everything between in the middle."""
    x = np.arange(width)
    return np.broadcast_to(np.clip((x - 3) * 37, 0, 255), (height, width)).astype(np.uint8)


def picture(mode):
    colours = Image.fromarray(rgb())
    if mode in ("RGBA", "LA"):
        colours = colours if mode == "RGBA" else colours.convert("L")
        colours.putalpha(Image.fromarray(alpha()))
        return colours
    return colours.convert(mode)


def over(image, ground, grey):
    """RGB or grey pixels of any image, over a ground."""
    if image.mode.startswith("I"):  # 16 bits of grey: the high byte
        return Image.fromarray((np.array(image) >> 8).astype(np.uint8))
    if image.mode in ("LA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        below = Image.new("RGB", image.size, ground)
        below.paste(image, mask=image.getchannel("A"))
        # Of equal channels, Pillow's luma is that channel.
        return below.convert("L") if grey and len(set(ground)) == 1 else below
    return image.convert("L" if grey else "RGB")


def expect(name, ground=False):
    """Writes NAME.ppm or NAME.pgm from the file NAME.*."""
    path = next(p for p in FOLDER.glob(name + ".*") if p.suffix in (".png", ".jpg", ".webp"))
    for colour, suffix in [((255,) * 3, "")] + [(GROUND, ".ground")] * ground:
        image = Image.open(path)
        if path.suffix == ".jpg":
            image = ImageOps.exif_transpose(image)
        colour_type = path.read_bytes()[25] if path.suffix == ".png" else None  # 4: 16 bits of it are RGBA for Pillow
        result = over(image, colour, image.mode in ("1", "L") or colour_type == 4)
        result.save(FOLDER / f"{name}{suffix}.{'pgm' if result.mode == 'L' else 'ppm'}")


def save(name, image, ground=False, **options):
    image.save(FOLDER / name, **options)
    expect(name.split(".")[0], ground)


def magick(name, source, *options, ground=False):
    """By ImageMagick, from the image `source`."""
    memory = io.BytesIO()
    source.save(memory, "png")
    subprocess.run(["convert", "png:-", "-strip", *options, FOLDER / name], input=memory.getvalue(), check=True)
    expect(name.split(".")[0], ground)


def pngs():
    save("grey_8.png", picture("L"))
    save("grey_1.png", picture("1"))
    for depth in (2, 4):
        levels = ["-posterize", f"{2**depth}", "-depth", f"{depth}", "-define", f"png:bit-depth={depth}"]
        magick(f"grey_{depth}.png", picture("L"), *levels, "-define", "png:color-type=0")
    values = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 557
    save("grey_16.png", Image.fromarray(values))
    save("grey_transparent.png", picture("L").point(lambda v: v // 8 * 8), ground=True, transparency=64)
    save("grey_alpha_8.png", picture("LA"), ground=True)
    save("rgb_8.png", picture("RGB"))
    few = picture("RGB").point(lambda v: v // 64 * 64)
    save("rgb_transparent.png", few, ground=True, transparency=few.getpixel((4, 5)))
    save("rgba_8.png", picture("RGBA"), ground=True)
    for depth in (1, 2, 4, 8):
        palette = picture("RGB").quantize(2**depth)
        save(f"palette_{depth}.png", palette, bits=depth)
        clear = bytes(range(0, 256, 256 // 2**depth))
        save(f"palette_{depth}_transparent.png", palette, ground=True, bits=depth, transparency=clear)
    # 16 bits, with low bytes that are not the high ones.
    sixteen = ["-depth", "16", "-evaluate", "multiply", "0.7", "-define", "png:bit-depth=16"]
    for name, mode, kind in [("rgb", "RGB", 2), ("grey_alpha", "LA", 4), ("rgba", "RGBA", 6)]:
        magick(f"{name}_16.png", picture(mode), *sixteen, "-define", f"png:color-type={kind}", ground=kind > 2)
    for name, mode, kind in [("grey", "L", 0), ("rgb", "RGB", 2), ("grey_alpha", "LA", 4), ("rgba", "RGBA", 6)]:
        magick(f"{name}_interlaced.png", picture(mode), "-interlace", "PNG", "-define", f"png:color-type={kind}")
    magick("grey_1_interlaced.png", picture("1"), "-interlace", "PNG")
    magick("palette_interlaced.png", picture("RGB"), "-colors", "12", "-interlace", "PNG", "-define", "png:color-type=3")


def with_segment(jpeg, marker, content, instead_of=None):
    """The bytes of a JPEG with one segment more behind its first marker, and without one that it has."""
    if instead_of is not None:
        at = jpeg.index(bytes([0xFF, instead_of]))
        jpeg = jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0] :]
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + jpeg[2:]


def jpegs():
    smooth = Image.fromarray(rgb(19, 27))
    save("grey.jpg", smooth.convert("L"), quality=90)
    save("colour.jpg", smooth, quality=90, subsampling=0)
    save("subsampled.jpg", smooth, quality=90, subsampling=2)
    save("progressive.jpg", smooth, quality=90, progressive=True)
    magick("sampled_1x2.jpg", smooth, "-quality", "90", "-sampling-factor", "1x2")
    save("cmyk.jpg", smooth.convert("CMYK"), quality=90)
    save("cmyk_turned.jpg", smooth.convert("CMYK"), quality=90, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")

    # What none of these programs writes is made from what they write.
    cmyk = (FOLDER / "cmyk.jpg").read_bytes()
    adobe = cmyk.index(b"Adobe") + 11
    assert cmyk[adobe] == 0
    (FOLDER / "ycck.jpg").write_bytes(cmyk[:adobe] + b"\2" + cmyk[adobe + 1 :])
    expect("ycck")
    plain = (FOLDER / "colour.jpg").read_bytes()
    transform = b"Adobe\0\x64\0\0\0\0\0"  # none: the channels are red, green and blue
    (FOLDER / "rgb.jpg").write_bytes(with_segment(plain, 0xEE, transform, instead_of=0xE0))
    expect("rgb")

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif_{orientation}.jpg", smooth.resize((11, 18)), quality=90, subsampling=0, exif=exif)
    exif[0x0112] = 6
    save("exif_grey.jpg", smooth.convert("L"), quality=90, exif=exif)


def webps():
    save("lossless.webp", picture("RGB"), lossless=True)
    save("lossless_alpha.webp", picture("RGBA"), ground=True, lossless=True)
    save("lossy_alpha.webp", picture("RGBA"), ground=True, quality=90)
    source = io.BytesIO()
    Image.fromarray(rgb(19, 27)).save(source, "png")
    subprocess.run(["cwebp", "-quiet", "-q", "90", "-o", FOLDER / "lossy.webp", "--", "-"], input=source.getvalue(), check=True)
    expect("lossy")
    frames = [picture("RGB"), ImageOps.mirror(picture("RGB"))]
    frames[0].save(FOLDER / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)  # refused


def others():
    """Formats that are named, not read."""
    tiny = picture("RGB").resize((3, 2))
    for suffix in ("gif", "bmp", "tiff"):
        tiny.save(FOLDER / f"tiny.{suffix}")


for old in FOLDER.iterdir():
    if old.suffix not in (".py", ".md"):
        old.unlink()
pngs()
jpegs()
webps()
others()
