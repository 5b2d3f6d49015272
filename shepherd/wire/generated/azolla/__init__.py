"""Generated from `protos/`; not edited by hand."""
