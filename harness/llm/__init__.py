"""Language models behind one port: providers, the tape, prices and limits."""
