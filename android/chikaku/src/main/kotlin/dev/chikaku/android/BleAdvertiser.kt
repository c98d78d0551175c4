package dev.chikaku.android

import android.bluetooth.le.AdvertiseCallback
import android.bluetooth.le.AdvertiseData
import android.bluetooth.le.AdvertiseSettings
import android.bluetooth.le.BluetoothLeAdvertiser
import android.os.ParcelUuid
import dev.chikaku.core.AdvertisePlan
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import java.util.UUID

/**
 * Puts a plan on the air. The platform takes a new random address whenever advertising starts, so
 * stopping before each start changes identifier and address together.
 */
public class BleAdvertiser(private val advertiser: () -> BluetoothLeAdvertiser?) {
    private val turn = Mutex()
    private var running: AdvertiseCallback? = null

    /** Says whether it is on the air. */
    public suspend fun start(plan: AdvertisePlan): Boolean {
        val uuid = serviceUuid(plan.serviceUuid)
        val data = AdvertiseData.Builder()
            .setIncludeDeviceName(false)
            .setIncludeTxPowerLevel(false)
            .addServiceUuid(uuid)
            .addServiceData(uuid, plan.serviceData)
            .build()
        return start(data, isConnectable = false)
    }

    internal suspend fun start(data: AdvertiseData, isConnectable: Boolean): Boolean =
        turn.withLock {
            stopRunning()
            val radio = advertiser() ?: return false
            val started = CompletableDeferred<Boolean>()
            val callback = object : AdvertiseCallback() {
                override fun onStartSuccess(settingsInEffect: AdvertiseSettings?) {
                    started.complete(true)
                }

                override fun onStartFailure(errorCode: Int) {
                    started.complete(false)
                }
            }
            running = callback
            val isOnTheAir = try {
                radio.startAdvertising(settings(isConnectable), data, callback)
                // A stack that goes down meanwhile never answers.
                withTimeoutOrNull(ANSWER_MILLIS) { started.await() } ?: false
            } catch (_: SecurityException) {
                false // The permission was taken away; the facts say so.
            } catch (stopped: CancellationException) {
                throw stopped
            } catch (_: IllegalStateException) {
                false // Bluetooth was switched off meanwhile.
            }
            if (!isOnTheAir) stopRunning()
            isOnTheAir
        }

    public suspend fun stop(): Unit = turn.withLock { stopRunning() }

    private fun stopRunning() {
        running?.let {
            try {
                advertiser()?.stopAdvertising(it)
            } catch (_: SecurityException) {
                // Without the permission nothing is on the air.
            } catch (_: IllegalStateException) {
                // Nor without Bluetooth.
            }
        }
        running = null
    }

    /** About every 250 ms: what Google's own implementation uses. */
    private fun settings(isConnectable: Boolean) =
        AdvertiseSettings.Builder()
            .setAdvertiseMode(AdvertiseSettings.ADVERTISE_MODE_BALANCED)
            .setTxPowerLevel(AdvertiseSettings.ADVERTISE_TX_POWER_LOW)
            .setConnectable(isConnectable)
            .setTimeout(0)
            .build()

    private companion object {
        const val ANSWER_MILLIS = 5_000L
    }
}

/** The 16-bit UUID within Bluetooth's base UUID. */
public fun serviceUuid(uuid16: Int): ParcelUuid =
    ParcelUuid(UUID((uuid16.toLong() shl 32) or 0x1000, -0x7fffff7fa064cb05L))
