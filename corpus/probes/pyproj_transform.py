"""pyproj finds its database."""

import pyproj

print(pyproj.CRS.from_epsg(25832).name)
print([round(x) for x in pyproj.Transformer.from_crs(4326, 25832, always_xy=True).transform(10, 60)])
