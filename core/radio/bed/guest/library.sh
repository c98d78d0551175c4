# What scenarios are written with. Busybox's shell.

NODES=/tmp/nodes
TRUTH=/tmp/truth.jsonl
CONTROL=/tmp/control
set_up() { mkdir -p $NODES/captures; }

# ok NAME: what came before it succeeded; not_ok NAME: it did not.
checked() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; FAILED=1; fi; }

# await SECONDS COMMAND...: until it succeeds, or that many seconds are over. Virtual seconds cost nothing.
await() {
  left=$1; shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1)); [ $left -gt 0 ] || return 1
    sleep 1
  done
}

start_bus() { dbus-daemon --config-file=/etc/dbus-1/system.conf --fork --nopidfile; }

controllers_exist() { [ "$(ls /sys/class/bluetooth | grep -c '^hci[0-9]*$')" -ge "$COUNT" ]; }

start_controllers() {
  mkfifo $CONTROL
  # Somebody keeps it open, or the controllers would read its end.
  sleep 1000000 > $CONTROL &
  /bed/virtual-controllers --count "$COUNT" --truth $TRUTH $CONTROLLERS < $CONTROL 2>/tmp/controllers.err &
  await 60 controllers_exist || echo "GUEST no controllers: $(cat /tmp/controllers.err)"
}

control() { echo "$*" > $CONTROL; }

adapter_exists() {
  dbus-send --system --print-reply --dest=org.bluez "/org/bluez/hci$((COUNT - 1))" \
    org.freedesktop.DBus.Properties.GetAll string:org.bluez.LEAdvertisingManager1
}

start_bluetoothd() {
  /usr/libexec/bluetooth/bluetoothd -n $BLUETOOTHD >/tmp/bluetoothd.log 2>&1 &
  BLUETOOTHD_PID=$!
  await 60 adapter_exists || echo "GUEST no adapter: $(tail -5 /tmp/bluetoothd.log)"
}

# record N: a recorder of controller N. Every recorder hears all controllers, so they cost most of a
# long run.
record() {
  /bed/chikaku record --adapter "hci$1" "$NODES/captures/0$1.btsnoop" >"$NODES/$1.record" 2>&1 &
  eval "RECORD_$1=$!"
  # The first scan begins as soon as the node does; on a busy machine a recorder may come later.
  await 30 test -s "$NODES/captures/0$1.btsnoop" || echo "GUEST no recorder: $(cat "$NODES/$1.record")"
}

# node N [OPTIONS]: a node on adapter N, with a recorder of its controller beside it.
node() { record "$1"; unrecorded_node "$@"; }

unrecorded_node() {
  number=$1; shift
  mkfifo "$NODES/$number.in"
  sleep 1000000 > "$NODES/$number.in" &
  /bed/chikaku live --adapter "hci$number" --json --show-identifiers --public-key /bed/public.pem \
    --sign-with /bed/private.pem --encounters "$NODES/$number.jsonl" "$@" \
    < "$NODES/$number.in" > "$NODES/$number.events" 2>"$NODES/$number.err" &
  eval "NODE_$number=$!"
}

tell() { number=$1; shift; echo "$*" > "$NODES/$number.in"; }

# Ends a node and its recorder, if it has one, and waits for both.
end() {
  eval "kill -INT \$NODE_$1; wait \$NODE_$1"; checked $? "node $1 ends when it is told to"
  eval "[ -n \"\$RECORD_$1\" ]" || return 0
  eval "kill -INT \$RECORD_$1; wait \$RECORD_$1"; checked $? "its recorder, too"
}

events() { grep -c "\"event\":\"$2\"" "$NODES/$1.events"; }
