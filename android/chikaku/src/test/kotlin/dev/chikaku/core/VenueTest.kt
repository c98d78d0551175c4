package dev.chikaku.core

import java.io.File
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

private const val NAME = "Kissa Kamome"

/** From the poster at the door to the phone that tells, and nobody between. */
class VenueTest {
    private val server = SimulatedKeyServer(1)
    private val code = server.issueVenue(NAME, 60, DAY)
    private val room = Room()

    private fun Phone.checkIn(text: String) = client.checkIn(text, clocks()).outcome

    private fun Phone.provide(packed: ByteArray): VenueWarningsOutcome {
        val result = client.provideVenueWarnings(packed, clocks())
        carryOut(result.actions)
        return result.outcome
    }

    @Test
    fun whoWasThereIsToldOnTheOwnPhoneAndNobodyElse() {
        val temporary: File = Files.createTempDirectory("chikaku").toFile()
        val onDisk = LogLocation.Folder(File(temporary, "log").path, ByteArray(32), null)
        val patient = room.phone(configuration(server).copy(uploadServer = TAKES_VISITS))
        val visitor = room.phone(configuration(server), onDisk)
        val elsewhere = room.phone(configuration(server))
        room.phones.forEach { it.start() }
        room.passUntil(START + 9 * 3_600)
        val patientsVisit = assertIs<VisitOutcome.Kept>(patient.checkIn(code)).number
        room.passUntil(room.now + 600)
        val visit = assertIs<VisitOutcome.Kept>(visitor.checkIn(code)).number
        assertIs<VisitOutcome.Kept>(elsewhere.checkIn(server.issueVenue(NAME, 60, DAY)))
        room.passUntil(START + 9 * 3_600 + 3_000)
        assertEquals(
            VisitOutcome.Kept(patientsVisit),
            patient.client.checkOut(patientsVisit, patient.clocks()).outcome,
        )
        room.passUntil(START + DAY_SECONDS)
        visitor.restart()

        val uploads = patient.publishWithVisits()
        val packed = server.publishVenueWarnings(uploads)
        // A stay and seven of no venue.
        assertEquals(VenueWarningsOutcome.Matched(8, 0, 0, 0, 0), elsewhere.provide(packed))
        assertEquals(VenueWarningsOutcome.Matched(8, 0, 0, 0, 0), patient.provide(packed), "the own warning is no exposure")
        assertEquals(VenueWarningsOutcome.Matched(8, 0, 1, 0, 1), visitor.provide(packed))
        assertEquals(listOf(DAY), visitor.venueDays)
        assertEquals(emptyList(), elsewhere.venueDays + patient.venueDays)

        val evidence = visitor.client.evidence(DAY, visitor.clocks())
        assertNull(evidence.encounters)
        val contact = evidence.venues.single()
        assertEquals(visit to "permanent_food_service", contact.visit to contact.venueType)
        // Ten minutes after the patient came, until the visit ended; the air counts on for half an hour.
        assertEquals(Triple(START + 33_000, 3_600L, 8), Triple(contact.metFrom, contact.seconds, contact.transmissionRiskLevel))
        assertTrue(contact.counts)
        assertEquals(emptyList(), elsewhere.client.evidence(DAY, elsewhere.clocks()).venues)

        // The name is where the user asks for it, and nowhere else.
        val everything = "$evidence ${visitor.client.visits(visitor.clocks())} ${uploads.map { it.decodeToString() }} ${visitor.client.status(HostFacts(), visitor.clocks())}"
        assertFalse(NAME in everything)
        assertEquals(NAME, visitor.client.visitName(visit, visitor.clocks()))
        assertNull(visitor.client.visitName(99, visitor.clocks()))
        assertTrue(patient.client.visits(patient.clocks()).single().isSubmitted)

        // Until the app confirms, a restart tells again; after that nothing does.
        visitor.restart()
        assertEquals(listOf(DAY, DAY), visitor.venueDays)
        visitor.client.onAnnounced(DAY, visitor.clocks())
        visitor.restart()
        assertEquals(VenueWarningsOutcome.Known, visitor.provide(packed))
        assertEquals(listOf(DAY, DAY), visitor.venueDays)
        visitor.client.forgetDay(DAY, visitor.clocks())
        assertEquals(emptyList(), visitor.client.visits(visitor.clocks()))
        visitor.client.deleteEverything()
        assertEquals(emptyList(), temporary.list()!!.toList())
        temporary.delete()
    }

    @Test
    fun aCodeSaysWhatItIsBeforeAnybodyChecksIn() {
        val trusting = room.phone(configuration(server).copy(venueIssuers = listOf(server.trustedKey())))
        val read = assertIs<ScannedCode.Venue>(trusting.client.readVenueCode(code)).code
        assertEquals(VenueCode("permanent_food_service", 60, NAME, null, null, listOf("ventilation"), DAY, true), read)
        val other = room.phone()
        assertFalse(assertIs<ScannedCode.Venue>(other.client.readVenueCode(code)).code.isSignedByTrustedIssuer)
        val cwa = "https://e.coronawarn.app?v=1#"
        for ((text, why) in mapOf("hello" to "not_a_venue", "CHKV9:AB" to "version", "CHKV1:?" to "damaged", cwa to "malformed")) {
            assertEquals(why, assertIs<ScannedCode.Refused>(other.client.readVenueCode(text)).code)
            assertEquals(why, assertIs<VisitOutcome.Refused>(other.checkIn(text)).code)
        }
        assertEquals(emptyList(), other.client.visits(other.clocks()))
    }

    @Test
    fun whatIsRefusedHasACode() {
        val phone = room.phone(configuration(server))
        val visit = assertIs<VisitOutcome.Kept>(phone.checkIn(code)).number
        assertEquals("still_there", assertIs<VisitOutcome.Refused>(phone.checkIn(code)).code)
        assertEquals("not_there", assertIs<VisitOutcome.Refused>(phone.client.checkOut(visit + 1, phone.clocks()).outcome).code)
        phone.client.forgetDay(DAY, phone.clocks())
        assertEquals("forgotten_day", assertIs<VisitOutcome.Refused>(phone.checkIn(code)).code)
        assertEquals("not_a_zip", assertIs<VenueWarningsOutcome.Refused>(phone.provide("no zip".toByteArray())).code)
        val stranger = SimulatedKeyServer(2).publishVenueWarnings(emptyList())
        assertEquals("wrong_key_version", assertIs<VenueWarningsOutcome.Refused>(phone.provide(stranger)).code)
        val arguments: List<() -> Any> = listOf(
            { phone.client.checkOut(-1, phone.clocks()) },
            { phone.client.evidence(-1, phone.clocks()) },
            { server.publishVenueWarnings(listOf("no request".toByteArray())) },
        )
        for (argument in arguments) assertFailsWith<ExposureNotificationException.InvalidArgument> { argument() }
        phone.close()
        assertFailsWith<ExposureNotificationException.Closed> { phone.checkIn("hello") }
    }
}
