"""What schemathesis cannot make up: files that are there, and addresses to come from."""
import itertools
import os
import re

import schemathesis
import urllib3.util.connection

ASSET = re.compile("^a[0-9a-hjkmnp-tv-z]{20}$")
ASSETS = {"reference": os.environ["UNIANIMATE_REFERENCE"], "motion": os.environ["UNIANIMATE_MOTION"]}

connect = urllib3.util.connection.create_connection
sources = itertools.count(0x7F010001)


def connect_from_another_address(address, timeout=None, source_address=None, socket_options=None):
    """Each time from another one of this machine, as an address with many wrong tokens gets no other answer."""
    number = next(sources)
    source = ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))
    return connect(address, timeout, (source, 0), socket_options)


urllib3.util.connection.create_connection = connect_from_another_address


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict):
        for name, asset in ASSETS.items():
            if isinstance(body.get(name), str) and ASSET.match(body[name]):
                body[name] = asset
    return body


@schemathesis.hook
def map_query(context, query):
    """Nobody changes the job while an answer waits for that."""
    if query and isinstance(query.get("wait"), int) and 0 < query["wait"] <= 60:
        query["wait"] = 0
    return query
