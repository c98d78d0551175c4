import ChikakuCore
import Foundation

/// 2024-10-04, a UTC day.
let day: Int32 = 20_000
let daySeconds: Int64 = 86_400
let start = Int64(day) * daySeconds

/// A phone in a test: the real client, both clocks, and the radio of a `Room`.
final class Phone {
    private unowned let room: Room
    private(set) var client: ExposureNotificationClient
    private let configuration: ClientConfiguration
    private let location: LogLocation

    /// What the user set the wall clock ahead by.
    var aheadSeconds: Int64 = 0
    private(set) var onAir: AdvertisePlan?
    private(set) var scanSince: Int64?
    private(set) var scanEnds: Int64?
    private(set) var plans: [AdvertisePlan] = []
    private(set) var scans: [ScanOutcome] = []
    private(set) var announced: [Assessment] = []
    private(set) var records: [DayRecord] = []
    private(set) var venueDays: [Int32] = []

    init(_ room: Room, _ configuration: ClientConfiguration, _ location: LogLocation = .memory) throws {
        self.room = room
        self.configuration = configuration
        self.location = location
        client = try ExposureNotificationClient.open(configuration: configuration, log: location)
    }

    /// The process ends and comes back.
    func restart(
        _ location: LogLocation? = nil,
        open: (ClientConfiguration, LogLocation) throws -> ExposureNotificationClient = {
            try .open(configuration: $0, log: $1)
        }
    ) throws {
        client.shutdown()
        client = try open(configuration, location ?? self.location)
        onAir = nil
        scanSince = nil
        scanEnds = nil
        try begin()
    }

    var clocks: ClockReading {
        ClockReading(
            wallUnixSeconds: room.now + aheadSeconds,
            monotonicSeconds: room.now - start + 5_000,
            boot: .count(count: 3)
        )
    }

    /// Carries actions out as a host does.
    func carryOut(_ actions: [Action]) throws {
        for action in actions {
            switch action {
            case .advertise(let plan):
                onAir = plan
                plans.append(plan)
                _ = try client.onAdvertisingStarted(plan: plan.number, now: clocks)
            case .stopAdvertising, .advertisingSuspended:
                onAir = nil
            case .scan(let seconds):
                scanSince = room.now
                scanEnds = room.now + Int64(seconds)
            case .scanTaken(let outcome):
                scans.append(outcome)
            case .announce(let assessment):
                announced.append(assessment)
            case .announceVenues(let day):
                venueDays.append(day)
            case .dayRecorded(let record):
                records.append(record)
            default:
                break
            }
        }
    }

    func begin() throws { try carryOut(client.start(now: clocks)) }

    func wake() throws { try carryOut(client.onWake(now: clocks)) }

    func finishScan(_ heard: [HeardAdvertisement]) throws {
        let scan = Scan(started: scanSince!, ended: room.now, heard: heard)
        scanSince = nil
        scanEnds = nil
        try carryOut(client.onScan(scan: scan, now: clocks))
    }

    /// Publishes keys and visits; returns what the server was sent.
    func publishWithVisits() throws -> [Data] {
        let onset = PublicationDate(localDay: day, utcOffsetMinutes: 540, isSymptomOnset: true)
        let publication = try client.publishKeys(
            consent: .keysAndVisits(transmissionRiskLevel: 8), reportType: .confirmedTest, date: onset,
            number: "12345678", now: clocks)
        try carryOut(publication.actions)
        var sent: [Data] = []
        while let call = try client.nextUploadCall(now: clocks) {
            if case .send(_, _, _, let body) = call.step { sent.append(body) }
            _ = try client.onUploadAnswer(upload: call.upload, answer: good(call), now: clocks)
        }
        return sent
    }

    /// When something has to happen with this phone.
    func next() throws -> Int64 {
        min(scanEnds ?? .max, (try client.nextWake() ?? .max) - aheadSeconds)
    }

    func reason(_ code: String) throws -> StatusReason? {
        try client.status(host: HostFacts(), now: clocks).reasons.first { $0.code == code }
    }
}

/// Virtual time, and a radio over which phones in one room hear each other.
final class Room {
    var now = start
    private(set) var phones: [Phone] = []
    /// Signal strengths of one scan; empty while the phones are apart.
    var rssi: [Int32] = []

    func phone(
        _ configuration: ClientConfiguration = configuration(), _ location: LogLocation = .memory
    ) throws -> Phone {
        let phone = try Phone(self, configuration, location)
        phones.append(phone)
        return phone
    }

    func pass(until end: Int64) throws {
        while true {
            let due = try phones.min { try $0.next() < $1.next() }!
            let next = try due.next()
            if next > end { break }
            now = max(now, next)
            if due.scanEnds == now {
                try due.finishScan(heard(by: due))
            } else {
                try due.wake()
            }
        }
        now = end
    }

    private func heard(by phone: Phone) -> [HeardAdvertisement] {
        phones.filter { $0 !== phone }.compactMap(\.onAir).flatMap { plan in
            rssi.enumerated().map { second, dbm in
                HeardAdvertisement(
                    heardAt: phone.scanSince! + Int64(second), rssiDbm: dbm, serviceData: plan.serviceData)
            }
        }
    }
}

/// A server that takes visits with the keys.
let takesVisits = UploadServer.exposureServer(
    healthAuthorityId: "jp.example.authority", traveler: false, takesVisits: true)

/// The answer of a world in which everything works.
func good(_ call: UploadCall) -> UploadAnswer {
    switch call.step {
    case .attest: .attested(token: "token")
    case .certify: .certified(certificate: "certificate")
    case .send: .response(status: 204, body: Data())
    }
}

func configuration(_ servers: SimulatedKeyServer...) throws -> ClientConfiguration {
    ClientConfiguration(transmitPowerDbm: -24, trustedKeys: try servers.map { try $0.trustedKey() })
}

func configuration() -> ClientConfiguration {
    ClientConfiguration(transmitPowerDbm: -24, trustedKeys: [])
}

/// Patient and contact, half an hour together at 53 and 57 dB, and the patient's published keys.
struct Contact {
    let server: SimulatedKeyServer
    let room = Room()
    let patient: Phone
    let contact: Phone
    let metAt = start + 9 * 3_600
    let keys: [DiagnosisKey]
    let file: Data

    init(_ location: LogLocation = .memory) throws {
        server = try SimulatedKeyServer(number: 1)
        patient = try room.phone(configuration(server))
        contact = try room.phone(configuration(server), location)
        try patient.begin()
        try contact.begin()
        try room.pass(until: metAt)
        room.rssi = [-77, -81]
        try room.pass(until: metAt + 1_800)
        room.rssi = []
        try room.pass(until: start + daySeconds + 600)
        let disclosure = try patient.client.temporaryExposureKeyHistory(
            reportType: .confirmedTest, onsetDay: day, now: patient.clocks)
        try patient.carryOut(disclosure.actions)
        keys = disclosure.keys
        file = try server.publish(keys: keys, start: start, end: room.now)
    }

    @discardableResult
    func provide(_ files: Data...) throws -> KeyFilesResult {
        let files = files.map { KeyFile(bytes: $0, source: "simulated", position: 1) }
        let result = try contact.client.provideDiagnosisKeys(files: files, missing: 0, now: contact.clocks)
        try contact.carryOut(result.actions)
        return result
    }
}
