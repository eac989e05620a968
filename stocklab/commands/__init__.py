"""Commands of the command line, one module each; `stocklab.cli` puts them together."""
