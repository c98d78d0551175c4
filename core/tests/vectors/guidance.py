#!/usr/bin/env python3
"""Makes guidance.json: opening hours and days of care, worked out independently of the Rust code.

    python3 guidance.py > guidance.json

Python's own calendar does the work, and the changes of a contact point are found by walking minute
by minute. The seed is fixed, so that anyone gets the same file.
"""

import json
import random
from datetime import date, datetime, timedelta, timezone

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
OFFSETS = [-720, -570, -180, 0, 60, 330, 345, 540, 765, 840]


def shown(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def random_week(rng):
    week = {}
    for weekday in WEEKDAYS:
        kind = rng.randrange(6)
        if kind == 0:
            edges = []
        elif kind == 1:
            edges = [0, 1440]
        elif kind == 2:
            edges = [0, 420, 1020, 1440]
        elif kind == 3:
            edges = [540, 720, 720, 1020]
        else:
            edges = sorted(rng.sample(range(0, 1441, 5), rng.choice([2, 4])))
        week[weekday] = [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)]
    return week


def is_open(week, closed_on, local):
    if local.date() in closed_on:
        return False
    minute = local.hour * 60 + local.minute
    return any(o <= minute < c for o, c in week[WEEKDAYS[local.weekday()]])


def opening_cases(rng, week, closed_on, offset):
    """At eight random instants, and at the change after each of them and the second before it."""
    base = datetime(2022, 1, 12, tzinfo=timezone.utc)
    cases = []
    for _ in range(8):
        now = base + timedelta(seconds=rng.randrange(10 * 86400))
        cases.append(opening_case(now, week, closed_on, offset))
        if cases[-1]["changes"] is not None:
            change = datetime.fromtimestamp(cases[-1]["changes"], timezone.utc)
            for now in (change - timedelta(seconds=1), change):
                cases.append(opening_case(now, week, closed_on, offset))
    return cases


def opening_case(now, week, closed_on, offset):
    zone = timezone(timedelta(minutes=offset))
    local = now.astimezone(zone)
    open_now = is_open(week, closed_on, local)
    step = local.replace(second=0, microsecond=0)
    change = None
    midnight = local.replace(hour=0, minute=0, second=0)
    limit = (midnight + timedelta(days=8)) if open_now else step + timedelta(days=40)
    while step < limit:
        step += timedelta(minutes=1)
        if is_open(week, closed_on, step) != open_now:
            change = int(step.timestamp())
            break
    return {"now": int(now.timestamp()), "open": open_now, "changes": change}


def main():
    rng = random.Random(20220112)
    points = []
    for number in range(24):
        week = random_week(rng)
        if number == 0:
            week = {weekday: [(0, 1440)] for weekday in WEEKDAYS}
        if number == 1:
            week = {weekday: [] for weekday in WEEKDAYS}
            week["wednesday"] = [(0, 1)]
        if not any(week.values()):
            week["monday"] = [(540, 1020)]
        closed_on = set()
        if number > 1:
            closed_on = {date(2022, 1, 10) + timedelta(days=rng.randrange(20)) for _ in range(4)}
        offset = rng.choice(OFFSETS)
        points.append(
            {
                "utc_offset_minutes": offset,
                "opening_hours": {
                    day: [f"{shown(o)}-{shown(c)}" for o, c in spans] for day, spans in week.items()
                },
                "closed_on": sorted(str(day) for day in closed_on),
                "cases": opening_cases(rng, week, closed_on, offset),
            }
        )
    care = []
    for _ in range(60):
        offset, days = rng.choice(OFFSETS), rng.randint(1, 14)
        first = date(2020, 2, 20) + timedelta(days=rng.randrange(800))
        high = sorted({first + timedelta(days=rng.randrange(12)) for _ in range(rng.randint(1, 3))})
        zone = timezone(timedelta(minutes=offset))
        last_second = datetime(*high[-1].timetuple()[:3], 23, 59, 59, tzinfo=timezone.utc)
        until = last_second.astimezone(zone).date() + timedelta(days=days)
        after = until + timedelta(days=1)
        over = datetime(*after.timetuple()[:3], tzinfo=zone)
        care.append(
            {
                "high_days": [(day - date(1970, 1, 1)).days for day in high],
                "utc_offset_minutes": offset,
                "precaution_days": days,
                "until": str(until),
                "over_from": int(over.timestamp()),
            }
        )
    json.dump({"contact_points": points, "care": care}, __import__("sys").stdout, indent=1)
    print()


main()
