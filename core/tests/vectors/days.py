#!/usr/bin/env python3
"""Makes days.json: the library's own export of three days.

    python3 days.py > days.json

Written from the description in core/src/report/days.rs. The windows are invented; the score is
calculated with COCOA's thresholds (46, 60, 65 dB) and weights (1, 2.5, 1.3, 0.01).
"""

import hashlib
import json

NOTE = (
    "Days are UTC days. Exposures and windows are not a number of people, and the seconds of "
    "several people add up."
)


def window(report_type, infectiousness, confidence, scans):
    return {
        "report_type": report_type,
        "infectiousness": infectiousness,
        "calibration_confidence": confidence,
        "scan_instances": [
            {
                "minimum_attenuation_db": minimum,
                "typical_attenuation_db": typical,
                "seconds_since_last_scan": seconds,
            }
            for minimum, typical, seconds in scans
        ],
    }


def condition(quantity, value, relation, threshold, holds):
    return {
        "quantity": quantity,
        "value": value,
        "relation": relation,
        "threshold": threshold,
        "holds": holds,
    }


def main():
    # Two keys; the numbers of a key are its sixteen bytes.
    exposures = {
        1: [
            window("confirmed_test", "high", None, [(52, 55, 300), (44, 46, 300)]),
            window("confirmed_test", "high", "medium", [(58, 62, 240), (80, 85, 60)]),
        ],
        2: [window("confirmed_test", "high", "high", [(57, 60, 300)])],
    }
    seconds = [300, 300 + 300, 240, 60]
    score = seconds[0] * 1 + seconds[1] * 2.5 + seconds[2] * 1.3 + seconds[3] * 0.01
    # As the condition sees it: the day's maximum is not asked for.
    conditions = [
        condition("score_sum", score, ">=", 1350.0, True),
        condition("weighted_duration_average", score / sum(seconds), "NOP", 0.0, True),
        condition("seconds_since_last_scan_sum", float(sum(seconds)), ">=", 900.0, True),
        condition("typical_attenuation_maximum", 85.0, "NOP", 0.0, True),
        condition("typical_attenuation_minimum", 46.0, "NOP", 0.0, True),
    ]
    unknown = {
        "minutes_planned": None,
        "minutes_scanned": None,
        "identifiers_heard": None,
        "sightings": None,
        "keys_checked": None,
        "exposures": [],
        "conclusion": None,
    }
    days = [
        {"date": "2022-01-11", **unknown},
        {
            "date": "2022-01-12",
            "minutes_planned": 1440,
            "minutes_scanned": 1397,
            "identifiers_heard": 31,
            "sightings": 420,
            "keys_checked": 250000,
            "exposures": sorted(
                (
                    {"key_sha256": hashlib.sha256(bytes([key] * 16)).hexdigest(), "windows": found}
                    for key, found in exposures.items()
                ),
                key=lambda exposure: exposure["key_sha256"],
            ),
            "conclusion": {
                "profile": "cocoa-v2",
                "level": "high",
                "score": score,
                "score_unit": "weighted seconds",
                "conditions": conditions,
                "seconds_by_attenuation": [
                    {"from_db": 0, "to_db": 46, "seconds": seconds[0]},
                    {"from_db": 47, "to_db": 60, "seconds": seconds[1]},
                    {"from_db": 61, "to_db": 65, "seconds": seconds[2]},
                    {"from_db": 66, "to_db": 65535, "seconds": seconds[3]},
                ],
                "announced": True,
            },
        },
        {"date": "2022-01-13", **unknown, "minutes_planned": 60, "minutes_scanned": 0, "sightings": 0},
    ]
    print(json.dumps({"format_version": 1, "note": NOTE, "days": days}, indent=2))


main()
