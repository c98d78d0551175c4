#if canImport(CoreBluetooth)
import ChikakuCore
import CoreBluetooth
import Foundation
import XCTest

@testable import Chikaku

private let service = "8B1F0A4E-0001-4C3D-9D39-3B1C0D6A7F10"
private let characteristic = "8B1F0A4E-0002-4C3D-9D39-3B1C0D6A7F10"
private let now: Int64 = 1_775_433_600
private let payload = Data(0..<20)

private struct Refused: Error {}

/// The adapter over managers that a test plays the system to: every delegate callback, and what
/// comes of it. It cannot show that Apple's own behave so.
final class CoreBluetoothRadioTests: XCTestCase {
    private let gate = Gate()
    private lazy var radio: CoreBluetoothRadio = {
        let radio = CoreBluetoothRadio(
            .init(service: service, characteristic: characteristic),
            planner: try! GattReadPlanner(readsPerInterval: 60),
            unixSeconds: { now },
            pause: { [gate] _ in await gate.wait() })
        radio.peripheralManager.state = .poweredOn
        radio.centralManager.state = .poweredOn
        return radio
    }()
    private var peripheral: CBPeripheralManager { radio.peripheralManager }
    private var central: CBCentralManager { radio.centralManager }

    /// Plays the system: on the radio's queue, after everything before it.
    private func system(_ event: () -> Void) { radio.queue.sync(execute: event) }

    private func plan(_ data: Data = payload) -> AdvertisePlan {
        AdvertisePlan(number: 1, serviceUuid: 0xFD6F, serviceData: data, until: now + 600)
    }

    /// Begins a call and returns when the radio has taken it.
    private func begin<T: Sendable>(
        until condition: @escaping () -> Bool, _ call: @escaping @Sendable (CoreBluetoothRadio) async -> T
    ) async -> Task<T, Never> {
        let task = Task { [radio] in await call(radio) }
        while !radio.queue.sync(execute: condition) { await Task.yield() }
        return task
    }

    private func advertising() async {
        let call = await begin(until: { !self.peripheral.added.isEmpty }) { [plan = plan()] in await $0.advertise(plan) }
        system { radio.peripheralManager(peripheral, didAdd: peripheral.added[0], error: nil) }
        system { radio.peripheralManagerDidStartAdvertising(peripheral, error: nil) }
        let isOnTheAir = await call.value
        XCTAssertTrue(isOnTheAir)
    }

    private func scanning() async -> Task<[HeardAdvertisement]?, Never> {
        await begin(until: { self.central.scanned != nil }) { await $0.scan(seconds: 4) }
    }

    private func discover(_ peer: CBPeripheral, _ rssi: Int = -60) {
        system { radio.centralManager(central, didDiscover: peer, advertisementData: [:], rssi: NSNumber(value: rssi)) }
    }

    func testTheServiceIsAddedOnceAndEachPlanIsANewStart() async {
        await advertising()
        XCTAssertEqual(peripheral.advertised, [CBUUID(string: service)])
        let published = peripheral.added[0].characteristics?.first as? CBMutableCharacteristic
        XCTAssertEqual(published?.uuid, CBUUID(string: characteristic))
        XCTAssertEqual(published?.properties, .read)
        XCTAssertEqual(published?.permissions, .readable)
        XCTAssertNil(published?.value, "a fixed value would be answered without asking the radio")
        let second = await begin(until: { self.peripheral.starts == 2 }) { [plan = plan()] in await $0.advertise(plan) }
        system { radio.peripheralManagerDidStartAdvertising(peripheral, error: nil) }
        let isOnTheAir = await second.value
        XCTAssertTrue(isOnTheAir)
        XCTAssertEqual(peripheral.added.count, 1)
        await radio.stopAdvertising()
        XCTAssertNil(peripheral.advertised)
    }

    func testEveryWayInWhichAdvertisingFails() async {
        peripheral.state = .poweredOff
        let off = await radio.advertise(plan())
        XCTAssertFalse(off)
        peripheral.state = .poweredOn
        let refused = await begin(until: { !self.peripheral.added.isEmpty }) { [plan = plan()] in await $0.advertise(plan) }
        system { radio.peripheralManager(peripheral, didAdd: peripheral.added[0], error: Refused()) }
        let isAdded = await refused.value
        XCTAssertFalse(isAdded)
        let failing = await begin(until: { self.peripheral.added.count == 2 }) { [plan = plan()] in await $0.advertise(plan) }
        system { radio.peripheralManager(peripheral, didAdd: peripheral.added[1], error: nil) }
        system { radio.peripheralManagerDidStartAdvertising(peripheral, error: Refused()) }
        let isStarted = await failing.value
        XCTAssertFalse(isStarted)
        // Switched off meanwhile: the wait ends, and the service has to be added anew.
        let waiting = await begin(until: { self.peripheral.starts == 2 }) { [plan = plan()] in await $0.advertise(plan) }
        peripheral.state = .poweredOff
        system { radio.peripheralManagerDidUpdateState(peripheral) }
        let isWaiting = await waiting.value
        XCTAssertFalse(isWaiting)
        peripheral.state = .poweredOn
        let again = await begin(until: { self.peripheral.added.count == 3 }) { [plan = plan()] in await $0.advertise(plan) }
        system { radio.peripheralManager(peripheral, didAdd: peripheral.added[2], error: nil) }
        system { radio.peripheralManagerDidStartAdvertising(peripheral, error: nil) }
        let isAgain = await again.value
        XCTAssertTrue(isAgain)
    }

    func testAReadIsAnsweredWithThePayloadFromItsOffset() async {
        let known = CBCharacteristic(uuid: CBUUID(string: characteristic))
        let unknown = CBCharacteristic(uuid: CBUUID(string: service))
        func read(_ characteristic: CBCharacteristic, _ offset: Int) -> (CBATTError.Code, Data?) {
            system {
                radio.peripheralManager(
                    peripheral, didReceiveRead: CBATTRequest(characteristic: characteristic, offset: offset))
            }
            return peripheral.answers.last!
        }
        XCTAssertEqual(read(known, 0).0, .unlikelyError, "nothing is on the air")
        await advertising()
        XCTAssertEqual(read(known, 0).1, payload)
        XCTAssertEqual(read(known, 12).1, payload.suffix(8))
        XCTAssertEqual(read(known, 20).1, Data())
        XCTAssertEqual(read(known, 21).0, .invalidOffset)
        XCTAssertEqual(read(known, -1).0, .invalidOffset)
        XCTAssertEqual(read(unknown, 0).0, .unlikelyError)
    }

    func testAPeerIsReadOnceAndItsFurtherSightingsCount() async {
        let scan = await scanning()
        XCTAssertEqual(central.scanned, [CBUUID(string: service)])
        let peer = CBPeripheral()
        discover(peer, -60)
        discover(peer, -61)
        XCTAssertEqual(central.connecting, [peer], "one connection, however often it is seen")
        system { radio.centralManager(central, didConnect: peer) }
        let found = CBService(uuid: CBUUID(string: service))
        peer.services = [CBService(uuid: CBUUID(string: characteristic)), found]
        system { radio.peripheral(peer, didDiscoverServices: nil) }
        let value = CBCharacteristic(uuid: CBUUID(string: characteristic))
        found.characteristics = [value]
        system { radio.peripheral(peer, didDiscoverCharacteristicsFor: found, error: nil) }
        XCTAssertEqual(peer.asked, ["services", "characteristics", "value"])
        value.value = payload
        system { radio.peripheral(peer, didUpdateValueFor: value, error: nil) }
        XCTAssertEqual(central.cancelled, [peer])
        system { radio.centralManager(central, didDisconnectPeripheral: peer, error: nil) }
        discover(peer, -62)
        await gate.open()
        let heard = await scan.value
        XCTAssertEqual(heard?.map(\.rssiDbm), [-60, -62])
        XCTAssertEqual(heard?.map(\.serviceData), [payload, payload])
        XCTAssertNil(central.scanned)
        discover(peer)
        XCTAssertEqual(central.connecting.count, 1, "after the scan nobody is read")
    }

    func testEveryWayInWhichAReadFailsLeavesThePeerAlone() async {
        let scan = await scanning()
        let found = CBService(uuid: CBUUID(string: service))
        let value = CBCharacteristic(uuid: CBUUID(string: characteristic))
        let failures: [(CBPeripheral) -> Void] = [
            { [self] in radio.centralManager(central, didFailToConnect: $0, error: Refused()) },
            { [self] in radio.centralManager(central, didDisconnectPeripheral: $0, error: Refused()) },
            { [self] in radio.peripheral($0, didDiscoverServices: Refused()) },
            { [self] in radio.peripheral($0, didDiscoverServices: nil) },
            { [self] in radio.peripheral($0, didDiscoverCharacteristicsFor: found, error: Refused()) },
            { [self] in radio.peripheral($0, didDiscoverCharacteristicsFor: found, error: nil) },
            { [self] in radio.peripheral($0, didUpdateValueFor: value, error: Refused()) },
            { [self] in radio.peripheral($0, didUpdateValueFor: value, error: nil) },
        ]
        for (number, failure) in failures.enumerated() {
            let peer = CBPeripheral()
            discover(peer)
            system { failure(peer) }
            XCTAssertEqual(central.cancelled.count, number + 1)
            discover(peer)
            XCTAssertEqual(central.connecting.count, number + 1, "it is left alone")
        }
        // Bluetooth is switched off while one is being read.
        let last = CBPeripheral()
        discover(last)
        central.state = .poweredOff
        system { radio.centralManagerDidUpdateState(central) }
        XCTAssertTrue(central.cancelled.contains(last))
        // One that connects when nobody waits for it any more.
        let late = CBPeripheral()
        system { radio.centralManager(central, didConnect: late) }
        XCTAssertTrue(late.asked.isEmpty && central.cancelled.contains(late))
        await gate.open()
        let heard = await scan.value
        XCTAssertNil(heard, "Bluetooth went off: that nobody was there is not known")
    }

    func testAScanThatEndsCutsOffWhatIsBeingRead() async {
        let scan = await scanning()
        let peer = CBPeripheral()
        discover(peer)
        await gate.open()
        let heard = await scan.value
        XCTAssertEqual(heard, [])
        XCTAssertEqual(central.cancelled, [peer])
        central.state = .poweredOff
        let off = await radio.scan(seconds: 4)
        XCTAssertNil(off)
    }
}

/// Stands for the seconds of a scan.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }

    func open() {
        isOpen = true
        waiting.forEach { $0.resume() }
        waiting = []
    }
}
#endif
