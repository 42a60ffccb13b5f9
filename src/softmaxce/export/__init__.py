"""A trained model → a file that other programs run: an ONNX graph or a C header."""
