"""Class folders, manifests and pixel arrays → PixelDataset: a uint8 matrix, labels, names."""
