"""Two weeks of scans into a log on disk, then the time from opening it to the first status."""

import os
import shutil
import statistics
import sys
import time

import chikaku_ffi as chikaku

DAY_SECONDS = 86_400
START = 20_000 * DAY_SECONDS
KEY = bytes(range(32))


def clocks(now):
    return chikaku.ClockReading(
        wall_unix_seconds=now, monotonic_seconds=now - START + 5_000, boot=chikaku.Boot.COUNT(count=3)
    )


def main(folder, scans_a_day, phones):
    configuration = chikaku.ClientConfiguration(transmit_power_dbm=-24, trusted_keys=[])
    location = chikaku.LogLocation.FOLDER(path=folder, root_key=KEY, install_marker=None)

    def opened(now):
        began = time.perf_counter()
        client = chikaku.ExposureNotificationClient.open(configuration, location)
        client.status(chikaku.HostFacts(), clocks(now))
        return client, (time.perf_counter() - began) * 1_000

    client, first = opened(START)
    print(f"first start, the log is made: {first:.1f} ms")
    client.start(clocks(START))
    step = DAY_SECONDS // scans_a_day
    end = START + 14 * DAY_SECONDS
    near, interval = [], None
    for now in range(START + step, end, step):
        if now // 600 != interval:
            interval = now // 600
            near = [os.urandom(20) for _ in range(phones)]
        heard = [chikaku.HeardAdvertisement(heard_at=now - 2, rssi_dbm=-70, service_data=data) for data in near]
        client.on_scan(chikaku.Scan(started=now - 4, ended=now, heard=heard), clocks(now))
    sightings = sum(client.sightings_on(20_000 + day) for day in range(15))
    client.shutdown()
    times = []
    for _ in range(20):
        client, milliseconds = opened(end)
        times.append(milliseconds)
        client.shutdown()
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    print(f"{sightings} sightings of 14 days, {size // 1024} KiB")
    print(
        f"open to first status: median {statistics.median(times):.1f} ms, "
        f"fastest {min(times):.1f} ms, slowest {max(times):.1f} ms of {len(times)}"
    )
    shutil.rmtree(folder)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
