# Beside the node that is read, four that can be connected to and stay silent. Linux 6.1.192 as it
# comes sooner or later deletes a channel twice when such a peer is given up, and panics in
# hci_chan_del; guest/user-mode-kernel.sh mends that.
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

node 0 $carrier
node 1 $carrier --gatt-only
sleep 60
before=$(events 0 scanned)
begun=$(truths 0 connecting)
control mute 4 $service
SPAN=${SPAN:-3600}
sleep $SPAN
scans=$(($(events 0 scanned) - before))
begun=$(($(truths 0 connecting) - begun))
echo "# beside four mutes: $scans scans, $begun connections begun, $(truths 0 connecting_cancelled) given up"
[ $scans -ge $((SPAN / 300)) ]; checked $? 'four peers that never answer cost no scan'
[ $begun -le $((6 * scans)) ]; checked $? 'and no more connections than fit into the time of a scan'
last=$(payloads 1 | tail -2 | head -1)
[ "$(hears 0 $last)" -gt 0 ]; checked $? 'whoever answers is logged beside them'

end 0
end 1
[ -z "$FAILED" ]
