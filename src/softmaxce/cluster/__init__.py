"""Many machines: decoding, summing and judging on a Dask cluster. Imported by --dask alone."""
