"""Answers how far apart two cities are, as the crow flies."""

import math
import os

from flask import Flask, jsonify, request

app = Flask(__name__)

CITIES = {
    "berlin": (52.52, 13.405),
    "paris": (48.8566, 2.3522),
    "rome": (41.9028, 12.4964),
    "madrid": (40.4168, -3.7038),
    "vienna": (48.2082, 16.3738),
    "oslo": (59.9139, 10.7522),
}
UNIT = os.environ.get("DISTANCE_UNIT", "km")


def distance_km(start, end):
    """The great-circle distance."""
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*start, *end))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(half))


@app.get("/")
def start_page():
    return "<!doctype html><title>City distances</title><h1>City distances</h1>"


@app.get("/healthz")
def health():
    return jsonify(status="ok")


@app.get("/distance")
def distance():
    names = [request.args.get(name, "").lower() for name in ("from", "to")]
    unknown = [name for name in names if name not in CITIES]
    if unknown:
        return jsonify(error="expected a known city"), 404
    kilometres = round(distance_km(*(CITIES[name] for name in names)))
    return jsonify({"from": names[0], "to": names[1], "distance": f"{kilometres} {UNIT}"})
