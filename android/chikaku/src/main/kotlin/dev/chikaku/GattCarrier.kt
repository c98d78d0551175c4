package dev.chikaku

import dev.chikaku.core.GattDecision
import dev.chikaku.core.GattReadPlanner
import dev.chikaku.core.HeardAdvertisement
import java.util.UUID

/** The service whose characteristic answers a read with the payload, the same on every platform; an app brings UUIDs of its own. */
public data class GattService(val service: UUID, val characteristic: UUID) {
    public constructor(service: String, characteristic: String) :
        this(UUID.fromString(service), UUID.fromString(characteristic))
}

/** A peer with the service, as the platform connects to it. */
public interface GattPeer {
    /** What the platform calls the peer now: its address. Forgotten when the scan is over. */
    public val handle: String

    /** Connects and reads; what comes of it goes to [GattReader.onRead]. Says whether it was begun. */
    public fun connect(): Boolean

    public fun disconnect()
}

/** One scan over GATT: whom to read, as the core's planner says, and what was read. Thread-safe. */
public class GattReader(
    private val planner: GattReadPlanner,
    private val unixSeconds: () -> Long = { System.currentTimeMillis() / 1_000 },
) {
    private class Reading(val peer: GattPeer, val rssiDbm: Int?)

    private val heard = mutableListOf<HeardAdvertisement>()
    private val reading = HashMap<String, Reading>()
    private var isScanning = false

    @Synchronized
    public fun begin() {
        heard.clear()
        isScanning = true
    }

    @Synchronized
    public fun onSeen(peer: GattPeer, rssiDbm: Int?) {
        if (!isScanning) return
        val now = unixSeconds()
        when (val decision = planner.onSeen(peer.handle, now)) {
            is GattDecision.Known -> heard += HeardAdvertisement(now, rssiDbm, decision.serviceData)
            is GattDecision.Read -> {
                reading[peer.handle] = Reading(peer, rssiDbm)
                if (!peer.connect()) onRead(peer, null)
            }
            is GattDecision.Wait -> Unit
        }
    }

    /** A read has ended; `null`: it failed. What a peer says after that counts for nothing. */
    @Synchronized
    public fun onRead(peer: GattPeer, serviceData: ByteArray?) {
        val read = reading[peer.handle]?.takeIf { it.peer === peer }
        if (read != null) {
            reading.remove(peer.handle)
            val now = unixSeconds()
            planner.onRead(peer.handle, serviceData, now)
            if (serviceData != null) heard += HeardAdvertisement(now, read.rssiDbm, serviceData)
        }
        peer.disconnect()
    }

    /** Cuts off what is still being read, and returns everything that was heard. */
    @Synchronized
    public fun end(): List<HeardAdvertisement> {
        isScanning = false
        reading.values.map { it.peer }.forEach { onRead(it, null) }
        return heard.toList().also { heard.clear() }
    }
}

/** What a read is answered with. Thread-safe. */
public class GattAnswer {
    /** The twenty bytes; `null` while nothing is on the air. */
    @Volatile
    public var payload: ByteArray? = null

    /** The payload from an offset on, or `null` for an error. */
    public fun read(offset: Int): ByteArray? =
        payload?.let { if (offset in 0..it.size) it.copyOfRange(offset, it.size) else null }
}
