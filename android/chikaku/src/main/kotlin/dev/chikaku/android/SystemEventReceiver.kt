package dev.chikaku.android

import android.bluetooth.BluetoothAdapter
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch

/** The phone was started, the app updated, the clock set, Bluetooth switched: the client must know at once. */
public class SystemEventReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context?, intent: Intent?) {
        val owner = context?.applicationContext as? ExposureNotificationsOwner ?: return
        val restarted = when (intent?.action) {
            Intent.ACTION_BOOT_COMPLETED, Intent.ACTION_MY_PACKAGE_REPLACED -> true
            Intent.ACTION_TIME_CHANGED, Intent.ACTION_TIMEZONE_CHANGED,
            BluetoothAdapter.ACTION_STATE_CHANGED,
            -> false
            // Anybody can address an exported receiver.
            else -> return
        }
        val result = goAsync()
        CoroutineScope(Dispatchers.Default).launch {
            try {
                val notifications = owner.exposureNotifications
                if (restarted && notifications.isEnabled()) notifications.start() else notifications.wake()
            } catch (_: Exception) {
                // The status says what is wrong; a receiver has nobody to tell.
            } finally {
                result.finish()
            }
        }
    }
}
