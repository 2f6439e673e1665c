"""Finding faces in photographs, with ONNX Runtime."""
