"""Pages: sales, deals and the stages of the pipeline."""
