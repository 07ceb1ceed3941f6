"""Time zones come from tzdata, and the certificates of certifi are loaded."""

import datetime
import ssl
import zoneinfo

import certifi

zoneinfo.reset_tzpath(to=[])
print(len(zoneinfo.available_timezones()), "zones")
print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Oslo")).utcoffset())
print(len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()), "certificates")
print(len(certifi.contents()))
