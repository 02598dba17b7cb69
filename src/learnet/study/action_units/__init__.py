"""Action units: evaluation of networks that name them, and a study of linear models for comparison."""
