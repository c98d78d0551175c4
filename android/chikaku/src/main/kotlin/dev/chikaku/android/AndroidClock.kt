package dev.chikaku.android

import android.content.Context
import android.os.SystemClock
import android.provider.Settings
import dev.chikaku.PhoneClock
import dev.chikaku.core.Boot
import dev.chikaku.core.ClockReading

/** `System.currentTimeMillis`, and `elapsedRealtime`, which counts while the phone sleeps. */
public class AndroidClock(private val context: Context) : PhoneClock {
    override fun read(): ClockReading {
        val boots = Settings.Global.getInt(context.contentResolver, BOOT_COUNT, -1)
        return ClockReading(
            wallUnixSeconds = System.currentTimeMillis() / 1_000,
            monotonicSeconds = SystemClock.elapsedRealtime() / 1_000,
            boot = if (boots < 0) Boot.Unknown else Boot.Count(boots.toLong()),
        )
    }

    private companion object {
        /** `Settings.Global.BOOT_COUNT`, a constant since API 24; older systems have no such entry. */
        const val BOOT_COUNT = "boot_count"
    }
}
