# Five nodes for a day. Node 1 and 2 are beside node 0, node 3 passes by, node 4 is out of range.
# Much is lost, as among people's bodies; it is also what makes a day bearable: most of its cost is
# reports.
#: COUNT=5
#: CONTROLLERS='--rssi -50 --loss 0.6'
#: BLUETOOTHD=--experimental
#: START=1775433600
SPAN=${SPAN:-86400}
nodes='0 1 2 3 4'
for other in 0 1 2 4; do control rssi $other 3 -92; control rssi 3 $other -92; done
for other in 0 1 2 3; do control rssi $other 4 -95; control rssi 4 $other -95; done
for number in 0 1; do node $number; done
for number in 2 3 4; do unrecorded_node $number; done
sleep $((SPAN * 5 / 12))
# Node 3 is near for two minutes: no reason to tell it.
control rssi 0 3 -55; control rssi 3 0 -55
sleep 120
control rssi 0 3 -92; control rssi 3 0 -92
sleep $((SPAN * 7 / 12 - 120))
tell 0 disclose /tmp/keys.zip
await 30 test -s /tmp/keys.zip; checked $? 'node 0 discloses its keys'
for number in 1 2 3 4; do tell $number match /tmp/keys.zip; done
for number in 1 2 3 4; do await 60 grep -q '"event":"exposures"' $NODES/$number.events; done
for number in $nodes; do end $number; done
control flush
sleep 1
for number in 0 1; do
  /bed/chikaku replay --linux --captures $NODES/captures --json /tmp/windows.json --encounters /tmp \
    --phones $number --controller $number >/dev/null
  cmp $NODES/$number.jsonl /tmp/0$number.jsonl; checked $? "replayed, the capture of node $number gives its log"
done
/bed/judge --truth $TRUTH --nodes $NODES --count $COUNT --exposed 1,2 || FAILED=1
[ -z "$FAILED" ] || { for number in $nodes; do tail -5 $NODES/$number.events | cut -c1-400; cat $NODES/$number.err; done; tail -5 /tmp/bluetoothd.log; }
[ -z "$FAILED" ]
