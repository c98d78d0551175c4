package dev.chikaku.android

import android.bluetooth.le.BluetoothLeScanner
import android.bluetooth.le.ScanCallback
import android.bluetooth.le.ScanFilter
import android.bluetooth.le.ScanResult
import android.bluetooth.le.ScanSettings
import android.os.SystemClock
import dev.chikaku.core.HeardAdvertisement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.delay
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Scans in windows of some seconds, filtered by the hardware, so that a sleeping phone hears it.
 *
 * The platform gives an app no results after five starts within 30 seconds, and says nothing. So
 * starts are counted here, and one too many becomes an opportunistic scan, which listens to what
 * other apps' scans find, and says nothing when it finds nothing.
 */
public class BleScanner(
    private val serviceUuid: Int,
    private val scanner: () -> BluetoothLeScanner?,
    private val elapsedMillis: () -> Long = SystemClock::elapsedRealtime,
    private val wallMillis: () -> Long = System::currentTimeMillis,
) {
    private val turn = Mutex()
    private val starts = ArrayDeque<Long>()

    /** What was heard; `null` if nothing was and the phone did not listen for it. */
    public suspend fun scan(seconds: Int): List<HeardAdvertisement>? =
        turn.withLock {
            val radio = scanner() ?: return null
            val mode = mode()
            val heard = ConcurrentLinkedQueue<HeardAdvertisement>()
            val listened = AtomicBoolean(mode != ScanSettings.SCAN_MODE_OPPORTUNISTIC)
            val callback = object : ScanCallback() {
                override fun onScanResult(callbackType: Int, result: ScanResult?) {
                    result?.let(::heard)?.let(heard::add)
                }

                override fun onBatchScanResults(results: MutableList<ScanResult>?) {
                    results?.forEach { result -> heard(result)?.let(heard::add) }
                }

                override fun onScanFailed(errorCode: Int) {
                    listened.set(false)
                }
            }
            try {
                radio.startScan(filters(), settings(mode), callback)
                try {
                    delay(seconds * 1_000L)
                } finally {
                    radio.stopScan(callback)
                }
            } catch (stopped: CancellationException) {
                throw stopped
            } catch (_: SecurityException) {
                listened.set(false) // The permission was taken away.
            } catch (_: IllegalStateException) {
                listened.set(false) // Bluetooth was switched off.
            }
            heard.toList().takeIf { it.isNotEmpty() || listened.get() }
        }

    /** The time of the packet, not of its delivery, which a sleeping phone puts off. */
    private fun heard(result: ScanResult): HeardAdvertisement? {
        val data = result.scanRecord?.getServiceData(serviceUuid(serviceUuid)) ?: return null
        if (data.contentEquals(BleGattServer.BROADCASTS)) return null
        val ageMillis = (elapsedMillis() - result.timestampNanos / 1_000_000).coerceAtLeast(0)
        return HeardAdvertisement((wallMillis() - ageMillis) / 1_000, result.rssi, data)
    }

    private fun filters() =
        listOf(ScanFilter.Builder().setServiceData(serviceUuid(serviceUuid), ByteArray(0)).build())

    private fun mode(): Int {
        val now = elapsedMillis()
        while (starts.isNotEmpty() && now - starts.first() > WINDOW_MILLIS) starts.removeFirst()
        if (starts.size >= STARTS_ALLOWED) return ScanSettings.SCAN_MODE_OPPORTUNISTIC
        starts.addLast(now)
        return ScanSettings.SCAN_MODE_LOW_LATENCY
    }

    private fun settings(mode: Int): ScanSettings =
        ScanSettings.Builder()
            .setScanMode(mode)
            .setCallbackType(ScanSettings.CALLBACK_TYPE_ALL_MATCHES)
            .setMatchMode(ScanSettings.MATCH_MODE_AGGRESSIVE)
            .setNumOfMatches(ScanSettings.MATCH_NUM_MAX_ADVERTISEMENT)
            .setReportDelay(0)
            .build()

    private companion object {
        /** One less than the platform's five, for a scan that the app makes itself. */
        const val STARTS_ALLOWED = 4
        const val WINDOW_MILLIS = 30_000L
    }
}
