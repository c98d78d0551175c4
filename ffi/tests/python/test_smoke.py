"""The seam from its nearest side: two phones, one is diagnosed, the other one is told.

Run by ffi/test-bindings.sh, which generates `chikaku_ffi.py` and puts the library beside it.
"""

import unittest

from chikaku_ffi import (
    Boot,
    ClientConfiguration,
    ClockReading,
    ExposureNotificationClient,
    ExposureNotificationError,
    HeardAdvertisement,
    HostFacts,
    KeyFile,
    LogLocation,
    ReportType,
    RiskLevel,
    Scan,
    SimulatedKeyServer,
    Symptoms,
    TracingState,
    chikaku_version,
)

DAY = 20_000
START = DAY * 86_400 + 9 * 3_600


def clocks(now):
    return ClockReading(
        wall_unix_seconds=now, monotonic_seconds=now - START + 5_000, boot=Boot.COUNT(count=3)
    )


def open_client(*servers):
    configuration = ClientConfiguration(
        transmit_power_dbm=-24, trusted_keys=[server.trusted_key() for server in servers]
    )
    return ExposureNotificationClient.open(configuration, LogLocation.MEMORY())


def plan_of(actions):
    return next((action.plan for action in actions if action.is_ADVERTISE()), None)


class Smoke(unittest.TestCase):
    def test_one_is_diagnosed_and_the_other_is_told(self):
        server = SimulatedKeyServer(1)
        patient, contact = open_client(server), open_client(server)
        contact.start(clocks(START))
        plan = plan_of(patient.start(clocks(START)))
        for scan in range(7):
            now = START + 240 * scan
            plan = plan_of(patient.on_wake(clocks(now))) or plan
            heard = [
                HeardAdvertisement(heard_at=now + 1, rssi_dbm=dbm, service_data=plan.service_data)
                for dbm in (-77, -81)
            ]
            scan = Scan(started=now, ended=now + 4, heard=heard)
            contact.on_scan(scan, clocks(now + 4))

        tomorrow = START + 86_400
        patient.on_wake(clocks(tomorrow))
        disclosure = patient.temporary_exposure_key_history(
            ReportType.CONFIRMED_TEST, DAY, clocks(tomorrow)
        )
        file = server.publish(disclosure.keys, START, tomorrow)
        files = [KeyFile(bytes=b"no zip"), KeyFile(bytes=file)]
        result = contact.provide_diagnosis_keys(files, 0, clocks(tomorrow))
        self.assertEqual(result.files[0].code, "not_a_zip")
        self.assertEqual(result.files[1].matched, 1)
        told = [action.assessment for action in result.actions if action.is_ANNOUNCE()]
        self.assertEqual([(each.day, each.level) for each in told], [(DAY, RiskLevel.HIGH)])

        windows = contact.exposure_windows(clocks(tomorrow))
        scans = [scan for window in windows for scan in window.scan_instances]
        attenuations = {(scan.min_attenuation_db, scan.typical_attenuation_db) for scan in scans}
        self.assertEqual((len(scans), attenuations), (7, {(53, 55)}))
        explanation = contact.explanations(clocks(tomorrow))[0]
        self.assertEqual(explanation.sightings_kept, 14)
        guidance = contact.guidance(Symptoms.UNKNOWN, 540, clocks(tomorrow))
        self.assertIn("not_necessarily_infected", guidance.messages)

    def test_status_errors_and_the_end(self):
        self.assertRegex(chikaku_version(), r"^\d+\.\d+\.\d+$")
        client = open_client()
        status = client.status(HostFacts(), clocks(START))
        self.assertEqual(status.state, TracingState.STOPPED)
        self.assertIn("switched_off", [reason.code for reason in status.reasons])
        with self.assertRaises(ExposureNotificationError.InvalidArgument):
            client.start(clocks(-1))
        client.shutdown()
        with self.assertRaises(ExposureNotificationError.Closed):
            client.start(clocks(START))


if __name__ == "__main__":
    unittest.main()
