package dev.chikaku.android

import android.bluetooth.BluetoothManager
import android.content.Context
import dev.chikaku.HostFactsReader
import dev.chikaku.core.HostFacts

/** What this phone can and may do now. */
public class AndroidFacts(
    private val context: Context,
    /** `NotificationManagerCompat.areNotificationsEnabled()`, or the platform's from API 24 on. */
    private val notificationsAllowed: () -> Boolean,
) : HostFactsReader {
    override fun read(): HostFacts {
        val adapter = (context.getSystemService(Context.BLUETOOTH_SERVICE) as? BluetoothManager)?.adapter
        val on = adapter?.isEnabled == true
        return HostFacts(
            // A switched-off adapter does not say what it could do.
            supported = when {
                adapter == null -> false
                on -> adapter.isMultipleAdvertisementSupported
                else -> null
            },
            bluetoothOn = on,
            permissionGranted = Permissions.granted(context, Permissions.radio()),
            location = Permissions.location(context),
            notificationsAllowed = notificationsAllowed(),
        )
    }
}
