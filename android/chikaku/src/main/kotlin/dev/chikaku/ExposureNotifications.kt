package dev.chikaku

import dev.chikaku.core.Action
import dev.chikaku.core.Assessment
import dev.chikaku.core.ClockReading
import dev.chikaku.core.DayEvidence
import dev.chikaku.core.DayRecord
import dev.chikaku.core.DiagnosisKey
import dev.chikaku.core.DiaryEntry
import dev.chikaku.core.DiaryExport
import dev.chikaku.core.DiaryOutcome
import dev.chikaku.core.DiaryStart
import dev.chikaku.core.DiaryState
import dev.chikaku.core.ExposureExplanation
import dev.chikaku.core.ExposureNotificationClient
import dev.chikaku.core.ExposureNotificationException
import dev.chikaku.core.ExposureWindow
import dev.chikaku.core.Guidance
import dev.chikaku.core.HostFacts
import dev.chikaku.core.KeyFile
import dev.chikaku.core.KeyFileOutcome
import dev.chikaku.core.LogMaintenance
import dev.chikaku.core.PublicationConsent
import dev.chikaku.core.PublicationDate
import dev.chikaku.core.PublicationOutcome
import dev.chikaku.core.ReportType
import dev.chikaku.core.Scan
import dev.chikaku.core.ScannedCode
import dev.chikaku.core.Silence
import dev.chikaku.core.Status
import dev.chikaku.core.Symptoms
import dev.chikaku.core.UploadAnswer
import dev.chikaku.core.UploadCall
import dev.chikaku.core.UploadOutcome
import dev.chikaku.core.UploadStatus
import dev.chikaku.core.VenueWarningsOutcome
import dev.chikaku.core.Visit
import dev.chikaku.core.VisitOutcome
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Exposure notification of one phone: carries out what the client asks for, and tells what changes.
 *
 * Every function may be called from any coroutine; they run one after the other. A function that
 * fails throws an `ExposureNotificationException` and has changed nothing.
 */
public class ExposureNotifications(
    private val client: ExposureNotificationClient,
    private val clock: PhoneClock,
    private val radio: Radio,
    private val scheduler: WakeScheduler,
    private val facts: HostFactsReader,
    /** Lives as long as the service; scans run in it. */
    private val scope: CoroutineScope,
    /** Where the client's work is done: matching reads two weeks of sightings. */
    private val work: CoroutineDispatcher = Dispatchers.Default,
) {
    private val turn = Mutex()
    private val told = Channel<Assessment>(Channel.UNLIMITED)
    private val toldOfVenues = Channel<Int>(Channel.UNLIMITED)
    private val ended = Channel<DayRecord>(Channel.UNLIMITED)
    private val due = Channel<Long>(Channel.CONFLATED)
    private val expired = Channel<String>(Channel.UNLIMITED)
    private val current = MutableStateFlow(client.status(facts.read(), clock.read()))
    private var scan: Job? = null

    /** Whether the phone takes part, with every reason why it does not. */
    public val status: StateFlow<Status> = current.asStateFlow()

    /** Days of which the user must be told. Call [confirmAnnounced] when that has happened; until then they come again at every start. */
    public val announcements: Flow<Assessment> = told.receiveAsFlow()

    /** Days, since 1970-01-01, on which a venue was visited that is warned about. As [announcements]; [evidence] says why. */
    public val venueAnnouncements: Flow<Int> = toldOfVenues.receiveAsFlow()

    /** One record of every day that is over, also of those on which nothing was found. */
    public val dayRecords: Flow<DayRecord> = ended.receiveAsFlow()

    /** From which time on, seconds since 1970 UTC, [nextUploadCall] has something to do; it needs a network. */
    public val uploadsDue: Flow<Long> = due.receiveAsFlow()

    /** Uploads that no server takes any more: tell the user that nobody was warned. */
    public val expiredUploads: Flow<String> = expired.receiveAsFlow()

    /** The user switched tracing on, or the process came back with tracing on. */
    public suspend fun start(): Unit = act { client.start(it) }

    /** The user switched tracing off. */
    public suspend fun stop() {
        scan?.cancel()
        act { client.stop(it) }
    }

    public suspend fun isEnabled(): Boolean = ask { client.isEnabled(it) }

    /** A planned time has come, the wall clock was set, or the phone was started. */
    public suspend fun wake(): Unit = act { client.onWake(it) }

    /** A server over an authenticated connection says what time it is. */
    public suspend fun trustedTime(unixSeconds: Long): Unit = act { client.onTrustedTime(unixSeconds, it) }

    /** Matches key files; [missing] more were listed and could not be fetched. */
    public suspend fun provideDiagnosisKeys(files: List<KeyFile>, missing: Int = 0): List<KeyFileOutcome> =
        inTurn { now ->
            val result = client.provideDiagnosisKeys(files, missing, now)
            carryOut(result.actions)
            result.files
        }

    /** The user tested positive and consents: the keys to publish. [onsetDay] in days since 1970-01-01. */
    public suspend fun temporaryExposureKeyHistory(reportType: ReportType, onsetDay: Int? = null): List<DiagnosisKey> =
        inTurn { now ->
            val disclosure = client.temporaryExposureKeyHistory(reportType, onsetDay, now)
            carryOut(disclosure.actions)
            disclosure.keys
        }

    /**
     * The user tested positive, agreed and entered [number]. The keys, and warnings for other visitors
     * if the [consent] includes visits, are kept until the server has them: collect [uploadsDue], and
     * make the calls that [nextUploadCall] names.
     */
    public suspend fun publishKeys(
        consent: PublicationConsent,
        reportType: ReportType,
        date: PublicationDate,
        number: String,
    ): PublicationOutcome = inTurn { now ->
        val publication = client.publishKeys(consent, reportType, date, number, now)
        carryOut(publication.actions)
        publication.outcome
    }

    /** The call to make now, with a network; make every one, some are decoys. */
    public suspend fun nextUploadCall(): UploadCall? = inTurn { client.nextUploadCall(it) }

    public suspend fun answerUpload(upload: String, answer: UploadAnswer): UploadOutcome = inTurn { now ->
        val progress = client.onUploadAnswer(upload, answer, now)
        carryOut(progress.actions)
        progress.outcome
    }

    /** The user corrected a number that the server refused. */
    public suspend fun correctNumber(upload: String, number: String): Unit =
        act { client.correctNumber(upload, number, it) }

    public suspend fun cancelUpload(upload: String): Unit = act { client.cancelUpload(upload, it) }

    public suspend fun uploads(): List<UploadStatus> = ask { client.uploads() }

    /** Returns why the configuration was refused, or `null` if it is in force. */
    public suspend fun setRiskConfiguration(json: String, version: String? = null): String? =
        inTurn { now ->
            val actions = client.setRiskConfiguration(json, version, now)
            carryOut(actions)
            actions.filterIsInstance<Action.ConfigurationRefused>().firstOrNull()?.message
        }

    public suspend fun exposureWindows(): List<ExposureWindow> = ask { client.exposureWindows(it) }

    public suspend fun assessments(): List<Assessment> = ask { client.assessments(it) }

    public suspend fun explanations(): List<ExposureExplanation> = ask { client.explanations(it) }

    public suspend fun explainSilence(day: Int): List<Silence> = ask { client.explainSilence(day, it) }

    public suspend fun guidance(symptoms: Symptoms, utcOffsetMinutes: Int): Guidance? =
        ask { client.guidance(symptoms, utcOffsetMinutes, it) }

    /** What a scanned code says, for the screen on which the user decides. */
    public suspend fun readVenueCode(text: String): ScannedCode = ask { client.readVenueCode(text) }

    /** The user wants to check in with this scanned text. */
    public suspend fun checkIn(text: String): VisitOutcome =
        inTurn { now -> client.checkIn(text, now).let { carryOut(it.actions); it.outcome } }

    public suspend fun checkOut(visit: Long): VisitOutcome =
        inTurn { now -> client.checkOut(visit, now).let { carryOut(it.actions); it.outcome } }

    public suspend fun visits(): List<Visit> = ask { client.visits(it) }

    /** Only when the user asks for it. */
    public suspend fun visitName(visit: Long): String? = ask { client.visitName(visit, it) }

    public suspend fun provideVenueWarnings(bytes: ByteArray): VenueWarningsOutcome =
        inTurn { now -> client.provideVenueWarnings(bytes, now).let { carryOut(it.actions); it.outcome } }

    /** What speaks for an exposure on a day: phones that were heard and venues that were visited. */
    public suspend fun evidence(day: Int): DayEvidence = ask { client.evidence(day, it) }

    public suspend fun beginDiary(start: DiaryStart): DiaryOutcome =
        inTurn { now -> client.beginDiary(start, now).let { carryOut(it.actions); it.outcome } }

    public suspend fun addDiaryEntry(entry: DiaryEntry): DiaryOutcome =
        inTurn { now -> client.addDiaryEntry(entry, now).let { carryOut(it.actions); it.outcome } }

    public suspend fun diary(): DiaryState? = ask { client.diary(it) }

    public suspend fun diaryExport(): DiaryExport? = ask { client.diaryExport(it) }

    public suspend fun confirmAnnounced(day: Int): Unit = act { client.onAnnounced(day, it) }

    public suspend fun forgetDay(day: Int): Unit = act { client.forgetDay(day, it) }

    /** Forgets everything that was recorded, and goes on with an empty log. */
    public suspend fun forgetEverything() {
        scan?.cancel()
        act { client.forgetEverything(it) }
    }

    /**
     * Deletes everything and ends: nothing is left of the log, every further call fails. Then
     * [LogOnDisk.delete] deletes the key, too.
     */
    public suspend fun deleteEverything(): Unit =
        withContext(work) {
            turn.withLock {
                scan?.cancel()
                radio.stopAdvertising()
                client.deleteEverything()
            }
        }

    /** Gives the log's space back; once a day, while the phone is charged. `null` in memory. */
    public suspend fun maintain(): LogMaintenance? = ask { client.maintain() }

    /** Something that [HostFactsReader] reads has changed: Bluetooth, a permission. */
    public suspend fun refreshStatus(): Unit = inTurn { }

    private suspend fun act(call: (ClockReading) -> List<Action>): Unit = inTurn { carryOut(call(it)) }

    private suspend fun <T> ask(call: (ClockReading) -> T): T = withContext(work) { call(clock.read()) }

    private suspend fun <T> inTurn(call: suspend (ClockReading) -> T): T =
        withContext(work) {
            turn.withLock {
                // What the engine has decided is carried out, whatever becomes of the caller.
                withContext(NonCancellable) {
                    val result = call(clock.read())
                    current.value = client.status(facts.read(), clock.read())
                    client.nextWake()?.let(scheduler::wakeAt)
                    result
                }
            }
        }

    /** In order, with what the answers to the radio's news ask for in turn. */
    private suspend fun carryOut(actions: List<Action>) {
        for (action in actions) {
            when (action) {
                is Action.Advertise -> carryOut(
                    if (radio.advertise(action.plan)) {
                        client.onAdvertisingStarted(action.plan.number, clock.read())
                    } else {
                        client.onAdvertisingFailed(action.plan.number, clock.read())
                    },
                )
                is Action.StopAdvertising, is Action.AdvertisingSuspended -> radio.stopAdvertising()
                is Action.Scan -> scan(action.seconds)
                is Action.Announce -> told.trySend(action.assessment)
                is Action.AnnounceVenues -> toldOfVenues.trySend(action.day)
                is Action.DayRecorded -> ended.trySend(action.record)
                is Action.UploadsDue -> due.trySend(action.at)
                is Action.UploadExpired -> expired.trySend(action.upload)
                is Action.ScanTaken,
                is Action.DayAssessed,
                is Action.DayForgotten,
                is Action.EverythingForgotten,
                is Action.ConfigurationAccepted,
                is Action.ConfigurationRefused,
                -> Unit
            }
        }
    }

    /** Runs beside everything else: other calls do not wait for four seconds. */
    private fun scan(seconds: Int) {
        val before = scan
        // At once: the new one may itself be cancelled before it begins.
        before?.cancel()
        scan = scope.launch {
            before?.join()
            val started = clock.read().wallUnixSeconds
            val heard = radio.scan(seconds)
            try {
                if (heard == null) {
                    refreshStatus()
                } else {
                    act { now -> client.onScan(Scan(started, now.wallUnixSeconds, heard), now) }
                }
            } catch (_: ExposureNotificationException) {
                // A scan that cannot be kept is missed; with the next call the status says so.
            }
        }
    }
}
