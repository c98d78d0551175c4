package dev.chikaku.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** From the user's consent to keys at the server. */
class PublishingTest {
    private val server = UploadServer.ExposureServer("jp.example.authority", false, false)
    private val onset = PublicationDate(DAY, 540, true)

    /** A phone that was on for a day and a half. */
    private fun phone(): Pair<Room, Phone> {
        val room = Room()
        val phone = room.phone(configuration().copy(uploadServer = server))
        phone.start()
        room.passUntil(START + DAY_SECONDS * 3 / 2)
        generateSequence { phone.client.nextUploadCall(phone.clocks()) }.forEach { phone.answer(it, good(it)) }
        return room to phone
    }

    private fun Phone.answer(call: UploadCall, answer: UploadAnswer): UploadOutcome =
        client.onUploadAnswer(call.upload, answer, clocks()).outcome

    private fun Phone.publish(
        number: String = "12345678",
        date: PublicationDate = onset,
        consent: PublicationConsent = PublicationConsent.Keys,
    ): Publication = client.publishKeys(consent, ReportType.CONFIRMED_TEST, date, number, clocks())

    @Test
    fun anUploadThatIsMadeOfflineIsSentLaterAndOnce() {
        val (room, phone) = phone()
        val onAir = phone.onAir!!.serviceData
        val publication = phone.publish("１２３４-５６７８")
        phone.carryOut(publication.actions)
        val upload = assertIs<PublicationOutcome.Queued>(publication.outcome).upload
        assertNotEquals(onAir.toList(), phone.onAir!!.serviceData.toList(), "the successor is on the air")
        assertEquals(listOf(Action.UploadsDue(room.now)), publication.actions.filterIsInstance<Action.UploadsDue>())

        val certify = phone.client.nextUploadCall(phone.clocks())!!
        assertEquals("12345678", assertIs<UploadStep.Certify>(certify.step).code)
        val waits = assertIs<UploadOutcome.Waits>(phone.answer(certify, UploadAnswer.Nothing))
        assertEquals("no_answer", waits.reason)
        assertNull(phone.client.nextUploadCall(phone.clocks()))
        assertEquals(UploadStatus(upload, 2, 0, 1, waits.until, false), phone.client.uploads().single())

        room.passUntil(waits.until)
        assertEquals(UploadOutcome.Proceeds, phone.answer(certify, good(phone.client.nextUploadCall(phone.clocks())!!)))
        val send = phone.client.nextUploadCall(phone.clocks())!!
        val step = assertIs<UploadStep.Send>(send.step)
        assertEquals("POST" to "/v1/publish", step.method to step.path)
        assertTrue("temporaryExposureKeys" in step.body.decodeToString())
        assertEquals(UploadOutcome.Published(2, 0, false), phone.answer(send, good(send)))
        assertEquals(emptyList(), phone.client.uploads())
        assertEquals(UploadOutcome.Ignored, phone.answer(send, good(send)))
    }

    @Test
    fun aRefusedNumberIsCorrectedAndNobodyIsLockedOut() {
        val (room, phone) = phone()
        val upload = assertIs<PublicationOutcome.Queued>(phone.publish().outcome).upload
        val call = phone.client.nextUploadCall(phone.clocks())!!
        assertEquals(UploadOutcome.CodeRefused, phone.answer(call, UploadAnswer.CodeRefused))
        assertTrue(phone.client.uploads().single().codeRefused)
        assertEquals(PublicationOutcome.Wait(5), phone.publish().outcome)
        val actions = phone.client.correctNumber(upload, "87654321", phone.clocks())
        assertEquals(listOf<Action>(Action.UploadsDue(room.now)), actions)
        assertNotNull(phone.client.nextUploadCall(phone.clocks()))
        phone.client.cancelUpload(upload, phone.clocks())
        assertNull(phone.client.nextUploadCall(phone.clocks()))
    }

    @Test
    fun whatCannotBePublishedSaysWhy() {
        val (_, phone) = phone()
        for (number in listOf("", "1", "処理番号")) {
            assertFailsWith<ExposureNotificationException.InvalidArgument>(number) { phone.publish(number) }
        }
        val tomorrow = PublicationDate(DAY + 3, 540, false)
        val future = phone.publish(date = tomorrow)
        assertEquals(PublicationOutcome.DateInFuture, future.outcome)
        val visits = phone.publish(consent = PublicationConsent.KeysAndVisits(8))
        assertEquals(PublicationOutcome.NoServerForVisits, visits.outcome)
        for (level in listOf(0, 9)) {
            assertFailsWith<ExposureNotificationException.InvalidArgument> {
                phone.publish(consent = PublicationConsent.KeysAndVisits(level))
            }
        }
        assertEquals(emptyList(), phone.client.uploads())
        val without = Room().phone()
        without.start()
        assertEquals(PublicationOutcome.NoServer, without.publish().outcome)
        assertEquals("12345678", processingNumberOfLink("https://app.example/cocoa/a/?pn=12345678", "app.example"))
        assertFailsWith<ExposureNotificationException.InvalidArgument> {
            processingNumberOfLink("https://evil.example/cocoa/a/?pn=12345678", "app.example")
        }
    }
}
