#!/usr/bin/env python3
"""Makes key_schedule.json with the Python package `cryptography`, independently of the Rust code.

    python3 key_schedule.py > key_schedule.json

Rule: GAEN crypto spec 1.2. The keys are SHA-256 of a counter, so that anyone gets the same file.
"""

import hashlib
import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

INTERVALS = [0, 1, 143, 144, 2642976, 2642976 + 143, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
METADATA = [(0x40, -60), (0x40, 0), (0x40, 8), (0x50, -24), (0x54, -1), (0x58, 20), (0x5C, -15)]


def hkdf(key, info):
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=info).derive(key)


def encrypt(key, mode, data):
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def case(number):
    key = hashlib.sha256(b"chikaku key schedule %d" % number).digest()[:16]
    identifier_key = hkdf(key, b"EN-RPIK")
    metadata_key = hkdf(key, b"EN-AEMK")
    version, power = METADATA[number % len(METADATA)]
    metadata = struct.pack("Bbxx", version, power)
    advertised = []
    for interval in INTERVALS:
        padded = b"EN-RPI" + bytes(6) + struct.pack("<I", interval)
        identifier = encrypt(identifier_key, modes.ECB(), padded)
        encrypted = encrypt(metadata_key, modes.CTR(identifier), metadata)
        advertised.append(
            {"interval": interval, "rpi": identifier.hex(), "aem": encrypted.hex()}
        )
    return {"tek": key.hex(), "metadata": metadata.hex(), "advertised": advertised}


print(
    json.dumps(
        {
            "source": "key_schedule.py, with the Python package cryptography",
            "cases": [case(number) for number in range(28)],
        },
        indent=1,
    )
)
