"""What a study file may say: its text with lines, its keys, its terms and SQL expressions, its resolved models."""
