package dev.chikaku

import dev.chikaku.core.Action
import dev.chikaku.core.AdvertisePlan
import dev.chikaku.core.Assessment
import dev.chikaku.core.Boot
import dev.chikaku.core.ClockReading
import dev.chikaku.core.DAY
import dev.chikaku.core.DiaryBasis
import dev.chikaku.core.DiaryEntry
import dev.chikaku.core.DiaryOutcome
import dev.chikaku.core.DiaryPlace
import dev.chikaku.core.DiaryStart
import dev.chikaku.core.ExposureNotificationClient
import dev.chikaku.core.ExposureNotificationException
import dev.chikaku.core.HeardAdvertisement
import dev.chikaku.core.HostFacts
import dev.chikaku.core.KeyFile
import dev.chikaku.core.LocationFact
import dev.chikaku.core.LogLocation
import dev.chikaku.core.PublicationConsent
import dev.chikaku.core.PublicationDate
import dev.chikaku.core.PublicationOutcome
import dev.chikaku.core.ReportType
import dev.chikaku.core.RiskLevel
import dev.chikaku.core.START
import dev.chikaku.core.ScannedCode
import dev.chikaku.core.SimulatedKeyServer
import dev.chikaku.core.Symptoms
import dev.chikaku.core.TAKES_VISITS
import dev.chikaku.core.TracingState
import dev.chikaku.core.UploadOutcome
import dev.chikaku.core.UploadServer
import dev.chikaku.core.UploadStep
import dev.chikaku.core.VenueWarningsOutcome
import dev.chikaku.core.VisitOutcome
import dev.chikaku.core.configuration
import dev.chikaku.core.good
import dev.chikaku.sample.simulateExposure
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The facade with the real client, over a radio that is a list. */
class ExposureNotificationsTest {
    private class Air : PhoneClock {
        var now = START
        val phones = mutableListOf<FakeRadio>()

        override fun read() = ClockReading(now, now - START + 5_000, Boot.Count(3))
    }

    private class FakeRadio(private val air: Air) : Radio {
        var onAir: AdvertisePlan? = null
        var works = true
        var listens = true

        /** Completed by the test when the scan's seconds have passed. */
        var scanning: CompletableDeferred<Unit>? = null

        init {
            air.phones += this
        }

        /** Completed by the test when the system has answered. */
        var answer: CompletableDeferred<Unit>? = null

        override suspend fun advertise(plan: AdvertisePlan): Boolean {
            answer?.await()
            onAir = plan.takeIf { works }
            return works
        }

        override suspend fun stopAdvertising() {
            onAir = null
        }

        override suspend fun scan(seconds: Int): List<HeardAdvertisement>? {
            if (!listens) return null
            CompletableDeferred<Unit>().also { scanning = it }.await()
            return air.phones.filter { it !== this }.mapNotNull { it.onAir }
                .map { HeardAdvertisement(air.now, -77, it.serviceData) }
        }
    }

    private class Host(
        private val air: Air,
        server: SimulatedKeyServer,
        scope: CoroutineScope,
        uploadServer: UploadServer? = null,
    ) {
        val radio = FakeRadio(air)
        val facts = HostFacts(true, true, true, LocationFact.NOT_NEEDED, true)
        var wakeAt: Long? = null
        val notifications = ExposureNotifications(
            ExposureNotificationClient.open(configuration(server).copy(uploadServer = uploadServer), LogLocation.Memory),
            air, radio, { wakeAt = it }, { facts }, scope, Dispatchers.Unconfined,
        )

        suspend fun finishScan() {
            radio.scanning?.complete(Unit)
            radio.scanning = null
            notifications.refreshStatus()
        }
    }

    @Test
    fun twoPhonesThroughTheFacade() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Unconfined)
        val air = Air()
        val server = SimulatedKeyServer(1)
        val (patient, contact) = Host(air, server, scope) to Host(air, server, scope)
        assertEquals(TracingState.STOPPED, contact.notifications.status.value.state)
        val states = mutableListOf<TracingState>()
        val collecting = scope.launch { contact.notifications.status.collect { states += it.state } }
        patient.notifications.start()
        contact.notifications.start()
        assertTrue(contact.notifications.isEnabled())
        assertNotNull(contact.radio.onAir)
        while (air.now < START + 1_800) {
            air.now = minOf(patient.wakeAt!!, contact.wakeAt!!).coerceIn(air.now + 1, air.now + 4)
            listOf(patient, contact).forEach {
                it.finishScan()
                it.notifications.wake()
            }
        }
        air.now = START + 86_400
        patient.notifications.wake()
        contact.notifications.wake()
        val keys = patient.notifications.temporaryExposureKeyHistory(ReportType.CONFIRMED_TEST, DAY)
        assertNull(contact.notifications.guidance(Symptoms.NO, 540))
        contact.notifications.provideDiagnosisKeys(listOf(KeyFile(server.publish(keys, START, air.now))))
        val told: Assessment = contact.notifications.announcements.first()
        assertEquals(DAY to RiskLevel.HIGH, told.day to told.level)
        assertNotNull(contact.notifications.guidance(Symptoms.NO, 540))
        assertEquals(1, contact.notifications.explanations().size)
        assertEquals(DAY, contact.notifications.dayRecords.first().day)
        contact.notifications.confirmAnnounced(DAY)
        contact.finishScan()
        contact.notifications.wake()
        assertEquals(setOf(TracingState.STOPPED, TracingState.DEGRADED), states.toSet())
        contact.notifications.forgetEverything()
        assertNull(contact.radio.onAir)
        assertEquals(emptyList(), contact.notifications.assessments())
        collecting.cancel()
        scope.cancel()
    }

    @Test
    fun aRadioThatRefusesIsAReasonAndIsAskedAgainAfterAMinute() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Unconfined)
        val air = Air()
        val host = Host(air, SimulatedKeyServer(1), scope)
        host.radio.works = false
        host.notifications.start()
        assertTrue(host.notifications.status.value.reasons.any { it.code == "advertising_refused" })
        host.radio.works = true
        air.now += 61
        host.notifications.wake()
        assertNotNull(host.radio.onAir)
        assertTrue(host.notifications.status.value.reasons.none { it.code == "advertising_refused" })
        host.notifications.stop()
        assertNull(host.radio.onAir)
        scope.cancel()
    }

    @Test
    fun aScanThatDidNotTakePlaceIsNotOneThatFoundNobody() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Unconfined)
        val air = Air()
        val host = Host(air, SimulatedKeyServer(1), scope)
        host.radio.listens = false
        host.notifications.start()
        repeat(8) {
            air.now += 300
            host.notifications.wake()
        }
        val missed = host.notifications.status.value
        assertNull(missed.lastScan)
        assertTrue(missed.reasons.any { it.code == "scans_missing" })
        host.radio.listens = true
        air.now += 300
        host.notifications.wake()
        host.finishScan()
        assertEquals(air.now, host.notifications.status.value.lastScan)
        scope.cancel()
    }

    @Test
    fun whatTheEngineDecidedIsCarriedOutAlsoForACallerWhoLeaves() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Unconfined)
        val air = Air()
        val host = Host(air, SimulatedKeyServer(1), scope)
        val answer = CompletableDeferred<Unit>()
        host.radio.answer = answer
        val caller = launch(Dispatchers.Unconfined) { host.notifications.start() }
        caller.cancel()
        answer.complete(Unit)
        caller.join()
        assertNotNull(host.radio.onAir)
        assertEquals(TracingState.DEGRADED, host.notifications.status.value.state)
        assertNotNull(host.wakeAt)
        scope.cancel()
    }

    @Test
    fun visitsAndDiaryThroughTheFacadeAndTheEndOfEverything() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Unconfined)
        val air = Air()
        val server = SimulatedKeyServer(1)
        val patient = Host(air, server, scope, TAKES_VISITS).notifications
        val visitor = Host(air, server, scope).notifications
        val code = server.issueVenue(null, 60, DAY)
        assertIs<ScannedCode.Venue>(visitor.readVenueCode(code))
        assertIs<VisitOutcome.Kept>(patient.checkIn(code))
        val visit = assertIs<VisitOutcome.Kept>(visitor.checkIn(code)).number
        air.now += 1_800
        assertIs<VisitOutcome.Kept>(visitor.checkOut(visit))
        air.now += 7_200
        val consent = PublicationConsent.KeysAndVisits(8)
        val onset = PublicationDate(DAY, 540, true)
        val queued = patient.publishKeys(consent, ReportType.CONFIRMED_TEST, onset, "12345678")
        assertEquals(1 to 0, assertIs<PublicationOutcome.Queued>(queued).run { visits to visitsLeftOut })
        assertEquals(listOf(1), patient.uploads().map { it.visits })
        val certify = assertNotNull(patient.nextUploadCall())
        assertEquals(UploadOutcome.Proceeds, patient.answerUpload(certify.upload, good(certify)))
        val send = assertNotNull(patient.nextUploadCall())
        assertEquals(UploadOutcome.Published(0, 1, false), patient.answerUpload(send.upload, good(send)))
        val packed = server.publishVenueWarnings(listOf(assertIs<UploadStep.Send>(send.step).body))
        assertIs<VenueWarningsOutcome.Matched>(visitor.provideVenueWarnings(packed))
        assertEquals(DAY, visitor.venueAnnouncements.first())
        assertEquals(visit, visitor.evidence(DAY).venues.single().visit)
        assertEquals(listOf(visit), visitor.visits().map { it.number })
        assertNull(visitor.visitName(visit))
        assertEquals(DiaryOutcome.Begun, visitor.beginDiary(DiaryStart(DiaryBasis.Onset(DAY), DiaryPlace.HOTEL, 540)))
        assertIs<DiaryOutcome.Kept>(visitor.addDiaryEntry(DiaryEntry(air.now, 368)))
        assertEquals(1, assertNotNull(visitor.diary()).entries.size)
        assertNotNull(visitor.diaryExport())
        assertNull(visitor.maintain(), "in memory")
        visitor.deleteEverything()
        assertFailsWith<ExposureNotificationException.Closed> { visitor.visits() }
        scope.cancel()
    }

    @Test
    fun theSampleSimulatesAnExposure() = runBlocking {
        val air = Air()
        air.now = START + 43_200
        val server = SimulatedKeyServer(1)
        val client = ExposureNotificationClient.open(configuration(server), LogLocation.Memory)
        client.start(air.read())
        val file = simulateExposure(client, server, air.read())
        val told = client.provideDiagnosisKeys(listOf(file), 0, air.read()).actions.filterIsInstance<Action.Announce>()
        assertEquals(listOf(DAY to RiskLevel.HIGH), told.map { it.assessment.day to it.assessment.level })
    }
}
