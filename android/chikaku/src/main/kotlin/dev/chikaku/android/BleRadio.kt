package dev.chikaku.android

import android.bluetooth.BluetoothManager
import android.content.Context
import dev.chikaku.Radio
import dev.chikaku.core.AdvertisePlan
import dev.chikaku.core.HeardAdvertisement

/** The phone's Bluetooth LE: service data out, service data in. */
public class BleRadio(context: Context, serviceUuid: Int) : Radio {
    private val manager = context.getSystemService(Context.BLUETOOTH_SERVICE) as? BluetoothManager
    private val advertiser = BleAdvertiser { manager?.adapter?.bluetoothLeAdvertiser }
    private val scanner = BleScanner(serviceUuid, { manager?.adapter?.bluetoothLeScanner })

    override suspend fun advertise(plan: AdvertisePlan): Boolean = advertiser.start(plan)

    override suspend fun stopAdvertising(): Unit = advertiser.stop()

    override suspend fun scan(seconds: Int): List<HeardAdvertisement> = scanner.scan(seconds)
}
