package dev.chikaku

import dev.chikaku.core.AdvertisePlan
import dev.chikaku.core.ClockReading
import dev.chikaku.core.HeardAdvertisement
import dev.chikaku.core.HostFacts

/** Both clocks of the phone. */
public fun interface PhoneClock {
    public fun read(): ClockReading
}

/** The phone's Bluetooth. One call at a time for each of its functions. */
public interface Radio {
    /** Puts the payload on the air under a new address, in place of any other; says whether it is. */
    public suspend fun advertise(plan: AdvertisePlan): Boolean

    public suspend fun stopAdvertising()

    /**
     * Scans for so many seconds and returns everything of the service that was heard. `null` if the phone
     * did not listen, which must not look like a scan that found nobody: it is missed, and the status says so.
     */
    public suspend fun scan(seconds: Int): List<HeardAdvertisement>?
}

/** Calls [ExposureNotifications.wake] at a time, also if the process is gone by then. */
public fun interface WakeScheduler {
    /** Replaces the earlier time, if there was one. */
    public fun wakeAt(unixSeconds: Long)
}

/** What only the host can know. */
public fun interface HostFactsReader {
    public fun read(): HostFacts
}
