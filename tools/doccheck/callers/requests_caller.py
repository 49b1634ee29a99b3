"""A client of Audian's API with requests. Only BASE_URL differs."""

import os

import requests

URL = os.environ["BASE_URL"] + "/conferences/conf_requests/participants"
HEADERS = {"X-Auth-Token": "my-api-key", "Content-Type": "application/json"}


def add(phone_number, name, role="listener", muted=False):
    body = {"phone_number": phone_number, "name": name, "role": role, "muted": muted}
    response = requests.post(URL, headers=HEADERS, json=body, timeout=10)
    response.raise_for_status()
    return response.status_code, response.json()


status, added = add("+12025550142", "Ada", "presenter")
assert status == 200, status
assert added["role"] == "presenter" and added["muted"] is False, added
assert added["joined_at"] is None and added["duration"] == 0, added
add("+12025550143", "Attendee")

listed = requests.get(URL, headers=HEADERS, timeout=10).json()
assert listed["total"] == 2 and isinstance(listed["active"], int), listed
assert added["id"] in [p["id"] for p in listed["participants"]], listed

muted = requests.post(f"{URL}/{added['id']}/mute", headers=HEADERS, json={}, timeout=10)
assert muted.status_code == 200 and muted.json()["muted"] is True, muted
unmuted = requests.post(f"{URL}/{added['id']}/unmute", headers=HEADERS, timeout=10)
assert unmuted.status_code == 200 and unmuted.json()["muted"] is False, unmuted
requests.post(URL.removesuffix("participants") + "mute-all", headers=HEADERS, json={}, timeout=10).raise_for_status()

removed = requests.delete(f"{URL}/{added['id']}", headers=HEADERS, timeout=10)
assert removed.status_code == 204 and removed.content == b"", removed
