"""rasterio finds the data of GDAL and PROJ, writes a raster and reads it."""

import numpy as np
import rasterio
from rasterio.transform import from_origin

profile = {"driver": "GTiff", "height": 4, "width": 4, "count": 1, "dtype": "uint8", "crs": "EPSG:25832"}
with rasterio.open("raster.tif", "w", transform=from_origin(0, 4, 1, 1), **profile) as raster:
    raster.write(np.arange(16, dtype=np.uint8).reshape(1, 4, 4))
with rasterio.open("raster.tif") as raster:
    print(raster.crs.to_epsg(), int(raster.read().sum()))
