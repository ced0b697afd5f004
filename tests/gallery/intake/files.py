"""Files that people bring: good ones, strange ones and hostile ones, made here."""

import io
import json
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """The bytes of a file."""
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40), colour: object = "teal") -> Image.Image:
    """A plain one."""
    return Image.new(mode, size, colour)


def png(**text: str) -> bytes:
    """A PNG with text chunks."""
    facts = PngImagePlugin.PngInfo()
    for key, value in text.items():
        facts.add_itxt(key, value)
    return saved(picture(), pnginfo=facts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of one colour whose rows pack to next to nothing: 50,000 x 50,000 would be 7.5 GB."""
    packer = zlib.compressobj(9)
    row = b"\0" + bytes(width * 3)
    rows = [packer.compress(row) for _n in range(min(height, 200))]
    body = b"".join([*rows, packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG with a compressed text of 60 MB."""
    text = b"parameters\0\0" + zlib.compress(bytes(60_000_000), 9)
    whole = saved(picture())
    return whole[:33] + _chunk(b"zTXt", text) + whole[33:]


def gif(frames: int) -> bytes:
    """A GIF that moves: red first, then blue."""
    start = saved(picture("P", (16, 16), 0), "GIF")
    first = Image.new("RGB", (16, 16), "red")
    data = saved(first, "GIF", save_all=True, append_images=[Image.new("RGB", (16, 16), "blue")], duration=20)
    assert start
    # The second frame over and over: what stands between the first one's end and the trailer.
    second = data.rindex(b"\x21\xf9\x04")
    return data[:second] + data[second:-1] * (frames - 1) + b"\x3b"


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"


def polyglot() -> bytes:
    """A good JPEG that is a web page as well, in its comment and behind its end."""
    return saved(picture(), "JPEG", comment=HTML) + HTML


def deep(channels: str = "L") -> bytes:
    """16 bits a colour, from black to white."""
    if channels == "L":
        image = Image.new("I;16", (256, 4))
        for x in range(256):
            for y in range(4):
                image.putpixel((x, y), x * 257)
        return saved(image)
    rows = b"".join(b"\0" + b"".join(struct.pack(">HHH", x * 257, 0, 65535) for x in range(256)) for _y in range(4))
    header = struct.pack(">IIBBBBB", 256, 4, 16, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def with_place() -> bytes:
    """A photograph that says where it was taken, by whom, and that it lies on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x8298] = "Maker", "Camera 1", "© Jane Doe".encode()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "W", 4: (13.0, 24.0, 0.0)})
    return saved(picture(), "JPEG", exif=exif)


def wide_gamut() -> bytes:
    """A PNG whose profile is not sRGB: the same numbers mean other colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    return saved(picture(colour=(80, 120, 60)), icc_profile=profile.tobytes())


def with_comment(words: str) -> bytes:
    """A JPEG with A1111's settings in its EXIF, as that program writes them."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words.encode("utf-16-be")
    return saved(picture(), "JPEG", exif=exif)


def zipped(entries: dict[str, bytes], **options) -> bytes:
    """A zip of these."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return data.getvalue()


def zip_with_link() -> bytes:
    """A zip with a symbolic link to a file of the machine."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("holiday.png")
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return data.getvalue()


def zip_bomb(size: int = 100_000_000) -> bytes:
    """One entry that becomes a thousand times as large."""
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("pear.png", "w") as entry,
    ):
        for _n in range(size // 1_000_000):
            entry.write(bytes(1_000_000))
    return data.getvalue()


A1111 = """a (red:1.2) pear, studio light <lora:fruit:0.8>
on a table
Negative prompt: blurry, text
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 4294967295, Size: 512x768, Model hash: 6ce0161689, \
Model: v1-5-pruned, Lora hashes: "fruit: 0a1b, other: 2c3d", Version: v1.9.0"""

COMFYUI = json.dumps(
    {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 156680208700286,
                "steps": 20,
                "cfg": 8,
                "sampler_name": "euler_ancestral",
                "scheduler": "normal",
                "denoise": 1,
                "model": ["10", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "models\\sdxl_base.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["11", 0], "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["4", 1]}},
        "10": {
            "class_type": "LoraLoader",
            "inputs": {"lora_name": "fruit.safetensors", "strength_model": 0.7, "model": ["4", 0], "clip": ["4", 1]},
        },
        "11": {"class_type": "PrimitiveString", "inputs": {"value": "a glass bottle, purple galaxy"}},
    }
).replace('"denoise": 1', '"denoise": NaN')

FLUX = json.dumps(
    {
        "1": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"noise": ["2", 0], "guider": ["3", 0], "sampler": ["4", 0], "sigmas": ["5", 0]},
        },
        "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
        "3": {"class_type": "BasicGuider", "inputs": {"model": ["6", 0], "conditioning": ["7", 0]}},
        "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "5": {"class_type": "BasicScheduler", "inputs": {"scheduler": "simple", "steps": 24, "model": ["6", 0]}},
        "6": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
        "7": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["8", 0]}},
        "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "a plum", "clip": ["9", 0]}},
    }
)

INVOKEAI = json.dumps(
    {
        "positive_prompt": "a plum",
        "negative_prompt": "stone",
        "seed": 7,
        "steps": 30,
        "cfg_scale": 7.5,
        "scheduler": "dpmpp_2m_k",
        "model": {"key": "x", "hash": "blake3:ab", "name": "Juggernaut XL"},
        "loras": [{"model": {"name": "fruit"}, "weight": 0.6}],
    }
)
INVOKEAI_OLD = json.dumps(
    {
        "model_weights": "stable-diffusion-1.5",
        "model_hash": "cc6cb27103",
        "image": {
            "prompt": [{"prompt": "a fig [leaf, stem]", "weight": 1}],
            "steps": 50,
            "cfg_scale": 7.5,
            "sampler": "k_euler_a",
            "seed": 3021,
        },
    }
)
DREAM = '"a date, ripe [bowl]" -s50 -S3021 -W512 -H512 -C7.5 -Ak_heun'


def dicom(values: np.ndarray, *, stored: int = 12, **more) -> bytes:
    """A medical picture of a patient with a name; values [H, W] uint16, or [frames, H, W]."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    said = Dataset()
    said.file_meta = meta
    said.SOPClassUID, said.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    said.PatientName, said.PatientID, said.PatientBirthDate = "Doe^Jane", "4711", "19700101"
    said.SamplesPerPixel, said.PhotometricInterpretation, said.PixelRepresentation = 1, "MONOCHROME2", 0
    said.Rows, said.Columns = values.shape[-2:]
    said.BitsAllocated, said.BitsStored, said.HighBit = 16, stored, stored - 1
    if values.ndim == 3:
        said.NumberOfFrames = len(values)
    for name, value in more.items():
        setattr(said, name, value)
    said.PixelData = values.astype("<u2").tobytes()
    data = io.BytesIO()
    said.save_as(data, enforce_file_format=True)
    return data.getvalue()
