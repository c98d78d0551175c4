package dev.chikaku.android

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.location.LocationManager
import android.os.Build
import dev.chikaku.core.LocationFact

/** What broadcasting and scanning need, by API level. */
public object Permissions {
    private const val SCAN = "android.permission.BLUETOOTH_SCAN"
    private const val ADVERTISE = "android.permission.BLUETOOTH_ADVERTISE"
    private const val CONNECT = "android.permission.BLUETOOTH_CONNECT"
    private const val NOTIFICATIONS = "android.permission.POST_NOTIFICATIONS"

    /** To be asked of the user. From 31 on the manifest says `neverForLocation`, and location is not among them. */
    public fun radio(sdk: Int = Build.VERSION.SDK_INT): List<String> =
        when {
            sdk >= 31 -> listOf(SCAN, ADVERTISE, CONNECT)
            // From 29 on a scan delivers nothing with the coarse permission alone.
            sdk >= 29 -> listOf(Manifest.permission.ACCESS_FINE_LOCATION)
            else -> listOf(Manifest.permission.ACCESS_COARSE_LOCATION)
        }

    public fun notifications(sdk: Int = Build.VERSION.SDK_INT): List<String> =
        if (sdk >= 33) listOf(NOTIFICATIONS) else emptyList()

    public fun granted(context: Context, permissions: List<String>): Boolean =
        permissions.all { context.checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }

    /** Up to version 11 nothing is heard while the location service is off. */
    @Suppress("DEPRECATION")
    public fun location(context: Context, sdk: Int = Build.VERSION.SDK_INT): LocationFact {
        if (sdk >= 31) return LocationFact.NOT_NEEDED
        val manager = context.getSystemService(Context.LOCATION_SERVICE) as? LocationManager
        val on = manager != null &&
            (manager.isProviderEnabled(LocationManager.GPS_PROVIDER) ||
                manager.isProviderEnabled(LocationManager.NETWORK_PROVIDER))
        return if (on) LocationFact.ON else LocationFact.OFF
    }
}
