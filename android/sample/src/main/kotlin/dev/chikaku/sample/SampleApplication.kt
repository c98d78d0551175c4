package dev.chikaku.sample

import android.app.Application
import dev.chikaku.ExposureNotifications
import dev.chikaku.GattService
import dev.chikaku.android.AndroidClock
import dev.chikaku.android.AndroidFacts
import dev.chikaku.android.BleRadio
import dev.chikaku.android.ExposureNotificationsOwner
import dev.chikaku.android.JobWakeScheduler
import dev.chikaku.android.logOnDisk
import dev.chikaku.core.ClientConfiguration
import dev.chikaku.core.SimulatedKeyServer
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

class SampleApplication : Application(), ExposureNotificationsOwner {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    val server by lazy { SimulatedKeyServer(1) }
    val client by lazy {
        val configuration = ClientConfiguration(
            transmitPowerDbm = -24,
            trustedKeys = listOf(server.trustedKey()),
            serviceUuid = SERVICE_UUID,
        )
        logOnDisk(this).open(configuration)
    }
    override val exposureNotifications by lazy {
        ExposureNotifications(
            client,
            AndroidClock(this),
            BleRadio(this, SERVICE_UUID, GATT),
            JobWakeScheduler(this),
            AndroidFacts(this) { true },
            scope,
        )
    }

    private companion object {
        /** A placeholder; an app that is published has one assigned. */
        const val SERVICE_UUID = 0xFFF1

        /** The same as the iPhones'; an app brings its own. */
        val GATT = GattService("8B1F0A4E-0001-4C3D-9D39-3B1C0D6A7F10", "8B1F0A4E-0002-4C3D-9D39-3B1C0D6A7F10")
    }
}
