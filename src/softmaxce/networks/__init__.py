"""A pretrained network in an ONNX file, and the features that it computes from images."""
