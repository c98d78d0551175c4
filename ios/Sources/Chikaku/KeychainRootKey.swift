#if canImport(Security)
import Foundation
import Security

/// Thirty-two bytes that seal the encounter log, in the Keychain of this device only, readable
/// after the first unlock, because tracing goes on while the phone is locked.
///
/// The Keychain outlives the app, the user defaults with the install marker do not: a key that an
/// earlier installation left is dropped at the first start, as its log is gone.
public struct KeychainRootKey: RootKeyStore {
    public struct Failed: Error {
        public let status: OSStatus
    }

    private let service: String

    public init(service: String = "dev.chikaku.root") { self.service = service }

    public func read() throws -> Data? {
        var found: CFTypeRef?
        let query = item.merging([kSecReturnData: true]) { $1 }
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return (found as? Data).flatMap { $0.count == 32 ? $0 : nil }
        case errSecItemNotFound: return nil
        case let status: throw Failed(status: status)
        }
    }

    public func installMarker() -> Data? { UserDefaults.standard.data(forKey: service) }

    public func keep(installMarker: Data?) { UserDefaults.standard.set(installMarker, forKey: service) }

    /// Without the key the log can never be read again.
    public func delete() throws {
        keep(installMarker: nil)
        let status = SecItemDelete(item as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw Failed(status: status) }
    }

    public func create() throws -> Data {
        try delete()
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
