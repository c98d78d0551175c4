package dev.chikaku.core

import java.time.LocalDate
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** One is diagnosed, the other one is told what it means and what to do. */
class TwoPhonesTest {
    @Test
    fun theOneWhoWasNearIsToldOnceWithGuidanceAndExplanation() {
        val met = Contact()
        val client = met.contact.client
        assertNull(client.guidance(Symptoms.UNKNOWN, 540, met.contact.clocks()), "there is nothing to say yet")

        met.provide(met.file)
        val told = met.contact.announced.single()
        assertEquals(DAY to RiskLevel.HIGH, told.day to told.level)
        assertTrue(told.seconds >= 1_500, "half an hour, less the scan before it")

        val guidance = assertNotNull(client.guidance(Symptoms.UNKNOWN, 540, met.contact.clocks()))
        assertEquals(GuidancePhase.PRECAUTION, guidance.phase)
        assertTrue("not_necessarily_infected" in guidance.messages)
        assertEquals(emptyList(), guidance.contactPoints)
        val until = LocalDate.ofEpochDay(guidance.untilLocalDay.toLong()).toString()
        for (language in listOf("ja", "en")) {
            val texts = guidance.messages.map { client.guidanceText(it, language, guidance.precautionDays, until) }
            assertTrue(texts.all { !it.isNullOrBlank() }, language)
        }
        assertNull(client.guidanceText("not_necessarily_infected", "xx", 7, until))
        assertEquals(1, client.explanations(met.contact.clocks()).size)

        // Until the app confirms, a restart tells again; after that nothing does.
        client.stop(met.contact.clocks())
        met.contact.start()
        assertEquals(2, met.contact.announced.size)
        client.onAnnounced(DAY, met.contact.clocks())
        client.stop(met.contact.clocks())
        met.contact.start()
        met.provide(met.file)
        assertEquals(2, met.contact.announced.size)
    }

    @Test
    fun theOneWhoWasElsewhereIsNotTold() {
        val met = Contact()
        val elsewhere = Phone(Room().also { it.now = met.room.now }, configuration(met.server))
        elsewhere.start()
        elsewhere.carryOut(elsewhere.client.provideDiagnosisKeys(listOf(KeyFile(met.file)), 0, elsewhere.clocks()).actions)
        assertEquals(emptyList(), elsewhere.announced)
        assertEquals(emptyList(), elsewhere.client.exposureWindows(elsewhere.clocks()))
    }

    @Test
    fun whomToCallComesFromTheAppsOwnTable() {
        val rules = """
            {"format_version": 1, "precaution_days": 5,
             "rules": [{"show": "not_necessarily_infected"}],
             "contact_points": [{"name": "line", "phone": "0570-000-000", "utc_offset_minutes": 540,
                                 "opening_hours": {"saturday": ["09:00-17:00"]}}]}
        """
        val messages = """
            {"format_version": 1, "language": "en", "messages":
             {"not_necessarily_infected": "Not a diagnosis; take care until {until}.", "line": "Fever line"}}
        """
        val met = Contact { it.copy(guidanceRulesJson = rules, guidanceMessagesJson = listOf(messages)) }
        met.provide(met.file)
        val client = met.contact.client
        val guidance = assertNotNull(client.guidance(Symptoms.YES, 540, met.contact.clocks()))
        // Saturday, 09:10 in Tokyo.
        val closes = START + DAY_SECONDS + 8 * 3_600
        assertEquals(listOf(ContactAdvice("line", "0570-000-000", true, closes)), guidance.contactPoints)
        assertEquals(5, guidance.precautionDays)
        assertEquals(
            "Not a diagnosis; take care until Friday.",
            client.guidanceText("not_necessarily_infected", "en", 5, "Friday"),
        )
        assertEquals("Fever line", client.guidanceText("line", "en", 5, "-"))
        assertNull(client.guidanceText("line", "ja", 5, "-"), "the library's own languages are gone with its texts")
    }
}
