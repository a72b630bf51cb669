"""Gives the incidents of BPIC 2014 their moments back, as JSON lines: the rows stand nearly in their order, with weekday and hour.

python3 benches/peers/bpic_times.py incidents.csv > bpic.jsonl
triagraph --data bpic --no-embedder ingest bpic.jsonl --mapping benches/peers/bpic_times.toml
triagraph --data bpic --no-embedder desk bursts
"""
import csv, datetime, json, sys

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
today = float(datetime.date(2013, 10, 1).toordinal())  # a Tuesday, as the first row is
hours = {}
for number, row in enumerate(csv.DictReader(open(sys.argv[1]))):
    weekday = DAYS.index(row["Open_Time_DayOfWeek"])
    near = round(today)
    # The date with this weekday that is nearest to where the rows have come.
    day = min((near + off for off in range(-3, 4)), key=lambda d: ((datetime.date.fromordinal(d).weekday() != weekday), abs(d - today)))
    today += 0.03 * (day - today)
    hour = int(row["Open_Time_HourOfDay"])
    # Within the hour they are spread as they come: the minute is not told.
    place = hours[day, hour] = hours.get((day, hour), -1) + 1
    minute = (place * 7) % 60
    date = datetime.date.fromordinal(day).isoformat()
    print(json.dumps({"ticket": f"IM{number:07}", "about": row["CI_TypeSubType_aff"], "ci": row["CI_Name_aff"],
                      "component": row["Service_Component_WBS_aff"], "opened": f"{date}T{hour:02}:{minute:02}:00Z"}))
