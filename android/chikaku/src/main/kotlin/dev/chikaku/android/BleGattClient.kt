package dev.chikaku.android

import android.bluetooth.BluetoothDevice
import android.bluetooth.BluetoothGatt
import android.bluetooth.BluetoothGattCallback
import android.bluetooth.BluetoothGattCharacteristic
import android.bluetooth.BluetoothProfile
import android.bluetooth.le.BluetoothLeScanner
import android.bluetooth.le.ScanCallback
import android.bluetooth.le.ScanFilter
import android.bluetooth.le.ScanResult
import android.bluetooth.le.ScanSettings
import android.content.Context
import android.os.ParcelUuid
import dev.chikaku.GattPeer
import dev.chikaku.GattReader
import dev.chikaku.GattService
import dev.chikaku.core.GattReadPlanner
import dev.chikaku.core.HeardAdvertisement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.delay
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Reads the payload of peers that cannot send service data: iPhones. The core's planner says whom. */
public class BleGattClient(
    private val context: Context,
    private val service: GattService,
    /** Peers that send service data of this UUID are heard without a connection. */
    private val broadcastUuid: Int,
    planner: GattReadPlanner,
    private val scanner: () -> BluetoothLeScanner?,
) {
    private val turn = Mutex()
    private val reader = GattReader(planner)

    public suspend fun scan(seconds: Int): List<HeardAdvertisement> =
        turn.withLock {
            val radio = scanner() ?: return emptyList()
            reader.begin()
            try {
                radio.startScan(filters(), SETTINGS, seen)
                try {
                    delay(seconds * 1_000L)
                } finally {
                    radio.stopScan(seen)
                }
            } catch (stopped: CancellationException) {
                reader.end()
                throw stopped
            } catch (_: SecurityException) {
                // The permission was taken away; the facts say so.
            } catch (_: IllegalStateException) {
                // Bluetooth was switched off meanwhile.
            }
            reader.end()
        }

    private val seen = object : ScanCallback() {
        override fun onScanResult(callbackType: Int, result: ScanResult?) {
            val device = result?.device ?: return
            if (result.scanRecord?.getServiceData(serviceUuid(broadcastUuid)) == null) {
                reader.onSeen(Peer(device), result.rssi)
            }
        }

        override fun onBatchScanResults(results: MutableList<ScanResult>?) {
            results?.forEach { onScanResult(0, it) }
        }
    }

    private fun filters() = listOf(ScanFilter.Builder().setServiceUuid(ParcelUuid(service.service)).build())

    /** One connection: connect, find, read, go. */
    private inner class Peer(private val device: BluetoothDevice) : BluetoothGattCallback(), GattPeer {
        @Volatile
        private var connection: BluetoothGatt? = null

        override val handle: String = device.address

        override fun connect(): Boolean =
            attempt {
                connection = device.connectGatt(context, false, this, BluetoothDevice.TRANSPORT_LE)
                connection != null
            }

        override fun disconnect() {
            attempt {
                connection?.disconnect()
                connection?.close()
                true
            }
            connection = null
        }

        override fun onConnectionStateChange(gatt: BluetoothGatt?, status: Int, newState: Int) {
            val isConnected = status == BluetoothGatt.GATT_SUCCESS && newState == BluetoothProfile.STATE_CONNECTED
            if (!isConnected || !attempt { gatt?.discoverServices() == true }) reader.onRead(this, null)
        }

        override fun onServicesDiscovered(gatt: BluetoothGatt?, status: Int) {
            val found = gatt?.getService(service.service)?.getCharacteristic(service.characteristic)
            val isAsked = status == BluetoothGatt.GATT_SUCCESS && found != null &&
                attempt { gatt.readCharacteristic(found) }
            if (!isAsked) reader.onRead(this, null)
        }

        /** To version 12; later ones call the other one, whose default calls this one. */
        @Deprecated("Deprecated in API 33")
        override fun onCharacteristicRead(
            gatt: BluetoothGatt?,
            characteristic: BluetoothGattCharacteristic?,
            status: Int,
        ) {
            @Suppress("DEPRECATION")
            val value = characteristic?.value
            reader.onRead(this, value.takeIf { status == BluetoothGatt.GATT_SUCCESS })
        }

        private fun attempt(call: () -> Boolean): Boolean =
            try {
                call()
            } catch (_: SecurityException) {
                false
            }
    }

    private companion object {
        val SETTINGS: ScanSettings = ScanSettings.Builder()
            .setScanMode(ScanSettings.SCAN_MODE_LOW_LATENCY)
            .setCallbackType(ScanSettings.CALLBACK_TYPE_ALL_MATCHES)
            .setMatchMode(ScanSettings.MATCH_MODE_AGGRESSIVE)
            .setNumOfMatches(ScanSettings.MATCH_NUM_MAX_ADVERTISEMENT)
            .setReportDelay(0)
            .build()
    }
}
