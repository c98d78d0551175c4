#if canImport(Security)
import Foundation
import Security

/// Thirty-two bytes that seal the encounter log, in the Keychain of this device only, readable
/// after the first unlock, because tracing goes on while the phone is locked.
///
/// The Keychain outlives the app: a key that an earlier installation left is dropped at the first
/// start, as its log is gone.
public struct KeychainRootKey: Sendable {
    public struct Failed: Error {
        public let status: OSStatus
    }

    private let service: String

    public init(service: String = "dev.chikaku.root") { self.service = service }

    /// `isFirstStart`: nothing of the app is on this phone yet.
    public func obtain(isFirstStart: Bool) throws -> Data {
        if isFirstStart { try delete() }
        var found: CFTypeRef?
        let query = item.merging([kSecReturnData: true]) { $1 }
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess:
            if let key = found as? Data, key.count == 32 { return key }
            try delete()
            return try create()
        case errSecItemNotFound: return try create()
        case let status: throw Failed(status: status)
        }
    }

    /// Without it the log can never be read again.
    public func delete() throws {
        let status = SecItemDelete(item as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw Failed(status: status) }
    }

    private func create() throws -> Data {
        var key = Data(count: 32)
        let drawn = key.withUnsafeMutableBytes { SecRandomCopyBytes(kSecRandomDefault, 32, $0.baseAddress!) }
        guard drawn == errSecSuccess else { throw Failed(status: drawn) }
        let attributes: [CFString: Any] = [
            kSecValueData: key, kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        let status = SecItemAdd(item.merging(attributes) { $1 } as CFDictionary, nil)
        guard status == errSecSuccess else { throw Failed(status: status) }
        return key
    }

    private var item: [CFString: Any] {
        [kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: "root"]
    }
}
#endif
