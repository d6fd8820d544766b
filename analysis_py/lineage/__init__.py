"""What a column is made of: the codebook, the notation of inputs, raw cells, names of cities."""
