"""One model of a study: checks before, the fit and its variants, the record that is kept."""
