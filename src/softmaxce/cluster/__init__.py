"""Decoding, summing and evaluating on a Dask cluster. Imported only for --dask."""
