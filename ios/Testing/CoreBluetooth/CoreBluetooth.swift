// For tests on Linux only, never in an app: as much of CoreBluetooth's surface as the adapter uses,
// written from our reading of Apple's documentation. Managers do nothing but remember what they
// were told; a test plays the system and calls the delegates.

import Dispatch
import Foundation

public struct CBUUID: Hashable, Sendable {
    public let uuidString: String
    public init(string: String) { uuidString = string }
}

public enum CBManagerState: Int, Sendable {
    case unknown, resetting, unsupported, unauthorized, poweredOff, poweredOn
}

public let CBAdvertisementDataServiceUUIDsKey = "kCBAdvDataServiceUUIDs"
public let CBCentralManagerScanOptionAllowDuplicatesKey = "kCBScanOptionAllowDuplicates"

public struct CBATTError: Error {
    public enum Code: Int, Sendable { case success = 0, invalidOffset = 7, unlikelyError = 14 }
}

public struct CBCharacteristicProperties: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let read = CBCharacteristicProperties(rawValue: 2)
}

public struct CBAttributePermissions: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let readable = CBAttributePermissions(rawValue: 1)
}

open class CBCharacteristic: NSObject {
    public let uuid: CBUUID
    public var value: Data?
    public init(uuid: CBUUID) { self.uuid = uuid }
}

open class CBService: NSObject {
    public let uuid: CBUUID
    public var characteristics: [CBCharacteristic]?
    public init(uuid: CBUUID) { self.uuid = uuid }
}

public final class CBMutableCharacteristic: CBCharacteristic {
    public let properties: CBCharacteristicProperties
    public let permissions: CBAttributePermissions
    public init(
        type: CBUUID, properties: CBCharacteristicProperties, value: Data?, permissions: CBAttributePermissions
    ) {
        (self.properties, self.permissions) = (properties, permissions)
        super.init(uuid: type)
        self.value = value
    }
}

public final class CBMutableService: CBService {
    public init(type: CBUUID, primary: Bool) { super.init(uuid: type) }
}

public final class CBATTRequest: NSObject {
    public let characteristic: CBCharacteristic
    public let offset: Int
    public var value: Data?
    public init(characteristic: CBCharacteristic, offset: Int) {
        (self.characteristic, self.offset) = (characteristic, offset)
    }
}

public protocol CBPeripheralManagerDelegate: AnyObject {
    func peripheralManagerDidUpdateState(_ peripheral: CBPeripheralManager)
    func peripheralManager(_ peripheral: CBPeripheralManager, didAdd service: CBService, error: (any Error)?)
    func peripheralManagerDidStartAdvertising(_ peripheral: CBPeripheralManager, error: (any Error)?)
    func peripheralManager(_ peripheral: CBPeripheralManager, didReceiveRead request: CBATTRequest)
}

public final class CBPeripheralManager: NSObject {
    public weak var delegate: (any CBPeripheralManagerDelegate)?
    public var state = CBManagerState.unknown
    public private(set) var added: [CBMutableService] = []
    public private(set) var advertised: [CBUUID]?
    public private(set) var starts = 0
    public private(set) var answers: [(CBATTError.Code, Data?)] = []

    public init(delegate: (any CBPeripheralManagerDelegate)?, queue: DispatchQueue?) { self.delegate = delegate }
    public func add(_ service: CBMutableService) { added.append(service) }
    public func startAdvertising(_ data: [String: Any]?) {
        advertised = data?[CBAdvertisementDataServiceUUIDsKey] as? [CBUUID]
        starts += 1
    }
    public func stopAdvertising() { advertised = nil }
    public func respond(to request: CBATTRequest, withResult result: CBATTError.Code) {
        answers.append((result, request.value))
    }
}

public protocol CBCentralManagerDelegate: AnyObject {
    func centralManagerDidUpdateState(_ central: CBCentralManager)
    func centralManager(
        _ central: CBCentralManager, didDiscover peripheral: CBPeripheral, advertisementData: [String: Any],
        rssi RSSI: NSNumber)
    func centralManager(_ central: CBCentralManager, didConnect peripheral: CBPeripheral)
    func centralManager(_ central: CBCentralManager, didFailToConnect peripheral: CBPeripheral, error: (any Error)?)
    func centralManager(
        _ central: CBCentralManager, didDisconnectPeripheral peripheral: CBPeripheral, error: (any Error)?)
}

public final class CBCentralManager: NSObject {
    public weak var delegate: (any CBCentralManagerDelegate)?
    public var state = CBManagerState.unknown
    public private(set) var scanned: [CBUUID]?
    public private(set) var connecting: [CBPeripheral] = []
    public private(set) var cancelled: [CBPeripheral] = []

    public init(delegate: (any CBCentralManagerDelegate)?, queue: DispatchQueue?) { self.delegate = delegate }
    public func scanForPeripherals(withServices uuids: [CBUUID]?, options: [String: Any]?) { scanned = uuids }
    public func stopScan() { scanned = nil }
    public func connect(_ peripheral: CBPeripheral, options: [String: Any]?) { connecting.append(peripheral) }
    public func cancelPeripheralConnection(_ peripheral: CBPeripheral) { cancelled.append(peripheral) }
}

public protocol CBPeripheralDelegate: AnyObject {
    func peripheral(_ peripheral: CBPeripheral, didDiscoverServices error: (any Error)?)
    func peripheral(
        _ peripheral: CBPeripheral, didDiscoverCharacteristicsFor service: CBService, error: (any Error)?)
    func peripheral(
        _ peripheral: CBPeripheral, didUpdateValueFor characteristic: CBCharacteristic, error: (any Error)?)
}

public final class CBPeripheral: NSObject {
    public let identifier = UUID()
    public weak var delegate: (any CBPeripheralDelegate)?
    public var services: [CBService]?
    public private(set) var asked: [String] = []

    public func discoverServices(_ uuids: [CBUUID]?) { asked.append("services") }
    public func discoverCharacteristics(_ uuids: [CBUUID]?, for service: CBService) { asked.append("characteristics") }
    public func readValue(for characteristic: CBCharacteristic) { asked.append("value") }
}
