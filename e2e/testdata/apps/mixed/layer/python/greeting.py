text = "hello from the layer"
