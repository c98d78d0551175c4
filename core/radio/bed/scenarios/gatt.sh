# Node 0 broadcasts; node 1 cannot, and is read by node 0.
#: COUNT=2
#: CONTROLLERS='--rssi -50'
#: BLUETOOTHD=--experimental
#: START=1775433600
service=6f1a8c3e-52d4-4b0b-9c57-1e2f3a4b5c6d
characteristic=6f1a8c3f-52d4-4b0b-9c57-1e2f3a4b5c6d
carrier="--gatt-service $service --gatt-characteristic $characteristic"
payloads() { grep '"event":"advertise"' $NODES/$1.events | sed 's/.*"payload":"\(.\{32\}\).*/\1/'; }
hears() { grep '"event":"scanned"' $NODES/$1.events | grep -c "$2"; }
truths() { grep "\"controller\":$1," $TRUTH | grep -c "\"event\":\"$2\""; }
meets_all_of() {
  missed=0
  for payload in $(payloads $2); do [ "$(hears $1 $payload)" -gt 0 ] || missed=$((missed + 1)); done
  echo "# node $1 heard all but $missed of the $(payloads $2 | wc -l) payloads of node $2"
  # The first and the last may have been on the air for less than the pause between two scans.
  [ $missed -le 1 ]
}

node 0 $carrier
node 1 $carrier --gatt-only
sleep 3600
meets_all_of 0 1; checked $? 'a node that only has the characteristic is logged by one that broadcasts'
meets_all_of 1 0; checked $? 'and the other way round'
[ "$(truths 1 advertising_on)" -gt 0 ] && ! grep '"controller":1,' $TRUTH | grep '"event":"advertising_on"' | grep -qi 6ffd
checked $? 'that node broadcasts no service data'
control flush
connected=$(truths 0 connected)
intervals=$(payloads 1 | wc -l)
echo "# $connected connections for $intervals payloads"
[ $connected -gt 0 ] && [ $connected -le $((intervals + 1)) ]; checked $? 'each payload is read once'

on_air=$(grep '"event":"advertising_on"' $TRUTH | grep '"controller":0,' |
  sed 's/.*"address":"\([^"]*\)".*"data":"\([^"]*\)".*/\1 \2/' | sort -u)
linked=$(echo "$on_air" | cut -d' ' -f1 | sort | uniq -d | wc -l)
[ "$linked" = 0 ]; checked $? 'each address of the broadcasts has one payload'
# The kernel takes the broadcast off the air while it connects, and puts it back under a new address.
moved=$(echo "$on_air" | cut -d' ' -f2 | sort | uniq -d | wc -l)
echo "# $moved of $(payloads 0 | wc -l) payloads were on the air under more than one address"

tell 1 disclose /tmp/keys1.zip
tell 0 disclose /tmp/keys0.zip
await 30 test -s /tmp/keys1.zip && await 30 test -s /tmp/keys0.zip; checked $? 'both disclose their keys'
tell 0 match /tmp/keys1.zip
tell 1 match /tmp/keys0.zip
for number in 0 1; do
  await 30 grep -q '"event":"announce"' $NODES/$number.events; checked $? "node $number is told of the other one"
done
end 0
end 1
[ -z "$FAILED" ] || { for number in 0 1; do grep -v '"event":"ingested"' $NODES/$number.events | head -40 | cut -c1-300; cat $NODES/$number.err; done; tail -40 /tmp/bluetoothd.log; grep -v '"event":"report"' $TRUTH | grep -v '"scan_o' | head -60 | cut -c1-200; }
[ -z "$FAILED" ]
