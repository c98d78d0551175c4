package dev.chikaku.sample

import dev.chikaku.core.Action
import dev.chikaku.core.ClientConfiguration
import dev.chikaku.core.ClockReading
import dev.chikaku.core.ExposureNotificationClient
import dev.chikaku.core.HeardAdvertisement
import dev.chikaku.core.KeyFile
import dev.chikaku.core.LogLocation
import dev.chikaku.core.ReportType
import dev.chikaku.core.Scan
import dev.chikaku.core.SimulatedKeyServer

/**
 * A second phone that lives in this one: it was near for half an hour, three quarters of an hour
 * ago, and its owner is diagnosed now. Returns the key file.
 */
fun simulateExposure(client: ExposureNotificationClient, server: SimulatedKeyServer, now: ClockReading): KeyFile {
    val other = ExposureNotificationClient.open(
        ClientConfiguration(transmitPowerDbm = -24, trustedKeys = emptyList()), LogLocation.Memory,
    )
    val first = now.wallUnixSeconds - 2_700
    fun clocks(at: Long): ClockReading {
        val uptime = now.monotonicSeconds - (now.wallUnixSeconds - at)
        return now.copy(wallUnixSeconds = at, monotonicSeconds = uptime.coerceAtLeast(0))
    }
    fun payload(actions: List<Action>) = actions.filterIsInstance<Action.Advertise>().lastOrNull()?.plan?.serviceData
    var onAir = payload(other.start(clocks(first)))
    for (at in first..first + 1_800 step 240) {
        onAir = payload(other.onWake(clocks(at))) ?: onAir
        val heard = listOfNotNull(onAir).map { HeardAdvertisement(at, -77, it) }
        // Handed over late, as scans from before the first unlock are.
        client.onScan(Scan(at - 4, at, heard, clocks(at)), now)
    }
    other.onWake(now)
    val keys = other.temporaryExposureKeyHistory(ReportType.CONFIRMED_TEST, null, now).keys
    other.shutdown()
    return KeyFile(server.publish(keys, first, now.wallUnixSeconds))
}
