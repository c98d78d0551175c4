package dev.chikaku.sample

import android.app.Activity
import android.os.Bundle
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import dev.chikaku.android.AndroidClock
import dev.chikaku.android.Permissions
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch

/** Status with reasons, contacts of today, a simulated exposure, and the end of everything. */
class MainActivity : Activity() {
    private val sample get() = application as SampleApplication
    private val text by lazy { TextView(this) }
    private var watching: Job? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val column = LinearLayout(this).apply { orientation = LinearLayout.VERTICAL }
        column.addView(text)
        column.addButton("Switch on") { sample.exposureNotifications.start() }
        column.addButton("Switch off") { sample.exposureNotifications.stop() }
        column.addButton("Simulate an exposure") {
            val file = simulateExposure(sample.client, sample.server, AndroidClock(this).read())
            sample.exposureNotifications.provideDiagnosisKeys(listOf(file))
        }
        column.addButton("Delete everything") { sample.exposureNotifications.forgetEverything() }
        setContentView(ScrollView(this).apply { addView(column) })
        requestPermissions((Permissions.radio() + Permissions.notifications()).toTypedArray(), 0)
    }

    override fun onStart() {
        super.onStart()
        watching = sample.scope.launch { sample.exposureNotifications.status.collect { show() } }
    }

    override fun onStop() {
        watching?.cancel()
        super.onStop()
    }

    private fun LinearLayout.addButton(label: String, action: suspend () -> Unit) {
        val button = Button(this@MainActivity)
        button.text = label
        button.setOnClickListener {
            sample.scope.launch {
                action()
                show()
            }
        }
        addView(button)
    }

    private suspend fun show() {
        val now = AndroidClock(this).read()
        val status = sample.exposureNotifications.status.value
        val heard = sample.client.sightingsOn((now.wallUnixSeconds / 86_400).toInt())
        val days = sample.exposureNotifications.assessments()
        val lines = listOf("${status.state}") +
            status.reasons.map { "${it.code}: ${it.fixableBy}" } +
            listOf("heard today: $heard") +
            days.map { "day ${it.day}: ${it.level}, ${it.seconds / 60} minutes" }
        runOnUiThread { text.text = lines.joinToString("\n") }
    }
}
