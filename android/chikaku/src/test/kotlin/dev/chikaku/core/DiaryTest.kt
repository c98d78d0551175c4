package dev.chikaku.core

import java.io.ByteArrayInputStream
import java.util.zip.InflaterInputStream
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Ten days at home, in Japan. */
class DiaryTest {
    private val room = Room()
    private val phone = room.phone()
    private val client = phone.client

    private fun begin(basis: DiaryBasis = DiaryBasis.Onset(DAY), facts: AdmissionFacts? = null) =
        client.beginDiary(DiaryStart(basis, DiaryPlace.HOME, 540, facts), phone.clocks()).outcome

    private fun add(entry: DiaryEntry) = client.addDiaryEntry(entry, phone.clocks()).outcome

    private fun diary() = assertNotNull(client.diary(phone.clocks()))

    @Test
    fun anEntryEscalatesAndSaysOnWhatGround() {
        assertNull(client.diary(phone.clocks()))
        assertEquals(DiaryOutcome.Begun, begin())
        val fine = assertIs<DiaryOutcome.Kept>(add(DiaryEntry(START, spo2Percent = 97, symptoms = emptyList())))
        assertEquals(EscalationLevel.NONE, fine.escalation.level)
        room.now += 60
        val worse = assertIs<DiaryOutcome.Kept>(
            add(DiaryEntry(START + 60, 386, 95, listOf("cough", "cyanosis"), "hard to breathe")),
        ).escalation
        assertEquals(EscalationLevel.EMERGENCY to listOf("corona_119"), worse.level to worse.contacts)
        assertEquals(
            listOf(
                EscalationGround.Symptom(START + 60, "cyanosis"),
                EscalationGround.Spo2(START + 60, 95),
                EscalationGround.Temperature(START + 60, 386),
            ),
            worse.grounds,
        )
        val state = diary()
        assertEquals(listOf(START, START + 60), state.entries.map { it.at })
        assertEquals(DiaryEntry(START + 60, 386, 95, listOf("cough", "cyanosis"), "hard to breathe"), state.entries.last())
        assertEquals(worse, state.escalation)
        assertTrue("dyspnea" in client.diarySymptoms())
    }

    @Test
    fun slotsComeDueAreMissedAndThenANurseShouldCall() {
        begin()
        // It is nine in the morning in Japan: the first slot begins at 18:00.
        val evening = START + 9 * 3_600
        var state = diary()
        assertNull(state.due)
        assertEquals(evening, state.nextSlot)
        assertEquals(Triple(DAY + 10, false, 0), Triple(state.lastLocalDay, state.isOver, state.missedInARow))
        room.now = evening
        assertEquals(DiarySlot(evening, evening + 14 * 3_600), diary().due)
        room.now = evening + 24 * 3_600
        state = diary()
        assertEquals(2 to EscalationLevel.CALL_NURSE, state.missedInARow to state.escalation.level)
        assertEquals(listOf(evening, evening + 14 * 3_600), state.missed.map { it.begins })
        assertEquals(listOf("health_centre"), state.escalation.contacts)
        assertEquals<List<EscalationGround>>(List(2) { EscalationGround.MissedSlots(2) }, state.escalation.grounds)
        add(DiaryEntry(room.now, temperatureTenthsCelsius = 365))
        assertEquals(0 to EscalationLevel.NONE, diary().missedInARow to diary().escalation.level)
        room.now = START + 20 * DAY_SECONDS
        assertTrue(diary().isOver)
    }

    @Test
    fun theAdmissionScoreAndThePeriodFollowWhatIsKnown() {
        val facts = AdmissionFacts(76, listOf(PatientCondition.DIABETES), PneumoniaExtent.ONE_LUNG_UP_TO_HALF)
        begin(DiaryBasis.Test(DAY), facts)
        assertEquals(7 to DAY + 7, diary().admissionScore to diary().lastLocalDay)
        assertEquals(listOf<EscalationGround>(EscalationGround.AdmissionScore(7)), diary().escalation.grounds)
        assertEquals(DiaryOutcome.Begun, client.onSymptomsBegan(DAY, phone.clocks()).outcome)
        assertEquals(8 to DAY + 10, diary().admissionScore to diary().lastLocalDay)
        assertEquals<DiaryBasis>(DiaryBasis.Onset(DAY), diary().basis)
    }

    @Test
    fun theQrTextHoldsTheVeryJson() {
        assertNull(client.diaryExport(phone.clocks()))
        begin()
        add(DiaryEntry(START, 371, note = "少し咳"))
        val export = assertNotNull(client.diaryExport(phone.clocks()))
        assertTrue("\"format_version\":1" in export.json && "少し咳" in export.json)
        val packed = base45(export.qrText.removePrefix("CHKD1:"))
        assertEquals(export.json, InflaterInputStream(ByteArrayInputStream(packed)).readBytes().decodeToString())
        client.forgetEverything(phone.clocks())
        assertNull(client.diary(phone.clocks()))
    }

    private fun base45(text: String): ByteArray {
        val values = text.map { "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ \$%*+-./:".indexOf(it) }
        return values.chunked(3).flatMap { digits ->
            val number = digits.foldRight(0) { digit, rest -> rest * 45 + digit }
            if (digits.size == 3) listOf(number shr 8, number and 255) else listOf(number)
        }.map { it.toByte() }.toByteArray()
    }

    @Test
    fun whatIsRefusedHasACode() {
        fun code(outcome: DiaryOutcome) = assertIs<DiaryOutcome.Refused>(outcome).code
        assertEquals("no_diary", code(add(DiaryEntry(START, 365))))
        assertEquals("no_diary", code(client.onSymptomsBegan(DAY, phone.clocks()).outcome))
        assertEquals("future", code(begin(DiaryBasis.Onset(DAY + 1))))
        assertEquals("over", code(begin(DiaryBasis.Onset(DAY - 11))))
        begin()
        assertEquals("empty", code(add(DiaryEntry(START))))
        assertEquals("future", code(add(DiaryEntry(START + 1, 365))))
        assertEquals("before_the_period", code(add(DiaryEntry(START - DAY_SECONDS, 365))))
        assertEquals("unknown_symptom", code(add(DiaryEntry(START, symptoms = listOf("boredom")))))
        val arguments: List<() -> Any> = listOf(
            { add(DiaryEntry(-1, 365)) },
            { add(DiaryEntry(START, 451)) },
            { add(DiaryEntry(START, -1)) },
            { add(DiaryEntry(START, spo2Percent = 101)) },
            { add(DiaryEntry(START, symptoms = listOf("Not a key"))) },
            { add(DiaryEntry(START, note = "")) },
            { begin(DiaryBasis.Test(-1)) },
            { begin(facts = AdmissionFacts(300)) },
            { client.beginDiary(DiaryStart(DiaryBasis.Onset(DAY), DiaryPlace.HOTEL, 900), phone.clocks()) },
            { client.onSymptomsBegan(-1, phone.clocks()) },
        )
        for ((number, argument) in arguments.withIndex()) {
            assertFailsWith<ExposureNotificationException.InvalidArgument>("argument $number") { argument() }
        }
        assertEquals(emptyList(), diary().entries)
        client.forgetDay(DAY, phone.clocks())
        assertEquals("forgotten_day", code(add(DiaryEntry(START, 365))))
    }
}
