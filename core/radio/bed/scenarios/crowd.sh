# Sixty passers-by beside two nodes: every one of them is heard in one scan.
#: COUNT=2
#: CONTROLLERS='--rssi -50 --crowd 60'
#: BLUETOOTHD=--experimental
#: START=1775433600
node 0
node 1
sleep 620
for number in 0 1; do end $number; done
control flush
sleep 1
for number in 0 1; do
  grep '"event":"scanned"' $NODES/$number.events | tail -1 | grep -q '"identifiers":61'
  checked $? "node $number hears 60 passers-by and the other node in one scan"
done
/bed/judge --truth $TRUTH --nodes $NODES --count $COUNT || FAILED=1
[ -z "$FAILED" ] || { for number in 0 1; do cut -c1-200 $NODES/$number.events; cat $NODES/$number.err; done; tail -5 /tmp/bluetoothd.log; }
[ -z "$FAILED" ]
