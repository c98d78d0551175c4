#!/usr/bin/env bash
# The test bed: the real `chikaku live` on the real kernel and the real BlueZ, with virtual controllers
# instead of hardware. Last line: `N passed, 0 failed`.
#
#   run.sh                 everything, in virtual time (a day takes minutes)
#   run.sh --quick         what every CI runs: two nodes for forty minutes of virtual time
#   run.sh --stock-kernel  two nodes for some minutes on Debian's kernel, emulated: real time
#   run.sh SCENARIO...     some of scenarios/*.sh
#
# It needs Debian with apt (for BlueZ, D-Bus and kernel sources), and root to install what builds
# them. The first run builds a kernel (3 minutes of two cores); all is kept in target/radio-bed.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
repository=$(realpath ../../..)
cache=${CARGO_TARGET_DIR:-$repository/target}/radio-bed
suite=${SUITE:-bookworm}

kernel=user-mode
case "${1:-}" in
  --quick) scenarios=(two_nodes); SPAN=${SPAN:-2400} ;;
  --stock-kernel) kernel=stock; scenarios=(stock_kernel) ;;
  '') scenarios=(faults crowd gatt silent_peers store two_nodes day) ;;
  *) scenarios=("$@") ;;
esac

skip() {
  printf '\n!! SKIPPED: the test bed did not run: %s\n!! No line of `chikaku live` was tested on a radio.\n\n' "$1"
  echo '0 passed, 0 failed'
  exit 0
}

needed=(mmdebstrap cpio openssl)
if [ $kernel = user-mode ]; then
  needed+=(gcc make flex bison bc xz-utils python3)
else
  needed+=(qemu-system-x86 kmod xz-utils zstd python3)
fi
missing=()
for package in "${needed[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || skip 'there is no apt-get'
  [ "$(id -u)" = 0 ] || skip "as another user than root these packages cannot be installed: ${missing[*]}"
  mkdir -p "$cache"
  (
    flock 9 # the tests of the bindings may be installing, too
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  ) 9>"$cache/../apt.lock" || skip "apt-get cannot install ${missing[*]}"
fi

if [ $kernel = user-mode ]; then
  bash guest/userland.sh "$suite" "$cache/$suite" || skip 'the guest could not be unpacked'
  bash guest/user-mode-kernel.sh "$cache/linux" "$cache/build" || skip 'the kernel could not be built'
else
  WITH_KERNEL=1 bash guest/userland.sh "$suite" "$cache/$suite-kernel" || skip 'the guest could not be unpacked'
fi

[ -n "${NO_BUILD:-}" ] || (cd "$repository" && cargo build --quiet --locked -p chikaku-simulator --features live -p chikaku-radio-bed)
binaries=${CARGO_TARGET_DIR:-$repository/target}/debug

passed=0 failed=0
for scenario in "${scenarios[@]}"; do
  printf '\n== %s\n' "$scenario"
  work=$(mktemp -d)
  mkdir -p "$work/bed"
  install -m755 guest/init "$work/init"
  cp guest/library.sh "$work/bed/"
  cp "scenarios/$scenario.sh" "$work/bed/scenario.sh"
  sed -n 's/^#: //p' "scenarios/$scenario.sh" > "$work/bed/environment"
  [ -z "${SPAN:-}" ] || echo "SPAN=$SPAN" >> "$work/bed/environment"
  openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$work/bed/private.pem"
  openssl ec -in "$work/bed/private.pem" -pubout -out "$work/bed/public.pem" 2>/dev/null
  for program in chikaku virtual-controllers judge; do strip -o "$work/bed/$program" "$binaries/$program"; done
  (cd "$work" && find init bed -print0 | cpio --null -o -H newc --quiet) > "$work/bed.cpio"
  log=$cache/$scenario${SPAN:+-$SPAN}.log
  started=$SECONDS
  if [ $kernel = user-mode ]; then
    cat "$cache/$suite/base.cpio" "$work/bed.cpio" > "$work/initrd"
    TMPDIR=${UML_TMPDIR:-/dev/shm} timeout "${LIMIT:-3000}" "$cache/linux" mem="${MEMORY:-1G}" initrd="$work/initrd" \
      con=null con0=fd:0,fd:1 quiet panic=-1 time-travel </dev/null 2>&1 | stdbuf -o0 tr -d '\r' > "$log" || true
  else
    cat "$cache/$suite-kernel/base.cpio" "$work/bed.cpio" > "$work/initrd"
    timeout "${LIMIT:-900}" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1024 -nodefaults -display none \
      -no-reboot -serial stdio -kernel "$cache/$suite-kernel/vmlinux" -initrd "$work/initrd" \
      -append 'console=ttyS0 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on' \
      </dev/null 2>&1 | stdbuf -o0 tr -d '\r' > "$log" || true
  fi
  rm -rf "$work"
  grep -E '^(ok|not ok|#|GUEST)' "$log" || true
  echo "# $((SECONDS - started)) s of wall time"
  passed=$((passed + $(grep -c '^ok ' "$log" || true)))
  failed=$((failed + $(grep -c '^not ok ' "$log" || true)))
  if ! grep -q '^GUEST-RESULT 0' "$log"; then
    echo "not ok - $scenario came to its end; $log has all it said"
    tail -40 "$log" | cut -c1-300
    failed=$((failed + 1))
  fi
done
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
