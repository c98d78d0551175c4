#!/usr/bin/env bash
# The guest's files: BlueZ, D-Bus and a shell out of Debian's packages, unpacked and not installed.
# With WITH_KERNEL=1 also Debian's kernel with its Bluetooth modules.
#   userland.sh SUITE OUT      makes OUT/base.cpio, and OUT/vmlinux with a kernel; nothing if they exist
set -euo pipefail
suite=$1 out=$2
with_kernel=${WITH_KERNEL:-}
if [ -s "$out/base.cpio" ] && { [ -z "$with_kernel" ] || [ -s "$out/vmlinux" ]; }; then exit 0; fi
rm -rf "$out"
mkdir -p "$out"
root=$out/root stage=$out/stage
packages=bluez,dbus-daemon,libdbus-1-3,libgcc-s1,busybox-static
[ -z "$with_kernel" ] || packages=$packages,linux-image-amd64
mmdebstrap --quiet --variant=extract --include="$packages" "$suite" "$root"

mkdir -p "$stage"/{bin,sbin,proc,sys,dev,tmp,run/dbus,etc/dbus-1,usr/bin,usr/sbin,usr/lib,usr/libexec/bluetooth}
mkdir -p "$stage"/{lib64,usr/share/dbus-1,var/lib/bluetooth,modules,root}
ln -s /run "$stage/var/run"
ln -s /usr/lib "$stage/lib"
cp "$(find "$root" -name busybox -type f -perm -1 -print -quit)" "$stage/bin/busybox"

libraries=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu:$root/lib:$root/usr/lib
# Where a file of this name is, in whichever of the folders exist.
first() { name=$1; shift; { find -L "$@" -name "$name" -print -quit 2>/dev/null || true; } | head -1; }
loader=$(first ld-linux-x86-64.so.2 "$root/lib64" "$root/usr/lib64")
for program in usr/libexec/bluetooth/bluetoothd usr/bin/btmgmt usr/bin/btmon usr/bin/dbus-daemon usr/bin/dbus-send; do
  cp "$root/$program" "$stage/$program"
  "$loader" --library-path "$libraries" --list "$root/$program" |
    awk '$2 == "=>" && $1 !~ /ld-linux/ { print $1, $3 }' |
    while read -r name path; do [ -e "$stage/usr/lib/$name" ] || cp -L "$path" "$stage/usr/lib/$name"; done
done
# What Rust programs need besides.
for name in libgcc_s.so.1 libm.so.6 libc.so.6; do
  [ -e "$stage/usr/lib/$name" ] ||
    cp -L "$(first "$name" "$root/lib/x86_64-linux-gnu" "$root/usr/lib/x86_64-linux-gnu")" "$stage/usr/lib/$name"
done
cp -L "$loader" "$stage/lib64/ld-linux-x86-64.so.2"

cat > "$stage/etc/dbus-1/system.conf" <<'CONFIGURATION'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_type="method_call"/><allow send_type="signal"/><allow send_requested_reply="true"/>
    <allow receive_type="method_call"/><allow receive_type="signal"/>
    <allow receive_type="method_return"/><allow receive_type="error"/>
  </policy>
</busconfig>
CONFIGURATION
echo 'root:x:0:0:root:/root:/bin/sh' > "$stage/etc/passwd"
echo 'root:x:0:' > "$stage/etc/group"
echo 'passwd: files' > "$stage/etc/nsswitch.conf"
echo 00000000000000000000000000000001 > "$stage/etc/machine-id"

if [ -n "$with_kernel" ]; then
  modules=$({ find "$root/lib/modules" "$root/usr/lib/modules" -mindepth 1 -maxdepth 1 -type d -print -quit 2>/dev/null || true; } | head -1)
  python3 "$(dirname "$0")/kernel.py" "$modules" "$(find "$root/boot" -name 'vmlinuz-*' -print -quit)" "$stage/modules" "$out/vmlinux"
fi
(cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc --quiet) > "$out/base.cpio.part"
rm -rf "$root" "$stage"
mv "$out/base.cpio.part" "$out/base.cpio"
