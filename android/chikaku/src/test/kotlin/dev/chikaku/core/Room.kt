package dev.chikaku.core

/** 2024-10-04, a UTC day. */
const val DAY = 20_000
const val DAY_SECONDS = 86_400L
const val START = DAY * DAY_SECONDS

/** A phone in a test: the real client, both clocks, and the radio of a [Room]. */
class Phone(
    private val room: Room,
    private val configuration: ClientConfiguration,
    private val location: LogLocation = LogLocation.Memory,
) : AutoCloseable {
    var client = ExposureNotificationClient.open(configuration, location)
        private set

    /** What the user set the wall clock ahead by. */
    var aheadSeconds = 0L
    var onAir: AdvertisePlan? = null
        private set
    var scanSince: Long? = null
        private set
    var scanEnds: Long? = null
        private set
    val plans = mutableListOf<AdvertisePlan>()
    val scans = mutableListOf<ScanOutcome>()
    val announced = mutableListOf<Assessment>()
    val records = mutableListOf<DayRecord>()
    val venueDays = mutableListOf<Int>()

    fun clocks() = ClockReading(room.now + aheadSeconds, room.now - START + 5_000, Boot.Count(3))

    /** Carries actions out as a host does. */
    fun carryOut(actions: List<Action>) {
        for (action in actions) {
            when (action) {
                is Action.Advertise -> {
                    onAir = action.plan
                    plans += action.plan
                    client.onAdvertisingStarted(action.plan.number, clocks())
                }
                is Action.StopAdvertising, is Action.AdvertisingSuspended -> onAir = null
                is Action.Scan -> {
                    scanSince = room.now
                    scanEnds = room.now + action.seconds
                }
                is Action.ScanTaken -> scans += action.outcome
                is Action.Announce -> announced += action.assessment
                is Action.AnnounceVenues -> venueDays += action.day
                is Action.DayRecorded -> records += action.record
                else -> Unit
            }
        }
    }

    fun start() = carryOut(client.start(clocks()))

    /** The process ends and comes back. */
    fun restart(
        location: LogLocation = this.location,
        open: (ClientConfiguration, LogLocation) -> ExposureNotificationClient = ExposureNotificationClient::open,
    ) {
        client.shutdown()
        client = open(configuration, location)
        onAir = null
        scanSince = null
        scanEnds = null
        start()
    }

    fun finishScan(heard: List<HeardAdvertisement>) {
        val scan = Scan(scanSince!!, room.now, heard)
        scanSince = null
        scanEnds = null
        carryOut(client.onScan(scan, clocks()))
    }

    /** Publishes keys and visits; returns what the server was sent. */
    fun publishWithVisits(): List<ByteArray> {
        val onset = PublicationDate(DAY, 540, true)
        val consent = PublicationConsent.KeysAndVisits(8)
        val publication = client.publishKeys(consent, ReportType.CONFIRMED_TEST, onset, "12345678", clocks())
        carryOut(publication.actions)
        return generateSequence { client.nextUploadCall(clocks()) }.mapNotNull { call ->
            client.onUploadAnswer(call.upload, good(call), clocks())
            (call.step as? UploadStep.Send)?.body
        }.toList()
    }

    /** When something has to happen with this phone. */
    fun next(): Long = minOf(scanEnds ?: Long.MAX_VALUE, (client.nextWake() ?: Long.MAX_VALUE) - aheadSeconds)

    override fun close() = client.shutdown()
}

/** Virtual time, and a radio over which phones in one room hear each other. */
class Room {
    var now = START
    val phones = mutableListOf<Phone>()

    /** Signal strengths of one scan; empty while the phones are apart. */
    var rssi: List<Int?> = emptyList()

    fun phone(configuration: ClientConfiguration = configuration(), location: LogLocation = LogLocation.Memory) =
        Phone(this, configuration, location).also { phones += it }

    fun passUntil(end: Long) {
        while (true) {
            val due = phones.minBy { it.next() }
            if (due.next() > end) break
            now = maxOf(now, due.next())
            if (due.scanEnds == now) due.finishScan(heardBy(due)) else due.carryOut(due.client.onWake(due.clocks()))
        }
        now = end
    }

    private fun heardBy(phone: Phone): List<HeardAdvertisement> =
        phones.filter { it !== phone }.mapNotNull { it.onAir }.flatMap { plan ->
            rssi.mapIndexed { second, dbm -> HeardAdvertisement(phone.scanSince!! + second, dbm, plan.serviceData) }
        }
}

/** A server that takes visits with the keys. */
val TAKES_VISITS = UploadServer.ExposureServer("jp.example.authority", false, true)

/** The answer of a world in which everything works. */
fun good(call: UploadCall): UploadAnswer = when (call.step) {
    is UploadStep.Attest -> UploadAnswer.Attested("token")
    is UploadStep.Certify -> UploadAnswer.Certified("certificate")
    is UploadStep.Send -> UploadAnswer.Response(200, "{}".toByteArray())
}

fun configuration(vararg servers: SimulatedKeyServer) =
    ClientConfiguration(transmitPowerDbm = -24, trustedKeys = servers.map { it.trustedKey() })

/** Patient and contact, half an hour together at 53 and 57 dB, and the patient's published keys. */
class Contact(
    location: LogLocation = LogLocation.Memory,
    configure: (ClientConfiguration) -> ClientConfiguration = { it },
) {
    val server = SimulatedKeyServer(1)
    val room = Room()
    val patient = room.phone(configuration(server))
    val contact = room.phone(configure(configuration(server)), location)
    val metAt = START + 9 * 3_600
    val keys: List<DiagnosisKey>
    val file: ByteArray

    init {
        patient.start()
        contact.start()
        room.passUntil(metAt)
        room.rssi = listOf(-77, -81)
        room.passUntil(metAt + 1_800)
        room.rssi = emptyList()
        room.passUntil(START + DAY_SECONDS + 600)
        val disclosure =
            patient.client.temporaryExposureKeyHistory(ReportType.CONFIRMED_TEST, DAY, patient.clocks())
        patient.carryOut(disclosure.actions)
        keys = disclosure.keys
        file = server.publish(keys, START, room.now)
    }

    fun provide(vararg files: ByteArray): KeyFilesResult =
        contact.client
            .provideDiagnosisKeys(files.map { KeyFile(it, "simulated", 1) }, 0, contact.clocks())
            .also { contact.carryOut(it.actions) }
}
