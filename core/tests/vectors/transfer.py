#!/usr/bin/env python3
"""Makes transfer.json: sealed transfers, by Python's cryptography package.

    python3 transfer.py > transfer.json

Written from the description in core/src/transfer.rs. Byte i of a plaintext is i * 7 + i // 251,
modulo 256. Large containers are given by their SHA-256.
"""

import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 65536


def plaintext(length):
    return bytes((i * 7 + i // 251) % 256 for i in range(length))


def derive(secret, salt, what, length):
    info = b"chikaku transfer 1 " + what
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def seal(message, secret, salt, prefix):
    check = derive(secret, salt, b"check", 16)
    header = b"CHIKAKU\0" + (1).to_bytes(2, "big") + salt + check + prefix
    cipher = ChaCha20Poly1305(derive(secret, salt, b"key", 32))
    chunks = [message[i : i + CHUNK] for i in range(0, len(message), CHUNK)] or [b""]
    sealed = [header]
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        nonce = prefix + number.to_bytes(4, "big") + bytes([last])
        sealed.append(cipher.encrypt(nonce, chunk, header))
    return b"".join(sealed)


def main():
    cases = []
    lengths = [0, 1, 31, 500, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17]
    for number, length in enumerate(lengths):
        secret = hashlib.sha512(b"secret %d" % number).digest()[: 16 + 6 * number]
        random = hashlib.sha256(b"random %d" % number).digest()[:23]
        salt, prefix = random[:16], random[16:]
        container = seal(plaintext(length), secret, salt, prefix)
        case = {
            "secret": secret.hex(),
            "salt": salt.hex(),
            "nonce_prefix": prefix.hex(),
            "plaintext_length": length,
            "container_sha256": hashlib.sha256(container).hexdigest(),
        }
        if length <= 500:
            case["container"] = container.hex()
        cases.append(case)
    print(json.dumps(cases, indent=1))


main()
