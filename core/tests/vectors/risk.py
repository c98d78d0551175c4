#!/usr/bin/env python3
"""Makes risk.json: assessments of small random days, calculated independently of the Rust code.

    python3 risk.py > risk.json

Written from descriptions of the algorithms (GAEN daily summaries; first generation as Google and as
Apple compute it; Corona-Warn-App's normalized time), in exact fractions. The seed is fixed, so that
anyone gets the same file.
"""

import json
import math
import random
from fractions import Fraction

DAY = 19004
MIDNIGHT = DAY * 86400
REPORT_TYPES = [
    "confirmed_test",
    "confirmed_clinical_diagnosis",
    "self_report",
    "recursive",
    "revoked",
]
INFECTIOUSNESS = ["none", "standard", "high"]
MAPPING = {
    "infectiousness_by_days_since_onset": ["standard"] * 29,
    "infectiousness_when_missing": "standard",
    "report_type_when_missing": "confirmed_test",
}


def exact(number):
    return Fraction(str(number))


def half_up(fraction):
    return math.floor(fraction + Fraction(1, 2))


def weight(rng):
    return rng.choice([0.0, 0.01, 0.1, 0.5, 0.8, 1.0, 1.3, 1.75, 2.5])


def random_windows(rng, today):
    """Keys with windows; every window starts at a time of its own."""
    starts = rng.sample(range(MIDNIGHT - 7200, MIDNIGHT + 86400 + 7200), 6)
    # Both ends of the day, so that the cut at midnight is always met.
    starts += [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 86399, MIDNIGHT + 86400]
    rng.shuffle(starts)
    keys = []
    for number in range(3):
        windows = []
        for _ in range(rng.randint(1, 3)):
            windows.append(
                {
                    "start": starts.pop(),
                    "report_type": rng.choice(REPORT_TYPES[:4] * 3 + REPORT_TYPES),
                    "infectiousness": rng.choice(INFECTIOUSNESS[1:] * 3 + INFECTIOUSNESS),
                    "scans": [
                        [
                            typical - rng.randint(0, 6),
                            typical,
                            rng.choice([0, 60, 120, 180, 240, 300, 300, 300]),
                        ]
                        for typical in (
                            rng.choice([30, 46, 47, 50, 51, 60, 61, 63, 65, 66, 73, 79, 85])
                            for _ in range(rng.randint(1, 6))
                        )
                    ],
                }
            )
        keys.append(
            {
                "bytes": number,
                "rolling_start": DAY * 144,
                "transmission_risk_level": None,
                "windows": windows,
                "sightings": [],
            }
        )
    return keys


def windows_of_the_day(keys):
    found = [
        window
        for key in keys
        for window in key["windows"]
        if window["start"] // 86400 == DAY
    ]
    return sorted(found, key=lambda window: window["start"])


def gaen_case(rng):
    today = DAY + rng.choice([0, 1, 5, 13])
    thresholds = sorted(rng.choice([30, 46, 50, 51, 60, 63, 65]) for _ in range(3))
    inclusive = rng.random() < 0.5
    summaries = {
        "attenuation_bucket_threshold_db": thresholds,
        "attenuation_bucket_weights": [weight(rng) for _ in range(4)],
        "bucket_edges": "upper_inclusive" if inclusive else "upper_exclusive",
        "days_since_exposure_threshold": rng.choice([None, None, None, 4, 5]),
        "infectiousness_weight_standard": weight(rng),
        "infectiousness_weight_high": weight(rng),
        "minimum_window_score": rng.choice([0.0, 0.0, 150.0, 300.0]),
        "report_type_weights": {name: weight(rng) for name in REPORT_TYPES[:4]},
    }
    limit = rng.choice([300.0, 900.0, 1350.0])
    keys = random_windows(rng, today)
    expected = []
    by_type = {name: [Fraction(0)] * 3 for name in REPORT_TYPES[:4]}
    for window in windows_of_the_day(keys):
        buckets = [0, 0, 0, 0]
        for _, typical, seconds in window["scans"]:
            if inclusive:
                bucket = sum(1 for edge in thresholds if typical > edge)
            else:
                bucket = sum(1 for edge in thresholds if typical >= edge)
            buckets[bucket] += seconds
        duration = sum(
            seconds * exact(bucket_weight)
            for seconds, bucket_weight in zip(
                buckets, summaries["attenuation_bucket_weights"]
            )
        )
        old = summaries["days_since_exposure_threshold"]
        if window["report_type"] == "revoked":
            score, verdict = Fraction(0), "revoked"
        elif window["infectiousness"] == "none":
            score, verdict = Fraction(0), "not_infectious"
        else:
            score = (
                duration
                * exact(summaries["report_type_weights"][window["report_type"]])
                * exact(summaries["infectiousness_weight_" + window["infectiousness"]])
            )
            if old is not None and today - DAY > old:
                verdict = "too_long_ago"
            elif score < exact(summaries["minimum_window_score"]):
                verdict = "below_minimum_score"
            else:
                verdict = "kept"
                totals = by_type[window["report_type"]]
                by_type[window["report_type"]] = [
                    max(totals[0], score),
                    totals[1] + score,
                    totals[2] + duration,
                ]
        expected.append({"score": float(score), "verdict": verdict})
    total = [
        max(totals[0] for totals in by_type.values()),
        sum(totals[1] for totals in by_type.values()),
        sum(totals[2] for totals in by_type.values()),
    ]
    kept = any(one["verdict"] == "kept" for one in expected)
    rules = {
        "mapping": MAPPING,
        "daily_summaries": summaries,
        "high_from_score_sum": limit,
    }
    return {
        "rules": {"gaen": rules},
        "today": today,
        "keys": keys,
        "expected": {
            "score": float(total[1]),
            "level": "high" if kept and total[1] >= exact(limit) else "low",
            "summary": {
                "all": [float(number) for number in total],
                **{
                    name: [float(number) for number in numbers]
                    for name, numbers in by_type.items()
                },
            },
            "contributions": expected,
        }
        if expected
        else None,
    }


def cwa_case(rng):
    ranges, edge = [], 0
    for _ in range(rng.randint(1, 3)):
        edge += rng.choice([0, 5])
        below = edge + rng.choice([20, 30, 46])
        ranges.append({"from": edge, "below": below, "weight": weight(rng)})
        edge = below
    attenuation_filters = [
        {
            "from": 0,
            "below": rng.choice([50, 63, 100]),
            "minutes_from": 0,
            "minutes_below": rng.choice([0, 3, 5]),
        }
        for _ in range(rng.randint(0, 2))
    ]
    level_filters = [
        {"from": 1, "to": rng.choice([0, 2, 3])} for _ in range(rng.randint(0, 2))
    ]
    offsets = {
        "confirmed_test": 6,
        "confirmed_clinical_diagnosis": rng.choice([3, 4]),
        "self_report": 2,
        "recursive": 0,
        "infectiousness_standard": 1,
        "infectiousness_high": 2,
    }
    values = [weight(rng) for _ in range(8)]
    window_limit, day_limit = 9.0, rng.choice([5.0, 9.0, 15.0])
    keys = random_windows(rng, DAY)
    expected = []
    total = Fraction(0)

    def seconds_at(window, first, end):
        return sum(s for least, _, s in window["scans"] if first <= least < end)

    for window in windows_of_the_day(keys):
        level = None
        if window["report_type"] == "revoked":
            score, verdict = Fraction(0), "revoked"
        elif window["infectiousness"] == "none":
            score, verdict = Fraction(0), "not_infectious"
        else:
            risk = (
                offsets[window["report_type"]]
                + offsets["infectiousness_" + window["infectiousness"]]
            )
            minutes = sum(
                Fraction(seconds_at(window, one["from"], one["below"]), 60)
                * exact(one["weight"])
                for one in ranges
            )
            score = exact(values[risk - 1]) * minutes
            if any(
                one["minutes_from"]
                <= seconds_at(window, one["from"], one["below"]) // 60
                < one["minutes_below"]
                for one in attenuation_filters
            ):
                verdict = "attenuation_filter"
            elif any(one["from"] <= risk <= one["to"] for one in level_filters):
                verdict = "transmission_risk_filter"
            else:
                verdict = "kept"
                level = "high" if score >= exact(window_limit) else "low"
                total += score
        expected.append({"score": float(score), "verdict": verdict, "level": level})
    rounded = Fraction(half_up(total * 10), 10)
    kept = any(one["verdict"] == "kept" for one in expected)
    return {
        "rules": {
            "cwa": {
                "mapping": MAPPING,
                "attenuation_weights": ranges,
                "attenuation_filters": attenuation_filters,
                "transmission_risk_filters": level_filters,
                "transmission_risk_offsets": offsets,
                "transmission_risk_values": values,
                "window_high_from": window_limit,
                "day_high_from": day_limit,
            }
        },
        "today": DAY,
        "keys": keys,
        "expected": {
            "score": float(rounded),
            "level": "high" if kept and rounded >= exact(day_limit) else "low",
            "contributions": expected,
        }
        if expected
        else None,
    }


def random_sightings(rng):
    """Scans every two to eleven minutes, each with up to three packets, in no order."""
    now = MIDNIGHT + rng.choice([-1500, -300, 0, 30000, 86000])
    sightings = []
    for _ in range(rng.randint(1, 9)):
        before = None if rng.random() < 0.1 else now - rng.choice([0, 90, 240, 300, 304, 305])
        for _ in range(rng.randint(1, 3)):
            db = rng.choice([0, 5, 10, 11, 27, 33, 51, 52, 54, 63, 64, 73, 74, 90, 256])
            sightings.append([now, before, db])
            now += rng.choice([1, 4, 5, 25])
        now += rng.choice([24, 26, 120, 150, 300, 575, 660])
    rng.shuffle(sightings)
    return sightings


def tables(rng):
    return [
        [rng.randint(0, 8) for _ in range(8)],
        [rng.choice([1, 1, 2, 3]) for _ in range(8)],
        [rng.choice([0, 1, 1, 4, 8]) for _ in range(8)],
        [rng.randint(0, 8) for _ in range(8)],
    ]


def attenuation_index(db):
    for index, edge in enumerate([73, 63, 51, 33, 27, 15, 10]):
        if db > edge:
            return index
    return 7


def days_index(days):
    for index, edge in enumerate([14, 12, 10, 8, 6, 4, 2]):
        if days >= edge:
            return index
    return 7


def minutes_index(minutes):
    for index, edge in enumerate([0, 5, 10, 15, 20, 25, 30]):
        if minutes <= edge:
            return index
    return 7


def legacy_keys(rng):
    return [
        {
            "bytes": number,
            "rolling_start": (DAY - rng.choice([0, 1])) * 144,
            "transmission_risk_level": rng.choice([None, *range(9)]),
            "windows": [],
            "sightings": random_sightings(rng),
        }
        for number in range(2)
    ]


def legacy_expectation(found, minimum, score_of):
    if not found:
        return None
    kept = [one for one in found if one["verdict"] == "kept"]
    return {
        "score": max([one["score"] for one in kept], default=0.0),
        "level": "high"
        if any(score_of(one["score"]) >= minimum for one in kept)
        else "low",
        # Two keys may be heard in the same second, so they are compared as a multiset.
        "contributions": found,
    }


def google_case(rng):
    today = DAY + rng.choice([0, 1, 2, 3, 7, 14])
    attenuation, days_table, duration_table, transmission = tables(rng)
    minimum = rng.choice([1, 21, 100])
    keys = legacy_keys(rng)
    found = []
    for key in keys:
        scans, last = [], None
        # Only the strongest of a scan stays, so that the order within a second does not show.
        for time, _, db in sorted(key["sightings"], key=lambda s: (s[0], s[2])):
            if last is not None and time - last <= 25.5:
                if db < scans[-1][1]:
                    scans[-1] = (time, db)
            else:
                scans.append((time, db))
            last = time
        runs = []
        for scan in scans:
            if runs and scan[0] - runs[-1][-1][0] <= 600:
                runs[-1].append(scan)
            else:
                runs.append([scan])
        for run in runs:
            if run[0][0] // 86400 != DAY:
                continue
            length = run[-1][0] - run[0][0] + 300
            rest = length % 300
            length += -rest if rest <= 150 else 300 - rest
            pieces = [(150, run[0][1]), (150, run[-1][1])]
            pieces += [(b[0] - a[0], a[1]) for a, b in zip(run, run[1:])]
            mean = half_up(
                Fraction(sum(s * db for s, db in pieces), sum(s for s, _ in pieces))
            )
            days = today - key["rolling_start"] // 144
            level = key["transmission_risk_level"]
            factors = [
                attenuation[attenuation_index(mean)],
                days_table[days_index(days)],
                duration_table[minutes_index(length // 60)],
                transmission[level - 1] if level else 1,
            ]
            score = math.prod(factors)
            found.append(
                {
                    "score": float(score),
                    "seconds": length,
                    "inputs": [mean, days, length // 60, level],
                    "factors": [float(factor) for factor in factors],
                    "verdict": "kept" if score >= minimum else "below_minimum_score",
                }
            )
    return {
        "rules": {
            "google-v1": {
                "attenuation_scores": attenuation,
                "days_since_last_exposure_scores": days_table,
                "duration_scores": duration_table,
                "transmission_risk_scores": transmission,
                "minimum_risk_score": minimum,
            }
        },
        "today": today,
        "keys": keys,
        "expected": legacy_expectation(found, minimum, lambda score: score),
    }


def apple_case(rng):
    today = DAY + rng.choice([0, 1, 2, 3, 7, 14])
    attenuation, days_table, duration_table, transmission = tables(rng)
    weights = [rng.choice([1.0, 1.0, 0.5, 2.0]) for _ in range(4)]
    minimum = rng.choice([1, 21, 100])
    minimum_full = rng.choice([0.0, 0.0, 50.0])
    keys = legacy_keys(rng)
    found = []
    for key in keys:
        heard = sorted(
            (s for s in key["sightings"] if 1 <= s[2] <= 255),
            key=lambda s: (s[0], s[1] is not None, s[1] or 0, s[2]),
        )
        if not heard or heard[0][0] // 86400 != DAY:
            continue
        groups = []
        for sighting in heard:
            if groups and sighting[0] - groups[-1][0][0] <= 4:
                groups[-1].append(sighting)
            else:
                groups.append([sighting])
        scans, previous = [], None
        for group in groups:
            time, before, _ = group[0]
            since = None if before is None else time - before
            if since is None or since > 304 or since < 0:
                since = 150
            if previous is not None and previous > time - since:
                since = time - previous
            previous = time
            mean = half_up(Fraction(sum(s[2] for s in group), len(group)))
            scans.append((since, mean))
        seconds = sum(since for since, _ in scans)
        values = [(since, attenuation[attenuation_index(db)]) for since, db in scans]
        values = [(since, value) for since, value in values if value]
        length = sum(since for since, _ in values)
        value = (
            half_up(Fraction(sum(s * v for s, v in values), length)) if length else 0
        )
        level = key["transmission_risk_level"]
        days = today - DAY
        factors = [
            exact(weights[0]) * value,
            exact(weights[1]) * days_table[days_index(days)],
            exact(weights[2]) * duration_table[minutes_index(Fraction(seconds, 60))],
            exact(weights[3]) * transmission[min(level or 0, 7)],
        ]
        score = math.prod(factors)
        cut = min(255, math.floor(score))
        kept = cut >= minimum and score >= exact(minimum_full)
        mean = (
            half_up(Fraction(sum(s * db for s, db in scans), seconds)) if seconds else 0
        )
        found.append(
            {
                "score": float(score),
                "seconds": seconds,
                "inputs": [mean, days, math.ceil(Fraction(seconds, 60)), level],
                "factors": [float(factor) for factor in factors],
                "verdict": "kept" if kept else "below_minimum_score",
            }
        )
    return {
        "rules": {
            "apple-v1": {
                "attenuation_level_values": attenuation,
                "days_since_last_exposure_level_values": days_table,
                "duration_level_values": duration_table,
                "transmission_risk_level_values": transmission,
                "weights": {
                    "attenuation": weights[0],
                    "days_since_last_exposure": weights[1],
                    "duration": weights[2],
                    "transmission_risk": weights[3],
                },
                "minimum_risk_score": minimum,
                "minimum_risk_score_full_range": minimum_full,
            }
        },
        "today": today,
        "keys": keys,
        "expected": legacy_expectation(
            found, minimum, lambda score: min(255, math.floor(score))
        ),
    }


def main():
    rng = random.Random(20220112)
    cases = [
        make(rng)
        for make in (gaen_case, cwa_case, google_case, apple_case)
        for _ in range(24)
    ]
    print('{"source": "risk.py, in exact fractions", "day": %d, "cases": [' % DAY)
    print(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
    print("]}")


main()
