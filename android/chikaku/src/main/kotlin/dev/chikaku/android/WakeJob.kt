package dev.chikaku.android

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import dev.chikaku.ExposureNotifications
import dev.chikaku.WakeScheduler
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** The application implements this, so that the system can start its parts without an activity. */
public interface ExposureNotificationsOwner {
    public val exposureNotifications: ExposureNotifications
}

/**
 * Wakes through JobScheduler, which WorkManager uses from API 23 on, without the dependency. A job
 * comes late in Doze; while [TracingService] runs, its own timer is the punctual one.
 */
public class JobWakeScheduler(
    private val context: Context,
    private val jobId: Int = 0x434b,
    private val wallMillis: () -> Long = System::currentTimeMillis,
) : WakeScheduler {
    override fun wakeAt(unixSeconds: Long) {
        val delay = (unixSeconds * 1_000 - wallMillis()).coerceAtLeast(0)
        val job = JobInfo.Builder(jobId, ComponentName(context, WakeJob::class.java))
            .setMinimumLatency(delay)
            .setOverrideDeadline(delay + LATEST_MILLIS)
            .setPersisted(true)
            .build()
        (context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as? JobScheduler)?.schedule(job)
    }

    private companion object {
        const val LATEST_MILLIS = 60_000L
    }
}

/** Runs one wake. */
public class WakeJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private var running: Job? = null

    override fun onStartJob(params: JobParameters?): Boolean {
        val owner = application as? ExposureNotificationsOwner ?: return false
        running = scope.launch {
            val again = try {
                owner.exposureNotifications.wake()
                false
            } catch (stopped: CancellationException) {
                throw stopped
            } catch (_: Exception) {
                true
            }
            jobFinished(params, again)
        }
        return true
    }

    override fun onStopJob(params: JobParameters?): Boolean {
        running?.cancel()
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }
}
