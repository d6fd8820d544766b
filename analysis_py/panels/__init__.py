"""From a mart or a file to the frame a model is fitted on: calendar lags, samples, transforms, empty columns."""
