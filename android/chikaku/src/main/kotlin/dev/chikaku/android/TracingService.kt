package dev.chikaku.android

import android.app.Notification
import android.app.Service
import android.content.Context
import android.content.Intent
import android.os.IBinder
import dev.chikaku.core.ExposureNotificationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** The application implements this, too, if it traces with a foreground service. */
public interface TracingNotificationOwner : ExposureNotificationsOwner {
    /** What the system shows while tracing runs; its channel must exist. */
    public fun tracingNotification(): Notification

    public val tracingNotificationId: Int
}

/** Keeps the process in the foreground while tracing is on, and wakes the client on time. */
public class TracingService : Service() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        val owner = application as? TracingNotificationOwner ?: run {
            stopSelf()
            return START_NOT_STICKY
        }
        startForeground(owner.tracingNotificationId, owner.tracingNotification())
        scope.launch {
            val notifications = owner.exposureNotifications
            repeatedly { notifications.start() }
            while (true) {
                val next = notifications.status.value.nextWake ?: break
                delay((next * 1_000 - System.currentTimeMillis()).coerceIn(SHORTEST_MILLIS, LONGEST_MILLIS))
                repeatedly { notifications.wake() }
            }
        }
        return START_STICKY
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** A call that fails has changed nothing: it is made again until it succeeds. */
    private suspend fun repeatedly(call: suspend () -> Unit) {
        while (true) {
            try {
                return call()
            } catch (_: ExposureNotificationException.LogFailed) {
                delay(LONGEST_MILLIS)
            } catch (_: ExposureNotificationException.LogFull) {
                delay(LONGEST_MILLIS)
            } catch (_: ExposureNotificationException.Closed) {
                return stopSelf()
            }
        }
    }

    public companion object {
        private const val SHORTEST_MILLIS = 1_000L

        /** A timer that sleeps longer would not notice that the clock was set. */
        private const val LONGEST_MILLIS = 60_000L

        @JvmStatic
        public fun intent(context: Context): Intent = Intent(context, TracingService::class.java)
    }
}
