"""Unpacks a stock Debian kernel for direct boot, and its Bluetooth modules in load order.

kernel.py MODULES_DIR VMLINUZ MODULES_OUT VMLINUX_OUT
"""

import os
import re
import shutil
import subprocess
import sys

modules_dir, vmlinuz, modules_out, vmlinux_out = sys.argv[1:]

# The secure pairing of `bluetooth` asks for ciphers by name when it starts, so no dependency names
# them; the random generator must be there before `ecdh`.
WANTED = (
    "hmac sha256_generic sha512_generic ctr drbg jitterentropy_rng ecb cmac ecdh_generic aes_generic "
    "crypto_user bluetooth hci_vhci uhid af_alg algif_hash algif_skcipher"
).split()
UNPACK = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"]}

found = {}
for folder, _, names in os.walk(modules_dir):
    for name in names:
        match = re.fullmatch(r"(.*)\.ko(\.xz|\.zst|\.gz)?", name)
        if match:
            found[match[1].replace("-", "_")] = os.path.join(folder, name)


def unpacked(path):
    packed = os.path.splitext(path)[1]
    out = os.path.join(modules_out, os.path.basename(path).removesuffix(packed if packed in UNPACK else ""))
    if not os.path.exists(out):
        if packed in UNPACK:
            with open(out, "wb") as file:
                file.write(subprocess.check_output(UNPACK[packed] + [path]))
        else:
            shutil.copy(path, out)
    return out


order = []


def load(name):
    name = name.replace("-", "_")
    if name not in found or name in order:
        return
    needed = subprocess.check_output(["modinfo", "-F", "depends", unpacked(found[name])], text=True)
    for other in filter(None, needed.strip().split(",")):
        load(other)
    order.append(name)


for name in WANTED:
    load(name)
with open(os.path.join(modules_out, "order"), "w") as file:
    for name in order:
        file.write(os.path.basename(unpacked(found[name])) + "\n")

# Uncompressed, it boots directly: that saves firmware and seconds of emulated unpacking.
image = open(vmlinuz, "rb").read()
for magic, command in (
    (b"\xfd7zXZ\0", ["xz", "-dcq"]),
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dcq"]),
    (b"\x1f\x8b\x08", ["gzip", "-dcq"]),
):
    at = image.find(magic)
    while at >= 0:
        kernel = subprocess.run(command, input=image[at:], capture_output=True).stdout
        if kernel.startswith(b"\x7fELF"):
            open(vmlinux_out, "wb").write(kernel)
            sys.exit()
        at = image.find(magic, at + 1)
sys.exit("no kernel in " + vmlinuz)
