# Everything that goes wrong with a radio, one after the other, and how soon a node is back.
#: COUNT=2
#: CONTROLLERS='--rssi -50'
#: BLUETOOTHD=--experimental
#: START=1775433600
# One scan period: the longest pause, and what an unreported scan waits.
PERIOD=370

last_state() { grep '"event":"radio"' $NODES/0.events | tail -1; }
radio_is() { last_state | grep -q "\"condition\":\"$1\""; }
reasons() { grep '"event":"status"' $NODES/0.events | tail -1; }
marks() { ADVERTISED=$(events 0 advertising); SCANNED=$(events 0 scanned); }
is_back() { [ "$(events 0 advertising)" -gt $ADVERTISED ] && [ "$(events 0 scanned)" -gt $SCANNED ] && radio_is Ready; }
recovers() { await $PERIOD is_back; checked $? "$1: on the air and scanning within one scan period"; }

node 0
node 1
await 60 radio_is Ready; checked $? 'the radio is ready'
sleep 700

marks
kill -9 $BLUETOOTHD_PID
await 10 radio_is NoService; checked $? 'bluetoothd is killed: the status says that the service is away'
reasons | grep -q bluetooth_off; checked $? 'with its reason'
sleep 5
start_bluetoothd
recovers 'bluetoothd is killed and started again'

marks
control remove 0
await 10 radio_is NoAdapter; checked $? 'the controller is removed: the status says that there is no adapter'
sleep 5
control add 0
recovers 'the controller is removed and added again'

marks
btmgmt --index 0 power off >/dev/null
await 10 radio_is PoweredOff; checked $? 'the adapter is switched off: the status says so'
sleep 60
radio_is PoweredOff; checked $? 'a node leaves an adapter off that somebody has switched off'
btmgmt --index 0 power on >/dev/null
recovers 'the adapter is switched off and on again'

marks
date -u -s "@$(($(date +%s) + 3600))" >/dev/null
clock_reason() { reasons | grep -q clock_suspect; }
await 30 clock_reason; checked $? 'the clock jumps: the status says that it is suspect'
tell 0 time "$(date +%s)"
tell 1 time "$(date +%s)"
recovers 'the clock jumps an hour, and a trusted time confirms it'

end 0
end 1
control flush
sleep 1
/bed/judge --truth $TRUTH --nodes $NODES --count $COUNT --faults || FAILED=1
[ -z "$FAILED" ] || { grep -v '"event":"scanned"' $NODES/0.events | cut -c1-300; cat $NODES/0.err; tail -20 /tmp/bluetoothd.log; }
[ -z "$FAILED" ]
