"""The nodes of the research graph, a file each: state in, an update out, effects through the desk."""
