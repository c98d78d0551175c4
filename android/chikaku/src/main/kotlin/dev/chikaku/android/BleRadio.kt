package dev.chikaku.android

import android.bluetooth.BluetoothManager
import android.content.Context
import dev.chikaku.GattService
import dev.chikaku.Radio
import dev.chikaku.core.AdvertisePlan
import dev.chikaku.core.GattReadPlanner
import dev.chikaku.core.HeardAdvertisement
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope

/**
 * The phone's Bluetooth LE: service data out, service data in. With [gatt], also reads, which are
 * the only way from and to an iPhone, and the way of a phone that cannot send service data.
 */
public class BleRadio(
    context: Context,
    private val serviceUuid: Int,
    gatt: GattService? = null,
    planner: GattReadPlanner = GattReadPlanner(),
) : Radio {
    private val manager = context.getSystemService(Context.BLUETOOTH_SERVICE) as? BluetoothManager
    private val advertiser = BleAdvertiser { manager?.adapter?.bluetoothLeAdvertiser }
    private val scanner = BleScanner(serviceUuid, { manager?.adapter?.bluetoothLeScanner })
    private val server = gatt?.let {
        BleGattServer(context, it, BleAdvertiser { manager?.adapter?.bluetoothLeAdvertiser })
    }
    private val client = gatt?.let {
        BleGattClient(context, it, serviceUuid, planner) { manager?.adapter?.bluetoothLeScanner }
    }

    /** On the air is on the air: by one way at least. */
    override suspend fun advertise(plan: AdvertisePlan): Boolean {
        val isBroadcast = advertiser.start(plan)
        val isReadable = server?.start(plan, serviceUuid.takeIf { isBroadcast }) ?: false
        return isBroadcast || isReadable
    }

    override suspend fun stopAdvertising() {
        advertiser.stop()
        server?.stop()
    }

    override suspend fun scan(seconds: Int): List<HeardAdvertisement>? =
        coroutineScope {
            val reading = async { client?.scan(seconds).orEmpty() }
            val heard = scanner.scan(seconds)
            val read = reading.await()
            if (heard == null && read.isEmpty()) null else heard.orEmpty() + read
        }
}
