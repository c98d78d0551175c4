package dev.chikaku.android

import android.bluetooth.BluetoothDevice
import android.bluetooth.BluetoothGatt
import android.bluetooth.BluetoothGattCharacteristic
import android.bluetooth.BluetoothGattServer
import android.bluetooth.BluetoothGattServerCallback
import android.bluetooth.BluetoothGattService
import android.bluetooth.BluetoothManager
import android.bluetooth.le.AdvertiseData
import android.content.Context
import android.os.ParcelUuid
import dev.chikaku.GattAnswer
import dev.chikaku.GattService
import dev.chikaku.core.AdvertisePlan
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Answers reads with the payload, for peers that get no service data: iPhones. Each plan is a new
 * start of the advertisement, so identifier and address change together, and a new server, so that
 * no connection outlives an identifier.
 *
 * The system answers for itself in other services: whoever connects can read the phone's name there.
 */
public class BleGattServer(
    private val context: Context,
    private val service: GattService,
    private val advertiser: BleAdvertiser,
) {
    private val turn = Mutex()
    private val answer = GattAnswer()
    private var server: BluetoothGattServer? = null

    /** Says whether it is on the air. [broadcastUuid]: the phone sends service data of it, too. */
    public suspend fun start(plan: AdvertisePlan, broadcastUuid: Int?): Boolean =
        turn.withLock {
            close()
            answer.payload = plan.serviceData
            val isServing = try {
                withTimeoutOrNull(ADDING_MILLIS) { serve() } ?: false
            } catch (_: SecurityException) {
                // The permission was taken away; the facts say so.
                false
            }
            val isOnTheAir = isServing && advertiser.start(advertisement(broadcastUuid), isConnectable = true)
            if (!isOnTheAir) close()
            isOnTheAir
        }

    public suspend fun stop(): Unit =
        turn.withLock {
            advertiser.stop()
            close()
        }

    private suspend fun serve(): Boolean {
        val added = CompletableDeferred<Boolean>()
        val manager = context.getSystemService(Context.BLUETOOTH_SERVICE) as? BluetoothManager
        val opened = manager?.openGattServer(context, Callback(added)) ?: return false
        server = opened
        val readable = BluetoothGattCharacteristic(
            service.characteristic,
            BluetoothGattCharacteristic.PROPERTY_READ,
            BluetoothGattCharacteristic.PERMISSION_READ,
        )
        val published = BluetoothGattService(service.service, BluetoothGattService.SERVICE_TYPE_PRIMARY)
        return published.addCharacteristic(readable) && opened.addService(published) && added.await()
    }

    private fun close() {
        answer.payload = null
        try {
            server?.close()
        } catch (_: SecurityException) {
            // Without the permission nothing is served.
        }
        server = null
    }

    private fun advertisement(broadcastUuid: Int?): AdvertiseData {
        val data = AdvertiseData.Builder()
            .setIncludeDeviceName(false)
            .setIncludeTxPowerLevel(false)
            .addServiceUuid(ParcelUuid(service.service))
        broadcastUuid?.let { data.addServiceData(serviceUuid(it), BROADCASTS) }
        return data.build()
    }

    private inner class Callback(private val added: CompletableDeferred<Boolean>) : BluetoothGattServerCallback() {
        override fun onServiceAdded(status: Int, service: BluetoothGattService?) {
            added.complete(status == BluetoothGatt.GATT_SUCCESS)
        }

        override fun onCharacteristicReadRequest(
            device: BluetoothDevice?,
            requestId: Int,
            offset: Int,
            characteristic: BluetoothGattCharacteristic?,
        ) {
            val value = if (characteristic?.uuid == service.characteristic) answer.read(offset) else null
            val status = when {
                value != null -> BluetoothGatt.GATT_SUCCESS
                answer.payload != null -> BluetoothGatt.GATT_INVALID_OFFSET
                else -> BluetoothGatt.GATT_FAILURE
            }
            try {
                server?.sendResponse(device, requestId, status, offset, value)
            } catch (_: SecurityException) {
                // The peer's read fails by itself.
            }
        }
    }

    internal companion object {
        const val ADDING_MILLIS = 2_000L

        /** Says that the payload is broadcast, too, so that phones that hear that need not connect. */
        val BROADCASTS = byteArrayOf(1)
    }
}
