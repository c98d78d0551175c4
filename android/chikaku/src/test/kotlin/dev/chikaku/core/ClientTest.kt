package dev.chikaku.core

import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The client as generated, against the real library. */
class ClientTest {
    @Test
    fun aDayOfScansAndRotationInVirtualTime() {
        val room = Room()
        val (a, b) = room.phone() to room.phone()
        room.rssi = listOf(-70)
        a.start()
        b.start()
        room.passUntil(START + DAY_SECONDS + 60)
        assertEquals(145, a.plans.size, "144 intervals and the first of the next day")
        assertEquals(145, a.plans.map { it.serviceData.toList() }.toSet().size, "each with its own identifier")
        assertTrue(a.plans.all { it.serviceData.size == 20 && it.serviceUuid == 0xFD6F })
        assertContentEquals((1L..145L).map { START + 600 * it }, a.plans.map { it.until })
        assertTrue(a.scans.size in 284..409, "a scan every 211 to 304 s, not ${a.scans.size}")
        assertEquals(a.scans.size, a.scans.sumOf { it.kept }, "each heard the other phone once")
        assertEquals(a.scans.size.toLong(), a.client.sightingsOn(DAY) + a.client.sightingsOn(DAY + 1))
        val record = a.records.single()
        assertEquals(DAY to "not_matched", record.day to record.result)
        assertEquals(1440, record.minutesPlanned)
        assertTrue(record.minutesScanned > 1_430)
        assertEquals(listOf(record), a.client.dayRecords(a.clocks()))
    }

    @Test
    fun whatTheRadioGotWrongIsCountedAndCostsNothingElse() {
        val room = Room()
        val (a, b) = room.phone() to room.phone()
        a.start()
        b.start()
        room.passUntil(START + 4 - 1)
        room.now = START + 4
        val good = b.onAir!!.serviceData
        a.finishScan(
            listOf(
                HeardAdvertisement(START, 127, good),
                HeardAdvertisement(START, null, good),
                HeardAdvertisement(START + 1, -60, good),
                HeardAdvertisement(START + 1, -60, good.copyOf(19)),
                HeardAdvertisement(-5, -60, good),
                HeardAdvertisement(START + 100, -60, good),
                HeardAdvertisement(START, -60, a.onAir!!.serviceData),
            ),
        )
        val outcome = a.scans.single()
        assertEquals(ScanOutcome(3, 2, 0, 1, 2, 1, 0, 0), outcome)
    }

    @Test
    fun windowsSummariesAndAssessments() {
        val met = Contact()
        val outcome = assertIs<KeyFileOutcome.Matched>(met.provide(met.file).files.single())
        assertEquals(2L to 1L, outcome.keys to outcome.matched, "the day's key and the cut off one of the next")
        val client = met.contact.client
        val windows = client.exposureWindows(met.contact.clocks())
        assertTrue(windows.isNotEmpty())
        for (window in windows) {
            assertEquals(DAY, window.day)
            assertTrue(window.firstHeardAt in met.metAt..met.metAt + 1_800)
            assertEquals(ReportType.CONFIRMED_TEST, window.reportType)
            assertEquals(Infectiousness.HIGH, window.infectiousness)
            assertEquals(CalibrationConfidence.LOWEST, window.calibrationConfidence)
            for (scan in window.scanInstances) {
                assertEquals(53 to 55, scan.minAttenuationDb to scan.typicalAttenuationDb)
                assertTrue(scan.secondsSinceLastScan in 180..300)
            }
        }
        val seconds = windows.sumOf { window -> window.scanInstances.sumOf { it.secondsSinceLastScan } }
        val assessment = client.assessments(met.contact.clocks()).single()
        assertEquals(RiskLevel.HIGH, assessment.level)
        assertEquals("cocoa-v2" to "weighted seconds", assessment.profile to assessment.scoreUnit)
        assertEquals(seconds.toLong(), assessment.seconds)
        assertTrue(assessment.conditions.isNotEmpty() && assessment.conditions.all { it.holds })
        val summary = client.dailySummaries(met.contact.clocks()).single()
        assertEquals(assessment.dailySummary, summary)
        assertEquals(summary.daySummary, summary.confirmedTest)
        assertEquals(0.0, summary.selfReport.scoreSum)
        assertEquals(assessment.score, summary.daySummary.scoreSum)
        assertTrue(summary.daySummary.maximumScore <= summary.daySummary.scoreSum)
        // COCOA weighs every second of this distance with 2.5.
        assertEquals(seconds * 2.5, summary.daySummary.weightedDurationSum)
    }

    @Test
    fun theKeysOfAPatient() {
        val met = Contact()
        val key = met.keys.first()
        assertEquals(16, key.keyData.size)
        assertEquals(DAY * 144L, key.rollingStartIntervalNumber)
        assertEquals(144, key.rollingPeriod)
        assertEquals(ReportType.CONFIRMED_TEST, key.reportType)
        assertEquals(0, key.daysSinceOnsetOfSymptoms)
        assertNull(key.transmissionRiskLevel)
        // What is on the air now is of a key that was not given away.
        val own = assertIs<KeyFileOutcome.Matched>(
            met.patient.client
                .provideDiagnosisKeys(listOf(KeyFile(met.file)), 0, met.patient.clocks()).files.single(),
        )
        assertEquals(met.keys.size.toLong(), own.ownKeys)
    }

    @Test
    fun aRefusedFileHasACodeAndItsNeighboursAreMatched() {
        val met = Contact()
        val stranger = SimulatedKeyServer(2).publish(met.keys, START, met.room.now)
        val damaged = met.file.copyOf().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() }
        val files = met.provide("no zip".toByteArray(), stranger, damaged, met.file).files
        assertEquals("not_a_zip", assertIs<KeyFileOutcome.Refused>(files[0]).code)
        assertEquals("wrong_key_version", assertIs<KeyFileOutcome.Refused>(files[1]).code)
        assertIs<KeyFileOutcome.Refused>(files[2])
        assertEquals(1, assertIs<KeyFileOutcome.Matched>(files[3]).matched)
        assertEquals(1, met.contact.announced.size)
        assertEquals(1, met.contact.client.cursor("simulated"))
        assertNull(met.contact.client.cursor("elsewhere"))
        val invalid = met.contact.client
            .provideDiagnosisKeys(listOf(KeyFile(met.file, "simulated", -1)), 2, met.contact.clocks())
        assertEquals(listOf<KeyFileOutcome>(KeyFileOutcome.Invalid), invalid.files)
        val missing = met.contact.reason("key_files_missing")
        assertEquals(ReasonDetail.Files(2, 3), missing.detail)
    }

    @Test
    fun aQuotaSaysUntilWhen() {
        val met = Contact()
        val modest = Phone(met.room, configuration(met.server).copy(keyFilesPerDay = 1))
        val files = List(2) { KeyFile(met.file) }
        val outcomes = modest.client.provideDiagnosisKeys(files, 0, modest.clocks()).files
        assertIs<KeyFileOutcome.Matched>(outcomes[0])
        val throttled = assertIs<KeyFileOutcome.Throttled>(outcomes[1])
        assertTrue(throttled.until > met.room.now)
        assertEquals(ReasonDetail.Until(throttled.until), modest.reason("throttled").detail)
    }

    @Test
    fun explanationsOfWhatWasToldAndOfSilence() {
        val met = Contact()
        val client = met.contact.client
        assertIs<Silence.NoKeyFile>(client.explainSilence(DAY, met.contact.clocks()).single())
        met.provide(met.file)
        val explanation = client.explanations(met.contact.clocks()).single()
        assertEquals(DAY * 144L, explanation.rollingStartIntervalNumber)
        assertTrue(explanation.identifiersMatched in 3..4)
        assertEquals(emptyList(), explanation.sightingsDropped)
        val share = explanation.days.single()
        assertEquals(DAY to RiskLevel.HIGH, share.day to share.level)
        val contribution = share.contributions.first()
        assertEquals(explanation.keySha256, contribution.keySha256)
        assertEquals(64, contribution.keySha256.length)
        assertNull(contribution.droppedBecause)
        assertEquals(2.5, contribution.buckets.single { it.seconds > 0 }.weight)
        assertEquals(setOf("report_type", "infectiousness"), contribution.factors.map { it.factor }.toSet())
        val condition = share.conditions.first()
        assertTrue(condition.holds && condition.relation == ">=" && condition.value >= condition.threshold)
        assertEquals(listOf<Silence>(Silence.Pending), client.explainSilence(DAY, met.contact.clocks()))
        client.onAnnounced(DAY, met.contact.clocks())
        assertEquals(listOf<Silence>(Silence.Announced), client.explainSilence(DAY, met.contact.clocks()))
        assertEquals(listOf<Silence>(Silence.NotRemembered), client.explainSilence(1, met.contact.clocks()))
    }

    @Test
    fun aStatusHasEveryReason() {
        val phone = Room().phone()
        assertEquals(false, phone.client.isEnabled(phone.clocks()))
        val unreported = phone.client.status(HostFacts(), phone.clocks())
        assertEquals(TracingState.STOPPED, unreported.state)
        val facts = unreported.reasons.mapNotNull { (it.detail as? ReasonDetail.Fact)?.fact }
        assertEquals(HostFact.entries.toSet(), facts.toSet())
        phone.start()
        assertEquals(true, phone.client.isEnabled(phone.clocks()))
        val bad = HostFacts(false, false, false, LocationFact.OFF, false)
        val reasons = phone.client.status(bad, phone.clocks()).reasons.associateBy { it.code }
        assertEquals(
            setOf(
                "unsupported", "bluetooth_off", "permission_missing", "location_off", "notifications_off",
                "no_trusted_key", "never_matched",
            ),
            reasons.keys,
        )
        assertEquals(FixableBy.USER, reasons.getValue("bluetooth_off").fixableBy)
        assertEquals(FixableBy.APP, reasons.getValue("no_trusted_key").fixableBy)
        assertEquals(FixableBy.NOBODY, reasons.getValue("unsupported").fixableBy)
        assertEquals(TracingState.DEGRADED, reasons.getValue("notifications_off").state)
    }

    @Test
    fun nothingWrongIsWorking() {
        val met = Contact()
        met.provide(met.file)
        val good = HostFacts(true, true, true, LocationFact.NOT_NEEDED, true)
        val status = met.contact.client.status(good, met.contact.clocks())
        assertEquals(TracingState.WORKING to emptyList(), status.state to status.reasons)
        assertEquals(met.room.now, status.lastMatched)
        assertTrue(assertNotNull(status.lastScan) > met.room.now - 305)
        assertEquals(met.contact.client.nextWake(), status.nextWake)
    }

    @Test
    fun aClockThatIsSetBackIsSuspectUntilATrustedTimeComes() {
        val room = Room()
        val phone = room.phone()
        phone.start()
        room.now += 1_000
        phone.aheadSeconds = -7_200
        phone.carryOut(phone.client.onWake(phone.clocks()))
        phone.reason("clock_suspect")
        phone.client.onTrustedTime(room.now, phone.clocks())
        assertEquals(ReasonDetail.Ahead(-7_200), phone.reason("clock_wrong").detail)
    }

    @Test
    fun aConfigurationComesIntoForceOnlyIfSomebodyWouldBeTold() {
        val met = Contact()
        val client = met.contact.client
        val refused = client.setRiskConfiguration("{}", null, met.contact.clocks()).single()
        assertIs<Action.ConfigurationRefused>(refused)
        met.contact.reason("configuration_rejected")
        val accepted = client.setDiagnosisKeysDataMapping(mapping(Infectiousness.HIGH), "m1", met.contact.clocks())
        assertIs<Action.ConfigurationAccepted>(accepted.single())
        met.provide(met.file)
        assertEquals(Infectiousness.HIGH, client.exposureWindows(met.contact.clocks()).first().infectiousness)
        val standard = client.setDiagnosisKeysDataMapping(mapping(Infectiousness.STANDARD), null, met.contact.clocks())
        assertIs<Action.ConfigurationAccepted>(standard.first())
        assertEquals(Infectiousness.STANDARD, client.exposureWindows(met.contact.clocks()).first().infectiousness)
        val nobody = client.setDiagnosisKeysDataMapping(mapping(Infectiousness.NONE), null, met.contact.clocks())
        assertIs<Action.ConfigurationRefused>(nobody.single())
    }

    private fun mapping(infectiousness: Infectiousness) =
        KeysDataMapping((-14..14).map { InfectiousnessOnDay(it, infectiousness) }, infectiousness, ReportType.CONFIRMED_TEST)

    @Test
    fun everyErrorHasItsCode() {
        val room = Room()
        val phone = room.phone()
        val client = phone.client
        val now = phone.clocks()
        val arguments: List<() -> Any?> = listOf(
            { client.start(now.copy(wallUnixSeconds = -1)) },
            { client.start(now.copy(monotonicSeconds = -1)) },
            { client.start(now.copy(boot = Boot.Count(-1))) },
            { client.start(now.copy(boot = Boot.Session(ByteArray(15)))) },
            { client.onAdvertisingStarted(-1, now) },
            { client.onAdvertisingFailed(-1, now) },
            { client.onScan(Scan(-1, START, emptyList()), now) },
            { client.onTrustedTime(Long.MAX_VALUE, now) },
            { client.provideDiagnosisKeys(emptyList(), -1, now) },
            { client.temporaryExposureKeyHistory(ReportType.SELF_REPORT, -1, now) },
            { client.explainSilence(-1, now) },
            { client.guidance(Symptoms.NO, 900, now) },
            { client.forgetDay(-1, now) },
            {
                val day = InfectiousnessOnDay(15, Infectiousness.HIGH)
                val mapping = KeysDataMapping(listOf(day), Infectiousness.HIGH, ReportType.CONFIRMED_TEST)
                client.setDiagnosisKeysDataMapping(mapping, null, now)
            },
        )
        for ((number, argument) in arguments.withIndex()) {
            val error = assertFailsWith<ExposureNotificationException.InvalidArgument>("argument $number") { argument() }
            assertTrue(error.message!!.startsWith("invalid argument: "))
        }
        assertEquals(emptyList(), phone.client.dayRecords(now), "nothing was done")

        val good = configuration()
        val configurations = listOf(
            good.copy(transmitPowerDbm = 21),
            good.copy(trustedKeys = listOf(TrustedKey("440", "v1", "no key"))),
            good.copy(risk = RiskConfiguration.Document("{}")),
            good.copy(rssiCorrectionDb = 128),
            good.copy(serviceUuid = 65_536),
            good.copy(keyFilesPerDay = -1),
            good.copy(retentionDays = 15),
            good.copy(guidanceRulesJson = "{}"),
            good.copy(guidanceMessagesJson = listOf("{}")),
            good.copy(venueIssuers = listOf(TrustedKey("440", "v1", "no key"))),
            good.copy(diaryRulesJson = "{}"),
        )
        for (configuration in configurations) {
            assertFailsWith<ExposureNotificationException.InvalidConfiguration> {
                ExposureNotificationClient.open(configuration, LogLocation.Memory)
            }
        }
        for (risk in listOf(RiskConfiguration.Cocoa, RiskConfiguration.Monotone, RiskConfiguration.Gaen)) {
            ExposureNotificationClient.open(good.copy(risk = risk), LogLocation.Memory).shutdown()
        }
        phone.close()
        phone.close()
        assertFailsWith<ExposureNotificationException.Closed> { client.start(now) }
        assertFailsWith<ExposureNotificationException.Closed> { client.nextWake() }
    }

    @Test
    fun anObjectThatWasDestroyedIsNoUndefinedBehaviour() {
        val phone = Room().phone()
        val now = phone.clocks()
        phone.client.destroy()
        assertFailsWith<IllegalStateException> { phone.client.start(now) }
    }

    @Test
    fun callsFromManyThreadsRunOneAfterTheOther() {
        val room = Room()
        val (a, b) = room.phone() to room.phone()
        a.start()
        b.start()
        val data = b.onAir!!.serviceData
        room.now += 1_000
        val threads = 8
        val callsEach = 50
        val executor = Executors.newFixedThreadPool(threads)
        val counted = executor.invokeAll(
            List(threads) { thread ->
                Callable {
                    var kept = 0
                    repeat(callsEach) { call ->
                        val at = START + 1 + thread * callsEach + call
                        val scan = Scan(at, at, listOf(HeardAdvertisement(at, -60, data)))
                        kept += a.client.onScan(scan, a.clocks()).filterIsInstance<Action.ScanTaken>().sumOf { it.outcome.kept }
                        a.client.status(HostFacts(), a.clocks())
                        a.client.onWake(a.clocks())
                    }
                    kept
                }
            },
        ).sumOf { it.get() }
        executor.shutdown()
        assertEquals(threads * callsEach, counted)
        assertEquals(counted.toLong(), a.client.sightingsOn(DAY))
    }

    @Test
    fun forgettingADayAndForgettingEverything() {
        val met = Contact()
        met.provide(met.file)
        val client = met.contact.client
        val forgotten = client.forgetDay(DAY, met.contact.clocks())
        assertTrue(Action.DayForgotten(DAY) in forgotten)
        assertEquals(emptyList(), client.exposureWindows(met.contact.clocks()))
        assertEquals(0, client.sightingsOn(DAY))
        assertEquals(listOf<Silence>(Silence.Forgotten), client.explainSilence(DAY, met.contact.clocks()))
        // The same file does not bring it back.
        met.provide(met.file)
        assertEquals(emptyList(), client.assessments(met.contact.clocks()))
        val everything = client.forgetEverything(met.contact.clocks())
        assertTrue(Action.EverythingForgotten in everything && Action.StopAdvertising in everything)
        assertEquals(emptyList(), client.dayRecords(met.contact.clocks()))
        assertEquals(false, client.isEnabled(met.contact.clocks()))
        assertNull(client.cursor("simulated"))
    }

    private fun Phone.reason(code: String): StatusReason =
        client.status(HostFacts(), clocks()).reasons.single { it.code == code }
}
