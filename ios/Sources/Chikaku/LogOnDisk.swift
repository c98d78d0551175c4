import ChikakuCore
import Foundation

/// Keeps the thirty-two bytes that seal the log, and beside them which log they seal.
public protocol RootKeyStore: Sendable {
    /// The root key, or `nil` if there is none. Throws while it cannot be read, as before the first
    /// unlock.
    func read() throws -> Data?

    /// A new root key in the place of any other.
    func create() throws -> Data

    /// Gone with the app, other than a root key in the Keychain.
    func installMarker() -> Data?

    func keep(installMarker: Data?)

    /// Key and marker.
    func delete() throws
}

/// The encounter log in a folder, and its key: first start, later starts, and what can be wrong.
public struct LogOnDisk: Sendable {
    private let folder: URL
    private let rootKeys: any RootKeyStore

    public init(folder: URL, rootKeys: any RootKeyStore) {
        (self.folder, self.rootKeys) = (folder, rootKeys)
    }

    /// Makes the log at the first start and opens it at later ones. A root key that an earlier
    /// installation left in the Keychain is dropped.
    ///
    /// Throws `LogAbsent` if the log was lost and `LogWrongKey` if its key was: both times `delete`,
    /// then begin anew. After `LogCorrupt` call `openWithSalvage`.
    public func open(_ configuration: ClientConfiguration) throws -> ExposureNotificationClient {
        try withKey { try ExposureNotificationClient.open(configuration: configuration, log: $0) }
    }

    /// In the place of a damaged log: a new one with everything that could be read.
    public func openWithSalvage(_ configuration: ClientConfiguration) throws -> ExposureNotificationClient {
        try withKey { try ExposureNotificationClient.openWithSalvage(configuration: configuration, log: $0) }
    }

    /// Destroys log and key. No client may have the log open: see
    /// `ExposureNotifications.deleteEverything`.
    public func delete() throws {
        try deleteLog(path: folder.path)
        try rootKeys.delete()
    }

    private func withKey(
        _ open: (LogLocation) throws -> ExposureNotificationClient
    ) throws -> ExposureNotificationClient {
        let marker = rootKeys.installMarker()
        let isFirstStart = try marker == nil && installMarkerAt(path: folder.path) == nil
        guard let key = try isFirstStart ? rootKeys.create() : rootKeys.read() else {
            throw ExposureNotificationError.LogWrongKey(message: "the root key was lost")
        }
        let client = try open(.folder(path: folder.path, rootKey: key, installMarker: marker))
        rootKeys.keep(installMarker: try client.openedLog().installMarker)
        try leaveOutOfBackups()
        return client
    }

    /// A backup would bring the log to a phone that has no key for it.
    private func leaveOutOfBackups() throws {
        #if canImport(Darwin)
        var folder = folder
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        #endif
    }
}

#if canImport(Security)
extension LogOnDisk {
    /// In Application Support, with the key in the Keychain.
    public static func inApplicationSupport() throws -> LogOnDisk {
        let support = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        return LogOnDisk(folder: support.appendingPathComponent("dev.chikaku.log"), rootKeys: KeychainRootKey())
    }
}
#endif
