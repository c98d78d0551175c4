# Two nodes for eleven minutes of real time, on Debian's own kernel.
#: COUNT=2
#: CONTROLLERS='--rssi -50'
#: BLUETOOTHD=--experimental
#: START=1775433300
node 0
node 1
sleep 660
for number in 0 1; do end $number; done
control flush
sleep 1
for number in 0 1; do
  /bed/chikaku replay --linux --captures $NODES/captures --json /tmp/windows.json --encounters /tmp \
    --phones $number --controller $number >/dev/null
  cmp $NODES/$number.jsonl /tmp/0$number.jsonl; checked $? "replayed, the capture of node $number gives its log"
done
/bed/judge --truth $TRUTH --nodes $NODES --count $COUNT || FAILED=1
[ -z "$FAILED" ] || { for number in 0 1; do head -40 $NODES/$number.events | cut -c1-300; cat $NODES/$number.err $NODES/$number.record; done; tail -5 /tmp/bluetoothd.log; head -40 $TRUTH; }
[ -z "$FAILED" ]
