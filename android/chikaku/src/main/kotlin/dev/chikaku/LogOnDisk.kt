package dev.chikaku

import dev.chikaku.core.ClientConfiguration
import dev.chikaku.core.ExposureNotificationClient
import dev.chikaku.core.ExposureNotificationException
import dev.chikaku.core.LogLocation
import dev.chikaku.core.deleteLog
import dev.chikaku.core.installMarkerAt
import java.io.File

/** Keeps the thirty-two bytes that seal the log, and beside them which log they seal. */
public interface RootKeyStore {
    /** The root key, or `null` if there is none, or none that can be read any more. */
    public fun read(): ByteArray?

    /** A new root key in the place of any other. */
    public fun create(): ByteArray

    /** Gone with the app, other than a root key that a platform's key store keeps. */
    public var installMarker: ByteArray?

    /** Key and marker. */
    public fun delete()
}

/** The encounter log in a folder, and its key: first start, later starts, and what can be wrong. */
public class LogOnDisk(
    private val folder: File,
    private val rootKeys: RootKeyStore,
) {
    /**
     * Makes the log at the first start and opens it at later ones. A root key that an earlier
     * installation left is dropped.
     *
     * Throws `LogAbsent` if the log was lost and `LogWrongKey` if its key was: both times [delete],
     * then begin anew. After `LogCorrupt` call [openWithSalvage].
     */
    public fun open(configuration: ClientConfiguration): ExposureNotificationClient =
        withKey { ExposureNotificationClient.open(configuration, it) }

    /** In the place of a damaged log: a new one with everything that could be read. */
    public fun openWithSalvage(configuration: ClientConfiguration): ExposureNotificationClient =
        withKey { ExposureNotificationClient.openWithSalvage(configuration, it) }

    /** Destroys log and key. No client may have the log open: see [ExposureNotifications.deleteEverything]. */
    public fun delete() {
        deleteLog(folder.path)
        rootKeys.delete()
    }

    private fun withKey(open: (LogLocation) -> ExposureNotificationClient): ExposureNotificationClient {
        val marker = rootKeys.installMarker
        val isFirstStart = marker == null && installMarkerAt(folder.path) == null
        val key = when {
            isFirstStart -> rootKeys.create()
            else -> rootKeys.read() ?: throw ExposureNotificationException.LogWrongKey("the root key was lost")
        }
        try {
            val client = open(LogLocation.Folder(folder.path, key, marker))
            rootKeys.installMarker = client.openedLog().installMarker
            return client
        } finally {
            key.fill(0)
        }
    }
}
