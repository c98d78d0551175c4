# Two nodes beside each other for a day.
#: COUNT=2
#: CONTROLLERS='--rssi -50'
#: BLUETOOTHD=--experimental
#: START=1775433600
SPAN=${SPAN:-86400}
node 0
node 1
sleep $SPAN
tell 0 disclose /tmp/keys.zip
await 30 test -s /tmp/keys.zip; checked $? 'node 0 discloses its keys'
tell 1 match /tmp/keys.zip
await 30 grep -q '"event":"exposures"' $NODES/1.events; checked $? 'node 1 matches them'
end 0
end 1
control flush
sleep 1
/bed/chikaku replay --linux --captures $NODES/captures --json /tmp/windows.json --encounters /tmp \
  --phones 0 --controller 0 >/dev/null; checked $? 'the capture of node 0 is replayed'
/bed/chikaku replay --linux --captures $NODES/captures --json /tmp/windows.json --encounters /tmp \
  --phones 1 --controller 1 >/dev/null; checked $? 'the capture of node 1 is replayed'
for number in 0 1; do
  cmp $NODES/$number.jsonl /tmp/0$number.jsonl; checked $? "replayed, the capture of node $number gives its log"
done
/bed/judge --truth $TRUTH --nodes $NODES --count $COUNT --exposed 1 || FAILED=1
for number in 0 1; do echo "# node $number: $(tail -1 $NODES/$number.record), $(wc -l < $NODES/$number.events) events"; done
[ -z "$FAILED" ] || { for number in 0 1; do head -60 $NODES/$number.events | cut -c1-400; cat $NODES/$number.err $NODES/$number.record; done; tail -5 /tmp/bluetoothd.log; head -40 $TRUTH; }
[ -z "$FAILED" ]
