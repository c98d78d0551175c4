#if canImport(CoreBluetooth)
import ChikakuCore
import CoreBluetooth
import Foundation

/// The phone's Bluetooth over GATT, the only carrier that iOS leaves to an ordinary app: a peer
/// finds the service and reads the payload. The core's planner says whom to read; a peer is
/// forgotten when the scan is over.
///
/// Everything runs on one queue, on which the system calls the delegates, too.
public final class CoreBluetoothRadio: NSObject, Radio, @unchecked Sendable {
    /// Which service, the same on every platform; an app brings UUIDs of its own.
    public struct Service: Sendable {
        public let service: String
        public let characteristic: String
        public init(service: String, characteristic: String) {
            (self.service, self.characteristic) = (service, characteristic)
        }
    }

    let queue = DispatchQueue(label: "dev.chikaku.radio")
    private let service: CBUUID
    private let characteristic: CBUUID
    private let planner: GattReadPlanner
    private let unixSeconds: @Sendable () -> Int64
    private let pause: @Sendable (Int) async -> Void
    private(set) var peripheralManager: CBPeripheralManager!
    private(set) var centralManager: CBCentralManager!
    private var payload: Data?
    private var isServiceAdded = false
    private var waitingForStart: CheckedContinuation<Bool, Never>?
    private var isScanning = false
    private var heard: [HeardAdvertisement] = []
    /// Held while it is read, as CoreBluetooth demands, with the strength at which it was seen.
    private var reading: [UUID: (peer: CBPeripheral, rssi: Int32?)] = [:]

    public init(
        _ service: Service,
        planner: GattReadPlanner,
        unixSeconds: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) },
        pause: @escaping @Sendable (Int) async -> Void = { try? await Task.sleep(nanoseconds: UInt64($0) * 1_000_000_000) }
    ) {
        self.service = CBUUID(string: service.service)
        characteristic = CBUUID(string: service.characteristic)
        self.planner = planner
        self.unixSeconds = unixSeconds
        self.pause = pause
        super.init()
        peripheralManager = CBPeripheralManager(delegate: self, queue: queue)
        centralManager = CBCentralManager(delegate: self, queue: queue)
    }

    public func advertise(_ plan: AdvertisePlan) async -> Bool {
        await withCheckedContinuation { waiting in
            queue.async { [self] in
                waitingForStart?.resume(returning: false)
                waitingForStart = waiting
                payload = plan.serviceData
                // The system alone changes the address; a new start is all that can be asked of it.
                peripheralManager.stopAdvertising()
                if peripheralManager.state == .poweredOn { publish() } else { started(false) }
            }
        }
    }

    public func stopAdvertising() async {
        await withCheckedContinuation { done in
            queue.async { [self] in
                payload = nil
                peripheralManager.stopAdvertising()
                done.resume()
            }
        }
    }

    public func scan(seconds: Int) async -> [HeardAdvertisement]? {
        let on = await withCheckedContinuation { answer in
            queue.async { [self] in
                heard = []
                isScanning = centralManager.state == .poweredOn
                if isScanning {
                    centralManager.scanForPeripherals(
                        withServices: [service], options: [CBCentralManagerScanOptionAllowDuplicatesKey: true])
                }
                answer.resume(returning: isScanning)
            }
        }
        guard on else { return nil }
        await pause(seconds)
        return await withCheckedContinuation { answer in
            queue.async { [self] in
                let listened = isScanning
                isScanning = false
                centralManager.stopScan()
                for (_, read) in reading { finish(read.peer, nil) }
                answer.resume(returning: listened || !heard.isEmpty ? heard : nil)
                heard = []
            }
        }
    }

    private func publish() {
        if isServiceAdded {
            peripheralManager.startAdvertising([CBAdvertisementDataServiceUUIDsKey: [service]])
        } else {
            let answering = CBMutableCharacteristic(
                type: characteristic, properties: .read, value: nil, permissions: .readable)
            let published = CBMutableService(type: service, primary: true)
            published.characteristics = [answering]
            peripheralManager.add(published)
        }
    }

    private func started(_ isOnTheAir: Bool) {
        if !isOnTheAir { payload = nil }
        waitingForStart?.resume(returning: isOnTheAir)
        waitingForStart = nil
    }

    private func finish(_ peripheral: CBPeripheral, _ data: Data?) {
        guard let read = reading.removeValue(forKey: peripheral.identifier) else { return }
        let now = unixSeconds()
        try? planner.onRead(peer: peripheral.identifier.uuidString, serviceData: data, unixSeconds: now)
        if let data { heard.append(HeardAdvertisement(heardAt: now, rssiDbm: read.rssi, serviceData: data)) }
        centralManager.cancelPeripheralConnection(peripheral)
    }
}

extension CoreBluetoothRadio: CBPeripheralManagerDelegate {
    public func peripheralManagerDidUpdateState(_ peripheral: CBPeripheralManager) {
        // Services are gone when Bluetooth was off.
        if peripheral.state != .poweredOn {
            isServiceAdded = false
            started(false)
        }
    }

    public func peripheralManager(_ peripheral: CBPeripheralManager, didAdd service: CBService, error: (any Error)?) {
        isServiceAdded = error == nil
        if isServiceAdded, payload != nil { publish() } else { started(false) }
    }

    public func peripheralManagerDidStartAdvertising(_ peripheral: CBPeripheralManager, error: (any Error)?) {
        started(error == nil)
    }

    public func peripheralManager(_ peripheral: CBPeripheralManager, didReceiveRead request: CBATTRequest) {
        guard let payload, request.characteristic.uuid == characteristic else {
            return peripheral.respond(to: request, withResult: .unlikelyError)
        }
        guard (0...payload.count).contains(request.offset) else {
            return peripheral.respond(to: request, withResult: .invalidOffset)
        }
        request.value = Data(payload.dropFirst(request.offset))
        peripheral.respond(to: request, withResult: .success)
    }
}

extension CoreBluetoothRadio: CBCentralManagerDelegate {
    public func centralManagerDidUpdateState(_ central: CBCentralManager) {
        if central.state != .poweredOn {
            isScanning = false
            for (_, read) in reading { finish(read.peer, nil) }
        }
    }

    public func centralManager(
        _ central: CBCentralManager, didDiscover peripheral: CBPeripheral, advertisementData: [String: Any],
        rssi RSSI: NSNumber
    ) {
        guard isScanning else { return }
        let now = unixSeconds()
        // The core takes 127, which means that nothing was measured, for what it is.
        let rssi = RSSI.int32Value
        switch try? planner.onSeen(peer: peripheral.identifier.uuidString, unixSeconds: now) {
        case .known(let data):
            heard.append(HeardAdvertisement(heardAt: now, rssiDbm: rssi, serviceData: data))
        case .read:
            reading[peripheral.identifier] = (peripheral, rssi)
            peripheral.delegate = self
            central.connect(peripheral, options: nil)
        case .wait, nil:
            break
        }
    }

    public func centralManager(_ central: CBCentralManager, didConnect peripheral: CBPeripheral) {
        guard reading[peripheral.identifier] != nil else { return central.cancelPeripheralConnection(peripheral) }
        peripheral.discoverServices([service])
    }

    public func centralManager(
        _ central: CBCentralManager, didFailToConnect peripheral: CBPeripheral, error: (any Error)?
    ) {
        finish(peripheral, nil)
    }

    public func centralManager(
        _ central: CBCentralManager, didDisconnectPeripheral peripheral: CBPeripheral, error: (any Error)?
    ) {
        finish(peripheral, nil)
    }
}

extension CoreBluetoothRadio: CBPeripheralDelegate {
    public func peripheral(_ peripheral: CBPeripheral, didDiscoverServices error: (any Error)?) {
        guard error == nil, let found = peripheral.services?.first(where: { $0.uuid == service }) else {
            return finish(peripheral, nil)
        }
        peripheral.discoverCharacteristics([characteristic], for: found)
    }

    public func peripheral(
        _ peripheral: CBPeripheral, didDiscoverCharacteristicsFor service: CBService, error: (any Error)?
    ) {
        guard error == nil, let found = service.characteristics?.first(where: { $0.uuid == characteristic }) else {
            return finish(peripheral, nil)
        }
        peripheral.readValue(for: found)
    }

    public func peripheral(
        _ peripheral: CBPeripheral, didUpdateValueFor characteristic: CBCharacteristic, error: (any Error)?
    ) {
        finish(peripheral, error == nil ? characteristic.value : nil)
    }
}
#endif
