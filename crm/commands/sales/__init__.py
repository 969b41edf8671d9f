"""Commands: sales, deals and the stages of the pipeline."""
