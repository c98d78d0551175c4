package dev.chikaku.sample

import android.app.Application
import dev.chikaku.ExposureNotifications
import dev.chikaku.android.AndroidClock
import dev.chikaku.android.AndroidFacts
import dev.chikaku.android.BleRadio
import dev.chikaku.android.ExposureNotificationsOwner
import dev.chikaku.android.JobWakeScheduler
import dev.chikaku.core.ClientConfiguration
import dev.chikaku.core.ExposureNotificationClient
import dev.chikaku.core.LogLocation
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
        ExposureNotificationClient.open(configuration, LogLocation.Memory)
    }
    override val exposureNotifications by lazy {
        ExposureNotifications(
            client,
            AndroidClock(this),
            BleRadio(this, SERVICE_UUID),
            JobWakeScheduler(this),
            AndroidFacts(this) { true },
            scope,
        )
    }

    private companion object {
        /** A placeholder; an app that is published has one assigned. */
        const val SERVICE_UUID = 0xFFF1
    }
}
