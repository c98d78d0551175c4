package dev.chikaku

import dev.chikaku.core.GattReadPlanner
import dev.chikaku.core.HeardAdvertisement
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue

private const val NOW = 1_775_433_600L
private val PAYLOAD = ByteArray(20) { it.toByte() }

/** Reads over GATT with the core's planner; the test plays the system that connects. */
class GattCarrierTest {
    private class Peer(override val handle: String, val connects: Boolean = true) : GattPeer {
        val asked = mutableListOf<String>()

        override fun connect(): Boolean = connects.also { asked += "connect" }

        override fun disconnect() {
            asked += "disconnect"
        }
    }

    private var now = NOW
    private val reader = GattReader(GattReadPlanner(60)) { now }

    private fun see(peer: Peer, rssi: Int = -60) = peer.also { reader.onSeen(it, rssi) }

    private fun List<HeardAdvertisement>.strengths() = map { it.rssiDbm }

    @Test
    fun aPeerIsReadOnceAndItsFurtherSightingsCount() {
        reader.begin()
        val peer = see(Peer("a"), -60)
        // The system makes a new object for each sighting.
        val again = see(Peer("a"), -61)
        assertEquals(listOf("connect") to emptyList<String>(), peer.asked to again.asked)
        reader.onRead(peer, PAYLOAD)
        assertEquals(listOf("connect", "disconnect"), peer.asked)
        reader.onRead(peer, null)
        see(Peer("a"), -62)
        val heard = reader.end()
        assertEquals(listOf<Int?>(-60, -62), heard.strengths())
        assertTrue(heard.all { it.heardAt == NOW && it.serviceData.contentEquals(PAYLOAD) })
        assertEquals(emptyList(), see(Peer("b")).asked, "after the scan nobody is read")

        reader.begin()
        assertEquals(emptyList(), see(Peer("a"), -63).asked, "in the same interval it is known")
        assertEquals(listOf<Int?>(-63), reader.end().strengths())
        now += 600
        reader.begin()
        assertEquals(listOf("connect"), see(Peer("a")).asked, "in the next one it has another payload")
    }

    @Test
    fun aReadThatFailsLeavesThePeerAlone() {
        reader.begin()
        val refusing = see(Peer("a", connects = false))
        val failing = see(Peer("b")).also { reader.onRead(it, null) }
        val wrong = see(Peer("c")).also { reader.onRead(it, ByteArray(19)) }
        for (peer in listOf(refusing, failing, wrong)) {
            assertEquals(listOf("connect", "disconnect"), peer.asked)
            assertEquals(emptyList(), see(Peer(peer.handle)).asked, "it is left alone")
        }
        now += 30
        assertEquals(listOf("connect"), see(Peer("a")).asked)
        assertEquals(listOf(19), reader.end().map { it.serviceData.size }, "the core counts it as malformed")
    }

    @Test
    fun aScanThatEndsCutsOffWhatIsBeingRead() {
        reader.begin()
        val peer = see(Peer("a"))
        assertEquals(emptyList(), reader.end())
        assertEquals(listOf("connect", "disconnect"), peer.asked)
        reader.begin()
        reader.onRead(peer, PAYLOAD)
        assertEquals(emptyList(), reader.end(), "an answer that comes too late")
    }

    @Test
    fun aReadIsAnsweredWithThePayloadFromItsOffset() {
        val answer = GattAnswer()
        assertNull(answer.read(0), "nothing is on the air")
        answer.payload = PAYLOAD
        assertContentEquals(PAYLOAD, answer.read(0))
        assertContentEquals(PAYLOAD.copyOfRange(12, 20), answer.read(12))
        assertContentEquals(ByteArray(0), answer.read(20))
        assertNull(answer.read(21))
        assertNull(answer.read(-1))
        answer.payload = null
        assertNull(answer.read(0))
    }
}
