# A node keeps its log on disk, is killed, and goes on where it was.
#: COUNT=2
#: CONTROLLERS='--rssi -50'
#: BLUETOOTHD=--experimental
#: START=1775433600
node 0 --store /tmp/store
node 1
sleep 2400
mode=$(stat -c %a /tmp/store.key); echo "# the root key has mode $mode"
[ "$mode" = 600 ]; checked $? 'only the owner may read the root key'
heard=$(events 0 scanned)
kill -9 $NODE_0
wait $NODE_0
mv $NODES/0.events $NODES/0.before
kill -INT $RECORD_0
wait $RECORD_0
rm $NODES/0.in
# BlueZ takes the killed node's advertisement off the air by itself.
sleep 2
node 0 --store /tmp/store
sleep 1200
tell 0 disclose /tmp/keys.zip
tell 1 disclose /tmp/other_keys.zip
await 30 test -s /tmp/keys.zip && await 30 test -s /tmp/other_keys.zip; checked $? 'both disclose their keys'
tell 0 match /tmp/other_keys.zip
tell 1 match /tmp/keys.zip
for number in 0 1; do
  await 30 grep -q '"event":"exposures"' $NODES/$number.events; checked $? "node $number matches"
done
first=$(grep '"event":"exposures"' $NODES/0.events | tail -1 | sed 's/.*"startEpoch":\([0-9]*\).*/\1/')
earliest=$(grep '"event":"exposures"' $NODES/0.events | tail -1 | grep -o '"startEpoch":[0-9]*' | cut -d: -f2 | sort | head -1)
echo "# $heard scans before it was killed; the earliest window begins at ${earliest:-$first}"
[ "${earliest:-0}" -gt 0 ] && [ $((earliest - 1775433600)) -lt 600 ]
checked $? 'the windows reach back to before the node was killed'
keys=$(grep '"event":"exposures"' $NODES/1.events | tail -1 | grep -o '"keys":[0-9]*' | cut -d: -f2)
[ "${keys:-0}" = 1 ]; checked $? "the day's key is the same after the restart"
end 0
end 1
/bed/chikaku log verify /tmp/store >/tmp/verified; checked $? "the log on disk is whole: $(cat /tmp/verified)"
[ -z "$FAILED" ] || { grep -v '"event":"ingested"' $NODES/0.events | head -40 | cut -c1-400; cat $NODES/0.err; tail -5 /tmp/bluetoothd.log; }
[ -z "$FAILED" ]
