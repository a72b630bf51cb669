"""How soon is an event taken, and how soon are all handled? Called by events.sh."""

import http.client
import json
import sys
import threading
import time

MATTERS = [
    "scanners hang at confirm, canceling statement due to lock timeout in relation stock_location",
    "VPN users cannot connect after MFA reset, AUTH_FAILED 1713",
    "turnstile in hall B beeps and refuses everybody",
    "labels come out of the printer half blank since the driver update",
    "mail to customers stays in the queue of the relay for an hour",
]
CLIENTS = 8


def event(number):
    matter = MATTERS[number % len(MATTERS)]
    return json.dumps({
        "specversion": "1.0", "id": f"b{number}", "source": "burst", "type": "triagraph.ticket.created",
        "data": {"id": f"burst:T{number}", "kind": "incident", "title": f"Caller {number}: {matter}", "impact": 3, "urgency": 3,
                 "sections": [{"kind": "description", "text": f"{matter}. Told by caller {number} at desk {number % 37}."}]},
    })


def client(address, numbers, start, rate, took, refused):
    connection = http.client.HTTPConnection(address, timeout=30)
    for number in numbers:
        wait = start + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        body = event(number)
        before = time.perf_counter()
        connection.request("POST", "/v1/events", body, {"content-type": "application/cloudevents+json"})
        answer = connection.getresponse()
        answer.read()
        took.append((time.perf_counter() - before) * 1000)
        if answer.status != 202:
            refused.append(answer.status)


def handled(address):
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/metrics")
    for line in connection.getresponse().read().decode().splitlines():
        if line.startswith('triagraph_events_total{outcome="handled"}'):
            return int(line.split()[-1])
    return 0


def main():
    address, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    total, took, refused = rate * seconds, [], []
    start = time.perf_counter() + 0.2
    clients = [threading.Thread(target=client, args=(address, range(one, total, CLIENTS), start, rate, took, refused))
               for one in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    sent = time.perf_counter() - start
    took.sort()
    at = lambda share: took[min(len(took) - 1, int(len(took) * share))]
    print(f"{total} events in {sent:.1f} s ({total / sent:.0f}/s), {len(refused)} refused")
    print(f"202 after p50 {at(.5):.1f} ms, p95 {at(.95):.1f} ms, p99 {at(.99):.1f} ms, worst {took[-1]:.1f} ms")
    by_then = handled(address)
    while (now := handled(address)) < total - len(refused):
        if time.perf_counter() - start > 1800:
            sys.exit(f"only {now} of {total} handled after half an hour")
        time.sleep(1)
    drained = time.perf_counter() - start
    print(f"{by_then} handled by then; all handled after {drained:.0f} s, {total / drained:.1f}/s")


main()
