#!/usr/bin/env bash
# A user-mode Linux with Bluetooth, from Debian's kernel sources: Debian's own package of it has none.
# It runs as a program, so it needs neither a hypervisor nor privileges, and its time is virtual.
#   user-mode-kernel.sh OUT WORK      nothing if this very script has made OUT; otherwise 6 minutes of
#                                     processor time, on all cores, and 650 MB
set -euo pipefail
out=$(realpath -m "$1") work=$(realpath -m "$2") here=$(realpath "$(dirname "$0")")
recipe=$(cat "$here/user-mode-kernel.sh" "$here/user-mode.config" | sha256sum | cut -d' ' -f1)
made_by() { [ "$(cat "$1" 2>/dev/null)" = "$recipe" ]; }
if [ -x "$out" ] && made_by "$out.recipe"; then exit 0; fi
mkdir -p "$work"
cd "$work"
source=linux-source-6.1
if ! made_by src/.recipe; then
  rm -rf src
  apt-get download "$source" >/dev/null
  unpack() {
    dpkg-deb --fsys-tarfile "$source"_*.deb | tar xO "./usr/src/$source.tar.xz" | xz -dcT0 | tar x "$@" 2>/dev/null
  }
  # Without the drivers that nobody builds here, but with their part of the configuration.
  unpack --exclude='*/Documentation/*' --exclude='*/drivers/gpu/*' --exclude='*/drivers/media/*' \
    --exclude='*/drivers/net/ethernet/*' --exclude='*/drivers/net/wireless/*' --exclude='*/sound/*' \
    --exclude='*/tools/testing/*' --exclude='*/arch/arm*' --exclude='*/arch/powerpc/*' --exclude='*/arch/mips/*'
  unpack --wildcards '*/Kconfig*' '*/Makefile' '*/Kbuild'
  mv "$source" src
  rm -f "$source"_*.deb
  cd src
  # Processors with AMX have more state than 2,696 bytes, and PTRACE_SETREGSET wants its exact size
  # (mended in Linux 6.14): otherwise it panics with "ptrace set fp regs failed, errno = 14".
  sed -i 's/DEFINE_LONGS(HOST_FP_SIZE, 2696)/DEFINE_LONGS(HOST_FP_SIZE, 12288)/' arch/x86/um/user-offsets.c
  python3 - <<'PATCH'
path = "arch/x86/um/os-Linux/registers.c"
text = open(path).read()
text = text.replace("int have_xstate_support;", "int have_xstate_support;\nstatic unsigned long host_xstate_len;")
whole = "iov.iov_len = FP_SIZE * sizeof(unsigned long);"
at = text.index(whole, text.index("int restore_fp_registers"))
text = text[:at] + "iov.iov_len = host_xstate_len;" + text[at + len(whole):]
text = text.replace(
    "\t\thave_xstate_support = 1;\n",
    "\t{\n\t\thave_xstate_support = 1;\n\t\thost_xstate_len = iov.iov_len;\n\t}\n",
)
open(path, "w").write(text)

# Linux 6.1.192 deletes the HCI channel of an L2CAP connection when its last socket is closed. If the
# link has ended before that, cleaning up the link has deleted it already, and the kernel panics in
# hci_chan_del. Here it is deleted with the link, once, as it was before.
path = "net/bluetooth/l2cap_core.c"
text = open(path).read()
late = "\thci_chan_del(conn->hchan);\n\thci_conn_put(conn->hcon);\n"
end = "\tmutex_unlock(&conn->chan_lock);\n\n\thcon->l2cap_data = NULL;\n"
if late in text and end in text:
    text = text.replace(late, "\tif (conn->hchan)\n\t" + late)
    once = "\thci_chan_del(conn->hchan);\n\tconn->hchan = NULL;\n\thcon->l2cap_data"
    text = text.replace(end, end.replace("\thcon->l2cap_data", once))
    open(path, "w").write(text)
PATCH
  echo "$recipe" > .recipe
  cd ..
fi
cd src
make ARCH=um KCONFIG_ALLCONFIG="$here/user-mode.config" allnoconfig > configuration.log 2>&1
if ! grep -q '^CONFIG_BT_HCIVHCI=y' .config || ! grep -q '^CONFIG_BT_LE=y' .config; then
  tail configuration.log
  exit 1
fi
make ARCH=um -j"$(nproc)" linux > build.log 2>&1 || { tail -20 build.log; exit 1; }
mkdir -p "$(dirname "$out")"
strip --strip-debug -o "$out" linux
echo "$recipe" > "$out.recipe"
