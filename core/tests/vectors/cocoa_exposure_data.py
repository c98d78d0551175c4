#!/usr/bin/env python3
"""Makes cocoa_exposure_data.json: a document in the format of COCOA's exposure_data.json.

    python3 cocoa_exposure_data.py > cocoa_exposure_data.json

The windows are invented. The summaries are calculated from them in exact fractions, with COCOA's
thresholds (46, 60, 65 dB) and weights (1, 2.5, 1.3, 0.01). Field names and their order are those
of COCOA v2.0.1.
"""

import json
from collections import defaultdict
from fractions import Fraction

DAY = 1641945600000  # 2022-01-12T00:00Z
NEXT = DAY + 86400000
# Confidence, day, infectiousness, report type, scans of (minimum dB, seconds, typical dB); in the
# order of the document: by day, then by everything else that is written, from the first field on.
WINDOWS = [
    (0, DAY, 1, 3, [(57, 300, 60), (58, 240, 61)]),
    (0, DAY, 1, 4, [(83, 300, 85)]),
    (1, DAY, 2, 1, [(43, 300, 46), (44, 300, 47), (58, 60, 62)]),
    (1, DAY, 2, 1, [(43, 300, 46), (44, 300, 47), (58, 60, 62)]),
    (3, DAY, 2, 2, [(62, 0, 65), (63, 120, 66)]),
    (2, NEXT, 1, 1, [(52, 300, 55), (52, 300, 55), (52, 300, 55)]),
]
NAMES = {
    2: "ConfirmedClinicalDiagnosisSummary",
    1: "ConfirmedTestSummary",
    4: "RecursiveSummary",
    3: "SelfReportedSummary",
}


def score(scans):
    total = Fraction(0)
    for _, seconds, typical in scans:
        weight = "1" if typical <= 46 else "2.5" if typical <= 60 else "1.3" if typical <= 65 else "0.01"
        total += seconds * Fraction(weight)
    return total


def summary(scores):
    return {
        "MaximumScore": float(max(scores, default=0)),
        "ScoreSum": float(sum(scores)),
        "WeightedDurationSum": float(sum(scores)),
    }


def main():
    days = defaultdict(list)
    for _, day, _, report, scans in WINDOWS:
        days[day].append((report, score(scans)))
    document = {
        "platform": "Android",
        "platform_version": "12",
        "model": "Example",
        "device_type": "Physical",
        "app_version": "2.0.1",
        "build_number": "1654041600",
        "en_version": None,
        "daily_summaries": [
            {
                "DateMillisSinceEpoch": day,
                "DaySummary": summary([value for _, value in found]),
                **{
                    name: summary([value for report, value in found if report == number])
                    for number, name in NAMES.items()
                },
            }
            for day, found in sorted(days.items())
        ],
        "exposure_windows": [
            {
                "CalibrationConfidence": confidence,
                "DateMillisSinceEpoch": day,
                "Infectiousness": infectiousness,
                "ReportType": report,
                "ScanInstances": [
                    {
                        "MinAttenuationDb": minimum,
                        "SecondsSinceLastScan": seconds,
                        "TypicalAttenuationDb": typical,
                    }
                    for minimum, seconds, typical in scans
                ],
            }
            for confidence, day, infectiousness, report, scans in WINDOWS
        ],
    }
    print(json.dumps(document, indent=2))


main()
