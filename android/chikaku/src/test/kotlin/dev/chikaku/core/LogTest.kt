package dev.chikaku.core

import dev.chikaku.LogOnDisk
import dev.chikaku.RootKeyStore
import java.io.File
import java.nio.file.Files
import kotlin.test.AfterTest
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

private val KEY = ByteArray(32) { 7 }

/** The log on disk, with the real library and a real folder. */
class LogTest {
    private val temporary: File = Files.createTempDirectory("chikaku").toFile()
    private val folder = File(temporary, "log")

    @AfterTest
    fun clean() {
        temporary.deleteRecursively()
    }

    private fun location(folder: File = this.folder, key: ByteArray = KEY, marker: ByteArray? = null) =
        LogLocation.Folder(folder.path, key, marker)

    private fun open(location: LogLocation = location()) = ExposureNotificationClient.open(configuration(), location)

    @Test
    fun aClientThatIsClosedAndOpenedAgainStillNotifies() {
        val met = Contact(location())
        val first = met.contact.client.openedLog()
        assertTrue(first.isNew)
        met.contact.restart(location(marker = first.installMarker))
        val second = met.contact.client.openedLog()
        assertFalse(second.isNew)
        assertContentEquals(first.installMarker, second.installMarker)
        assertTrue(second.replayedCommits > 0, "the journal was not merged yet")
        met.provide(met.file)
        assertEquals(listOf(DAY to RiskLevel.HIGH), met.contact.announced.map { it.day to it.level })
        met.contact.restart()
        assertEquals(2, met.contact.announced.size, "until the app has confirmed it")
        met.contact.client.onAnnounced(DAY, met.contact.clocks())
        met.contact.restart()
        assertEquals(2, met.contact.announced.size)
        assertEquals(1, met.contact.client.cursor("simulated"))
        met.contact.close()
    }

    @Test
    fun aProcessThatIsKilledLosesNothing() {
        val met = Contact(location())
        // What is on the disk while the client is open is what a kill leaves.
        val left = File(temporary, "left")
        folder.copyRecursively(left)
        met.contact.restart(location(left))
        met.provide(met.file)
        assertEquals(1, met.contact.announced.size)
        met.contact.close()
    }

    @Test
    fun maintenanceMergesAndNothingIsLost() {
        val met = Contact(location())
        val done = assertNotNull(met.contact.client.maintain())
        assertTrue(done.bytesBefore > 0 && done.bytesAfter > 0)
        met.contact.restart()
        assertEquals(0, met.contact.client.openedLog().replayedCommits)
        met.provide(met.file)
        assertEquals(1, met.contact.announced.size)
        assertNull(met.patient.client.maintain(), "in memory there is nothing to do")
        assertEquals(OpenedLog(null, false, 0, null, null), met.patient.client.openedLog())
        met.contact.close()
    }

    @Test
    fun everythingThatCanBeWrongHasItsCode() {
        assertNull(installMarkerAt(folder.path))
        assertFailsWith<ExposureNotificationException.InvalidArgument> { open(location(key = ByteArray(31))) }
        assertFailsWith<ExposureNotificationException.InvalidArgument> { open(location(marker = ByteArray(15))) }
        val client = open()
        val marker = client.openedLog().installMarker
        assertFailsWith<ExposureNotificationException.LogInUse> { open() }
        assertFailsWith<ExposureNotificationException.LogInUse> { deleteLog(folder.path) }
        assertFailsWith<ExposureNotificationException.LogInUse> { installMarkerAt(folder.path) }
        client.start(ClockReading(START, 5_000, Boot.Count(3)))
        client.shutdown()
        assertContentEquals(marker, installMarkerAt(folder.path))
        assertFailsWith<ExposureNotificationException.LogWrongKey> { open(location(key = ByteArray(32))) }
        assertFailsWith<ExposureNotificationException.LogOfOtherInstallation> { open(location(marker = ByteArray(16))) }
        assertFailsWith<ExposureNotificationException.LogAbsent> { open(location(File(temporary, "none"), marker = marker)) }
        val file = File(temporary, "file").also { it.writeText("no folder") }
        assertFailsWith<ExposureNotificationException.LogFailed> { open(location(file)) }
        val keys = File(folder, "keys")
        val good = keys.readBytes()
        keys.writeBytes(good.copyOf().also { it[8] = 99 })
        val newer = assertFailsWith<ExposureNotificationException.LogNewer> { open() }
        assertTrue("99" in newer.message!!)
        keys.writeBytes(good)
        open(location(marker = marker)).shutdown()
    }

    @Test
    fun aDamagedLogIsLeftAsItIsAndBegunAnewWithWhatCanBeRead() {
        val met = Contact(location())
        met.contact.client.maintain()
        val marker = met.contact.client.openedLog().installMarker
        met.contact.close()
        val pages = File(folder, "pages")
        pages.writeBytes(pages.readBytes().also { it[it.size - 1] = (it[it.size - 1] + 1).toByte() })
        val damaged = pages.readBytes()
        val error = assertFailsWith<ExposureNotificationException.LogCorrupt> { open() }
        assertTrue(Regex("[1-9][0-9]* sightings and [1-9][0-9]* records can be read").containsMatchIn(error.message!!))
        assertContentEquals(damaged, pages.readBytes())
        met.contact.restart(location(marker = marker), ExposureNotificationClient::openWithSalvage)
        assertFalse(marker.contentEquals(met.contact.client.openedLog().installMarker))
        met.provide(met.file)
        assertEquals(1, met.contact.announced.size, "what was heard was saved")
        assertEquals(listOf("log"), temporary.list()!!.toList(), "neither a draft nor the damaged log is left")
        met.contact.restart(location(), ExposureNotificationClient::openWithSalvage)
        assertEquals(2, met.contact.announced.size, "a whole log stays as it is")
        met.contact.close()
    }

    @Test
    fun aProcessThatDiesWhileALogIsRenewedFinishesLater() {
        open().shutdown()
        File(folder, "pages").writeBytes(ByteArray(10))
        // A draft that was not finished counts as nothing.
        open(location(File(temporary, "log.draft"))).shutdown()
        assertFailsWith<ExposureNotificationException.LogCorrupt> { open() }
        Contact(location(File(temporary, "log.renewed"))).contact.close()
        val client = open()
        assertTrue(client.sightingsOn(DAY) > 0, "the renewed log is the log")
        client.deleteEverything()
        assertEquals(emptyList(), temporary.list()!!.toList())
    }

    @Test
    fun deletionLeavesNothing() {
        val met = Contact(location())
        val client = met.contact.client
        client.deleteEverything()
        assertEquals(emptyList(), temporary.list()!!.toList())
        assertFailsWith<ExposureNotificationException.Closed> { client.start(met.contact.clocks()) }
        assertFailsWith<ExposureNotificationException.Closed> { client.deleteEverything() }
        deleteLog(folder.path)
        // Whatever state it is in.
        open().shutdown()
        folder.listFiles()!!.filter { it.name != "lock" }.forEach { it.writeText("nonsense") }
        deleteLog(folder.path)
        assertEquals(emptyList(), temporary.list()!!.toList())
        met.patient.client.deleteEverything()
    }

    @Test
    fun scansFromBeforeTheFirstUnlockAreTakenOver() {
        assertFailsWith<ExposureNotificationException.LogAbsent> { ScanSpool.open(folder.path) }
        val met = Contact(location())
        assertFailsWith<ExposureNotificationException.LogInUse> { ScanSpool.open(folder.path) }
        val data = met.patient.onAir!!.serviceData
        val before = met.contact.client.sightingsOn(DAY + 1)
        met.contact.close()
        val spool = ScanSpool.open(folder.path)
        val now = met.room.now
        spool.onScan(Scan(now, now + 4, listOf(HeardAdvertisement(now + 1, -60, data), HeardAdvertisement(now + 2, -61, data))))
        assertFailsWith<ExposureNotificationException.InvalidArgument> { spool.onScan(Scan(-1, now, emptyList())) }
        spool.shutdown()
        spool.shutdown()
        assertFailsWith<ExposureNotificationException.Closed> { spool.onScan(Scan(now, now, emptyList())) }
        met.room.now += 10
        met.contact.restart()
        assertEquals(TakenFromSpool(1, 2, 0), met.contact.client.openedLog().spool)
        assertEquals(before + 2, met.contact.client.sightingsOn(DAY + 1))
        met.contact.restart()
        assertEquals(TakenFromSpool(0, 0, 0), met.contact.client.openedLog().spool)
        met.contact.close()
    }

    @Test
    fun theKeyAndTheLogComeAndGoTogether() {
        val store = object : RootKeyStore {
            var key: ByteArray? = ByteArray(32)
            override var installMarker: ByteArray? = null

            override fun read() = key?.copyOf()

            override fun create() = KEY.copyOf().also { key = it.copyOf() }

            override fun delete() {
                key = null
                installMarker = null
            }
        }
        val log = LogOnDisk(folder, store)
        log.open(configuration()).shutdown()
        assertContentEquals(KEY, store.key, "the key of an earlier installation was dropped")
        assertNotNull(store.installMarker)
        log.open(configuration()).shutdown()
        // The process died before it kept the marker.
        store.installMarker = null
        log.open(configuration()).shutdown()
        assertNotNull(store.installMarker)
        store.key = null
        assertFailsWith<ExposureNotificationException.LogWrongKey> { log.open(configuration()) }
        store.key = KEY.copyOf()
        folder.deleteRecursively()
        assertFailsWith<ExposureNotificationException.LogAbsent> { log.open(configuration()) }
        log.delete()
        assertNull(store.key)
        assertEquals(emptyList(), temporary.list()!!.toList())
        log.open(configuration()).deleteEverything()
        log.delete()
        assertNull(store.installMarker)
    }
}
