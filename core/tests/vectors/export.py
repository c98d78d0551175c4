"""Writes export_independent.{zip,pem,json}: a key export made without any code of the project.

Needs Python 3 and the package `cryptography`. The key pair is made anew at every run, so the
outputs change and are committed together. Fields are written in an unusual but valid order: keys
before metadata, an unknown field in between.

    python3 export.py
"""

import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = Path(__file__).parent
START, END = 1_600_000_000, 1_600_014_400


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def zigzag(field, value):
    return number(field, value * 2 if value >= 0 else -value * 2 - 1)


def fixed64(field, value):
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def chunk(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


# (list, key byte, start, period, risk, report type, days since onset, variant); None = not written
KEYS = [
    ("new", 0x11, 2_666_016, None, None, None, None, None),
    ("new", 0x22, 2_666_160, 144, 0, 1, -14, True),
    ("revised", 0x33, 2_666_304, 1, 8, 5, 14, False),
    ("new", 0x44, 2_666_310, 71, 7, 2, 0, None),
    ("new", 0x55, 2_666_448, 144, 9, 0, 4000, None),
    ("revised", 0x66, 2_666_592, 143, 1, 3, -1, True),
]


def key_message(byte, start, period, risk, report, days, variant):
    out = b"" if days is None else zigzag(6, days)
    out += chunk(1, bytes([byte]) * 16)
    out += b"" if report is None else number(5, report)
    out += number(3, start)
    out += b"" if period is None else number(4, period)
    out += b"" if risk is None else number(2, risk)
    out += b"" if variant is None else number(8, int(variant))
    return out


def expected(kind, byte, start, period, risk, report, days, variant):
    return {
        "list": kind,
        "key": (bytes([byte]) * 16).hex(),
        "rolling_start": start,
        "rolling_period": 144 if period is None else period,
        "transmission_risk_level": risk if risk is None or risk <= 8 else None,
        "report_type": report or None,
        "days_since_onset": days if days is None or -14 <= days <= 14 else None,
        "variant_of_concern": variant,
    }


def main():
    private = ec.generate_private_key(ec.SECP256R1())
    info = chunk(5, "1.2.840.10045.4.3.2") + chunk(4, "440") + chunk(3, "v7")

    body = b"".join(chunk(7 if key[0] == "new" else 8, key_message(*key[1:])) for key in KEYS)
    body += chunk(99, b"a field of a later version")
    body += number(5, 3) + number(4, 2) + chunk(6, info) + chunk(3, "JP")
    body += fixed64(2, END) + fixed64(1, START)
    export_bin = b"EK Export v1".ljust(16) + body

    der = private.sign(export_bin, ec.ECDSA(hashes.SHA256()))
    signature = chunk(4, der) + number(3, 3) + number(2, 2) + chunk(1, info)
    export_sig = chunk(1, signature)

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(zipfile.ZipInfo("export.sig"), export_sig, zipfile.ZIP_STORED)
        out.writestr(zipfile.ZipInfo("export.bin"), export_bin, zipfile.ZIP_DEFLATED)
    (HERE / "export_independent.zip").write_bytes(archive.getvalue())

    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (HERE / "export_independent.pem").write_bytes(pem)

    document = {
        "key_id": "440",
        "key_version": "v7",
        "start": START,
        "end": END,
        "region": "JP",
        "batch_number": 2,
        "batch_size": 3,
        "sha256": hashlib.sha256(export_bin).hexdigest(),
        "ignored_risk_levels": 1,
        "keys": [expected(*key) for key in KEYS],
    }
    text = json.dumps(document, indent=1) + "\n"
    (HERE / "export_independent.json").write_text(text)


if __name__ == "__main__":
    main()
